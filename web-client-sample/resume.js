// From where a client may resume. Pure: fed with what is sent and received, asked what to subscribe.
//
// The rule (protocol, "The order of things"): resume from the `rev` of the last heartbeat, or of a data frame
// after it, those wallets and tokens that were subscribed without a break since and whose latest snapshot was
// complete (not `loading`) and followed by a heartbeat; subscribe the others without `since`; after a change
// of epoch everything is new.
//
// Theory of operation. One cursor belongs to the connection. An entry (a wallet or a token) is
//   live       covered by the connection's cursor;
//   resumable  not covered yet on this connection, but holding the cursor of an earlier one (`resume`);
//   new        neither: it needs a snapshot.
// A heartbeat makes every confirmed and complete entry live. When the connection ends, live entries take the
// cursor along. Between a subscribe and its heartbeat, and while the server conflates (`lag`), data frames do
// not move the cursor: a catch-up brings newer revisions of some entries before older ones of others. An older
// cursor only repeats absolute values, which does no harm.
//
// Without a WebSocket each wallet has a stream of its own, and a cursor that comes with its frames (`receiveFrom`).
// Then the epoch is not known before the first answer, entries are never live, and each holds its own `resume`.

import { isDataFrame } from "./state.js";

const KEYS_PER_MESSAGE_MAX = 500;

export class ResumeTracker {
  #entries = { wallets: new Map(), tokens: new Map() };
  #epoch = null;
  #cursor = null;
  #lagging = false;
  /** Subscribes sent and not answered, and those answered whose heartbeat is still to come. */
  #unanswered = 0;
  #unsettled = 0;

  /** `kind` is "wallets" or "tokens", `key` canonical. */
  add(kind, key) {
    const entries = this.#entries[kind];
    if (!entries.has(key)) entries.set(key, { confirmed: false, complete: false, live: false, resume: null });
  }

  remove(kind, key) {
    this.#entries[kind].delete(key);
  }

  has(kind, key) {
    return this.#entries[kind].has(key);
  }

  keys(kind) {
    return [...this.#entries[kind].keys()];
  }

  /** After `hello`. A connection's epoch never changes; a foreign one voids what was held; null is not known. */
  connected(epoch) {
    this.#epoch = epoch;
    this.#cursor = null;
    this.#lagging = false;
    this.#unanswered = 0;
    this.#unsettled = 0;
    for (const entry of this.#all()) {
      entry.confirmed = false;
      entry.live = false;
      if (epoch !== null && entry.resume?.epoch !== epoch) entry.resume = null;
    }
  }

  /** When the connection is gone: live entries take its cursor along. */
  disconnected() {
    for (const entry of this.#all()) {
      if (entry.live) entry.resume = { epoch: this.#epoch, rev: this.#cursor };
      entry.live = false;
      entry.confirmed = false;
    }
  }

  /**
   * The subscribes a new connection needs: `[{wallets, tokens, since}]`, those that resume first. One `since`
   * serves all that resume: the oldest, since the rest then only hear again what they know.
   */
  plan() {
    const resuming = { wallets: [], tokens: [] };
    const fresh = { wallets: [], tokens: [] };
    let oldest = null;
    for (const kind of ["wallets", "tokens"]) {
      for (const [key, { resume }] of this.#entries[kind]) {
        (resume === null ? fresh : resuming)[kind].push(key);
        if (resume !== null && (oldest === null || resume.rev < oldest)) oldest = resume.rev;
      }
    }
    const since = oldest === null ? undefined : `${this.#epoch}:${oldest}`;
    return [...messages(resuming, since), ...messages(fresh, undefined)];
  }

  /** The same where each wallet has a stream of its own: one message each, with its own cursor. */
  planEach() {
    const wallets = [...this.#entries.wallets].map(([key, { resume }]) => {
      const since = resume === null ? undefined : `${resume.epoch}:${resume.rev}`;
      return { wallets: [key], tokens: [], since };
    });
    const tokens = this.keys("tokens");
    return tokens.length === 0 ? wallets : [...wallets, { wallets: [], tokens, since: undefined }];
  }

  subscribeSent() {
    this.#unanswered += 1;
  }

  /** The direct reply was an error: nothing was subscribed. */
  subscribeRefused() {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
  }

  /** The direct reply was `ok`: `wallets` and `tokens` are the canonical keys it confirms. */
  subscribeAnswered({ wallets = [], tokens = [], resumed = false }) {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#unsettled += 1;
    for (const key of wallets) this.#confirm(this.#entries.wallets.get(key), resumed, false);
    for (const key of tokens) this.#confirm(this.#entries.tokens.get(key), resumed, true);
  }

  /** A token has no snapshot: its one price frame follows before the heartbeat, so it is complete by then. */
  #confirm(entry, resumed, isToken) {
    if (entry === undefined) return;
    entry.confirmed = true;
    if (resumed) {
      entry.complete = true;
      return;
    }
    entry.live = false;
    entry.resume = null;
    entry.complete = isToken;
  }

  /** Every server message passes here; those that say nothing about resuming change nothing. */
  receive(frame) {
    switch (frame.type) {
      case "heartbeat": return this.#heartbeat(frame);
      case "lag": this.#lagging = true; return;
      case "snapshot": return this.#snapshot(frame);
      case "price": case "balance": case "token": return this.#advance(frame.rev);
      case "batch":
        if (!Array.isArray(frame.frames)) return;
        for (const inner of frame.frames) if (isDataFrame(inner)) this.#advance(inner.rev);
        return;
    }
  }

  /** A frame of the wallet's own stream; `cursor` ("epoch:rev" or null) is what may be resumed from after it. */
  receiveFrom(wallet, frame, cursor) {
    if (frame.type === "snapshot") this.#snapshot(frame);
    const entry = this.#entries.wallets.get(wallet);
    if (entry?.complete && cursor !== null) entry.resume = parseCursor(cursor);
  }

  /** Nothing is on its way but what is new: no catch-up, no conflation. */
  get settled() {
    return this.#cursor !== null && !this.#lagging && this.#unanswered + this.#unsettled === 0;
  }

  #heartbeat({ rev }) {
    if (!Number.isSafeInteger(rev)) return;
    this.#cursor = rev;
    this.#lagging = false;
    this.#unsettled = 0;
    for (const entry of this.#all()) {
      if (!entry.confirmed || !entry.complete) continue;
      entry.live = true;
      entry.resume = null;
    }
  }

  /** From part 1 on the wallet's rows are a snapshot's; they count once it is whole and a heartbeat came. */
  #snapshot(frame) {
    const entry = this.#entries.wallets.get(frame.wallet);
    if (entry === undefined) return;
    entry.live = false;
    entry.resume = null;
    entry.complete = (frame.part ?? 1) >= (frame.parts ?? 1) && frame.state !== "loading";
  }

  #advance(rev) {
    if (!this.settled) return;
    if (Number.isSafeInteger(rev) && rev > this.#cursor) this.#cursor = rev;
  }

  *#all() {
    yield* this.#entries.wallets.values();
    yield* this.#entries.tokens.values();
  }
}

/** "epoch:rev" as `{epoch, rev}`, null where it is neither. */
function parseCursor(text) {
  const colon = text.lastIndexOf(":");
  const rev = Number(text.slice(colon + 1));
  return colon > 0 && Number.isSafeInteger(rev) ? { epoch: text.slice(0, colon), rev } : null;
}

/** Cuts a group into messages that stay far below the server's `message_bytes`. */
function messages({ wallets, tokens }, since) {
  const list = [];
  for (let i = 0; i < wallets.length; i += KEYS_PER_MESSAGE_MAX) {
    list.push({ wallets: wallets.slice(i, i + KEYS_PER_MESSAGE_MAX), tokens: [], since });
  }
  for (let i = 0; i < tokens.length; i += KEYS_PER_MESSAGE_MAX) {
    list.push({ wallets: [], tokens: tokens.slice(i, i + KEYS_PER_MESSAGE_MAX), since });
  }
  return list;
}
