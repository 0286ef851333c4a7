// One wallet without a WebSocket: its event stream, or its polls, with a cursor of its own.

import { EventStreamParser } from "./event-stream.js";
import { lost, refusal, unusable, walletPath, within } from "./http-api.js";

/** A proxy that holds back what streams through it is found out by this. */
const FIRST_EVENT_MS = 10_000;
/** The server writes at least every `ping_s`; twice that and some grace is a dead connection. */
const GRACE_MS = 5_000;
const PING_SECONDS_USUAL = 25;
const POLL_GRACE_MS = 15_000;

export class HttpWallet {
  /** It holds a request all the time: a stream, or a poll that waits. */
  held = false;

  #typed;
  #id;
  #cursor;
  #owner;
  #abort = new AbortController();
  #ended = false;
  #silenceMs = 2000 * PING_SECONDS_USUAL + GRACE_MS;

  /**
   * `typed` is the key as the user wrote it, `id` that of its subscribe, `cursor` where to resume from ("epoch:rev")
   * or null. `owner`: `{api, timers, received(frame, wallet, cursor), accepted()}`.
   */
  constructor(wallet, typed, id, cursor, owner) {
    this.wallet = wallet;
    this.#typed = typed;
    this.#id = id;
    this.#cursor = cursor;
    this.#owner = owner;
  }

  /** Its subscribe has had its reply. */
  get answered() {
    return this.#id === null;
  }

  /** It is over, by the server's word or by `stop`. */
  get ended() {
    return this.#ended || this.#abort.signal.aborted;
  }

  stop() {
    this.#abort.abort();
  }

  // Server-Sent Events

  /** Reads the stream until the wallet is over; throws what else ends it. */
  async stream() {
    const headers = { Accept: "text/event-stream" };
    if (this.#cursor !== null) headers["Last-Event-ID"] = this.#cursor;
    const response = await within(this.#owner.timers, this.#timer, FIRST_EVENT_MS, this.#abort.signal, (signal) =>
      this.#owner.api.request("GET", `${walletPath(this.#typed)}/stream`, undefined, { headers, signal }));
    if (!(await this.#check(response))) return;
    if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) throw unusable("no event stream");
    const parser = new EventStreamParser();
    try {
      await this.#read(response.body.getReader(), parser);
      if (!this.ended) throw lost("the stream ended");
    } catch (error) {
      error.retryMs ??= parser.retryMs;
      throw error;
    }
  }

  async #read(reader, parser) {
    const decoder = new TextDecoder();
    let silent = null;
    const stop = () => reader.cancel().catch(() => {});
    const watch = (ms, error) => this.#owner.timers.schedule(this.#timer, ms, () => {
      silent = error;
      stop();
    });
    watch(FIRST_EVENT_MS, unusable("the stream is held back"));
    this.#abort.signal.addEventListener("abort", stop);
    try {
      while (!this.#abort.signal.aborted) {
        const { done, value } = await reader.read().catch(() => ({ done: true }));
        if (silent !== null) throw silent;
        if (done) return;
        for (const { data, id } of parser.push(decoder.decode(value, { stream: true }))) this.#take(parse(data), id);
        watch(this.#silenceMs, lost("no sign of life"));
      }
    } finally {
      this.#owner.timers.cancel(this.#timer);
      this.#abort.signal.removeEventListener("abort", stop);
      stop();
    }
  }

  // Polling

  /** One poll, waiting up to `wait` seconds for news; whether it brought any. The first does not wait. */
  async poll(wait) {
    const query = new URLSearchParams({ wait: String(this.answered ? wait : 0) });
    if (this.#cursor !== null) query.set("since", this.#cursor);
    const path = `${walletPath(this.#typed)}/changes?${query}`;
    const ms = wait * 1000 + POLL_GRACE_MS;
    const answer = await within(this.#owner.timers, this.#timer, ms, this.#abort.signal, async (signal) => {
      const response = await this.#owner.api.request("GET", path, undefined, { signal });
      return (await this.#check(response)) ? response.json() : null;
    });
    if (answer === null || this.ended) return false;
    if (!Array.isArray(answer.changes)) throw unusable("no list of changes");
    for (const frame of answer.changes) this.#take(isObject(frame) ? frame : null, null);
    const { epoch, rev } = answer;
    this.#take({ type: "heartbeat", epoch, rev }, `${epoch}:${rev}`);
    return answer.changes.length > 0 && answer.changes.every((frame) => frame?.type !== "snapshot");
  }

  // What both share

  get #timer() {
    return `wallet ${this.wallet}`;
  }

  /** Whether it may be read. What is about this wallet alone is told as its refusal; all else is thrown. */
  async #check(response) {
    if (response.ok) return true;
    const refused = refusal(response, await response.json().catch(() => null));
    // A refusal without our code is that of something in between.
    const ours = !refused.code.startsWith("http_");
    if (!ours || ![400, 403].includes(response.status)) {
      throw Object.assign(refused, { unusable: response.status < 500 && ![401, 408, 429].includes(response.status) });
    }
    this.#ended = true;
    const { wallet } = this;
    const { code, message } = refused;
    if (this.answered) this.#owner.received({ type: "status", wallet, state: "forbidden" }, wallet, null);
    else this.#reply({ wallets: [], failed: [{ wallet, code, message }] });
    return false;
  }

  /** The reply to its subscribe, once. An event stream brings its own `ok`. */
  #reply(ok) {
    const id = this.#id;
    this.#id = null;
    const resumed = this.#cursor === null ? {} : { resumed: true };
    this.#owner.received({ type: "ok", wallets: [this.wallet], failed: [], ...resumed, ...ok, id }, this.wallet, null);
  }

  #take(frame, cursor) {
    if (frame === null || this.#abort.signal.aborted) return;
    this.#owner.accepted();
    switch (frame.type) {
      case "hello":
        if (frame.ping_s > 0) this.#silenceMs = 2000 * frame.ping_s + GRACE_MS;
        return;
      case "ok":
        if (frame.wallets?.length === 0) this.#ended = true;
        if (!this.answered) this.#reply(frame);
        return;
      // A stream cannot close with 4101 when the token ends.
      case "error": if (frame.code === "unauthorized") throw Object.assign(lost(frame.message), { status: 401 }); break;
      case "status": if (frame.state === "deleted") this.#ended = true; break;
    }
    if (!this.answered) this.#reply({});
    if (cursor !== null) this.#cursor = cursor;
    this.#owner.received(frame, this.wallet, cursor);
  }
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return isObject(frame) ? frame : null;
  } catch {
    return null;
  }
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
