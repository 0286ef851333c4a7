// A small client for the `walletpush.v1` protocol, without dependencies.
//
//   const client = new WalletPushClient("ws://127.0.0.1:8080/ws");
//   client.addEventListener("change", ({ detail }) => console.log(detail));
//   client.subscribe({ wallets: ["ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"] });
//   client.connect();
//
// Subscriptions are wishes: they outlive connections. The client comes back by itself with exponential back-off
// and jitter, resumes what may be resumed, and obeys the server's close codes.
//
// Events (all CustomEvents; what is named is `detail`):
//   connection  {state: "connecting"} · {state: "live", hello} · {state: "waiting", code, reason, retryAt}
//               · {state: "closed", code, reason}: the server does not want us back unchanged
//   resumed     {resumed, changed}: the answer to a subscribe with `since`
//   change      the list `applyFrame` (state.js) answered
//   refused     {key, code, message}: a wallet or token the server did not take, or gives no longer
//   deleted     {wallet}: deleted on the server; the subscription is over
//   auth        {state: "accepted"} · {state: "expiring", at} · {state: "refused", code, message}
//   problem     {code, message}: an error that answers no call of ours

import { Connection } from "./connection.js";
import { canonicalToken, canonicalWallet } from "./keys.js";
import { ResumeTracker } from "./resume.js";
import {
  addToken, addWallet, applyFrame, applyVisibility, connectionLost, createState, removeToken, removeWallet,
} from "./state.js";

/** An op the server refused (`code` as in the protocol), or one that got no reply (`code` "disconnected"). */
export class WalletPushError extends Error {
  constructor({ code, message, retry_ms }) {
    super(message ?? code);
    this.code = code;
    this.retryMs = retry_ms ?? null;
  }
}

export class WalletPushClient extends EventTarget {
  /** What is known, see state.js. Read it, don't change it. */
  state = createState();

  #connection;
  #tracker = new ResumeTracker();
  #settings;
  #token;
  #authorized = false;
  #replies = new Map();
  #snapshots = new Map();
  #nextId = 1;

  /**
   * `url` is the server's `/ws`; `settings` (`{rate, batch}`) go with every subscribe; `token` is an access
   * token; `environment` is for tests (connection.js).
   */
  constructor(url, { settings = {}, token = null, environment } = {}) {
    super();
    this.#settings = { ...settings };
    this.#token = token;
    this.#connection = new Connection(url, {
      connecting: () => this.#emit("connection", { state: "connecting" }),
      greeted: (hello) => this.#greeted(hello),
      received: (frame) => this.#received(frame),
      ended: () => this.#ended(),
      waiting: (detail) => this.#emit("connection", { state: "waiting", ...detail }),
      closed: (detail) => this.#emit("connection", { state: "closed", ...detail }),
    }, environment);
  }

  get connected() {
    return this.#connection.hello !== null;
  }

  /** Opens the connection, at once even when it waits for the next attempt. */
  connect() {
    this.#connection.open();
  }

  /** Closes until `connect`. */
  disconnect() {
    this.#connection.close();
  }

  /** An access token, for now and for later connections; null for none. */
  setToken(token) {
    this.#token = token;
    if (this.connected && token !== null) this.#authorize();
  }

  /** Watches wallets (`CHAIN:0x…`, any letter case) and prices of tokens. Refusals come as `refused`. */
  subscribe({ wallets = [], tokens = [] }) {
    const wished = [
      { wallets: wallets.filter((text) => this.#wish("wallets", text)) },
      { tokens: tokens.filter((text) => this.#wish("tokens", text)) },
    ];
    if (!this.#ready) return;
    // As typed, not canonical: a checksummed address lets the server find typing errors.
    for (const message of wished) if (Object.values(message)[0].length > 0) this.#sendSubscribe(message);
  }

  /** Ends what it names (canonical keys). Its state is forgotten at once. */
  unsubscribe({ wallets = [], tokens = [] }) {
    for (const key of wallets) this.#forget("wallets", key);
    for (const key of tokens) this.#forget("tokens", key);
    if (!this.#ready) return;
    if (wallets.length > 0) this.#request({ op: "unsubscribe", wallets }).catch(() => {});
    if (tokens.length > 0) this.#request({ op: "unsubscribe", tokens }).catch(() => {});
  }

  /** Reads the chain now. Rejects with `cooldown` and `retryMs` while it cools down. */
  refresh(wallet) {
    return this.#request({ op: "refresh", wallet });
  }

  /** What the connection is subscribed to, by the server's word. */
  list() {
    return this.#request({ op: "list" });
  }

  /** `{rate, batch}` for this and later connections. */
  set(settings) {
    Object.assign(this.#settings, settings);
    return this.#request({ op: "set", ...settings });
  }

  /** One whole snapshot, parts joined, without a subscription. */
  get(wallet) {
    const key = canonicalWallet(wallet) ?? wallet;
    const pending = this.#snapshots.get(key) ?? { tokens: [], waiters: new Set() };
    this.#snapshots.set(key, pending);
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      pending.waiters.add(waiter);
      this.#request({ op: "get", wallet }).catch((error) => {
        pending.waiters.delete(waiter);
        if (pending.waiters.size === 0 && this.#snapshots.get(key) === pending) this.#snapshots.delete(key);
        reject(error);
      });
    });
  }

  /** Takes the row that `PATCH …/tokens/{address}` answered. */
  takeVisibility(wallet, answer) {
    this.#changed(applyVisibility(this.state, wallet, answer));
  }

  // Subscriptions

  /** False, and `refused`, for what no server could take. */
  #wish(kind, text) {
    const key = (kind === "wallets" ? canonicalWallet : canonicalToken)(text);
    if (key === null) {
      const code = kind === "wallets" ? "bad_wallet" : "bad_token";
      this.#emit("refused", { key: text, code, message: "not an address on a chain" });
      return false;
    }
    this.#tracker.add(kind, key);
    (kind === "wallets" ? addWallet : addToken)(this.state, key);
    return true;
  }

  #forget(kind, key) {
    this.#tracker.remove(kind, key);
    (kind === "wallets" ? removeWallet : removeToken)(this.state, key);
  }

  /** With an access token, nothing but `auth` may be sent before its `ok`. */
  get #ready() {
    return this.connected && (this.#token === null || this.#authorized);
  }

  #subscribeAll() {
    for (const { wallets, tokens, since } of this.#tracker.plan()) {
      const message = wallets.length > 0 ? { wallets } : { tokens };
      this.#sendSubscribe(since === undefined ? message : { ...message, since });
    }
  }

  async #sendSubscribe(message) {
    const { generation } = this.#connection;
    this.#tracker.subscribeSent();
    try {
      await this.#request({ op: "subscribe", ...this.#settings, ...message }, (ok) => this.#subscribed(ok));
    } catch (error) {
      if (generation !== this.#connection.generation) return;
      this.#tracker.subscribeRefused();
      this.#subscribeFailed(message, error);
    }
  }

  /** Runs in the very turn of the `ok`: the frames behind it must find the entries confirmed. */
  #subscribed(reply) {
    this.#tracker.subscribeAnswered(reply);
    for (const { wallet, token, code, message } of reply.failed ?? []) {
      const key = token === undefined ? canonicalWallet(wallet) : canonicalToken(token);
      if (key !== null) this.#forget(token === undefined ? "wallets" : "tokens", key);
      this.#emit("refused", { key: key ?? wallet ?? token, code, message });
    }
    if (reply.resumed !== undefined) {
      this.#emit("resumed", { resumed: reply.resumed, changed: reply.changed ?? 0 });
    }
  }

  /** Temporary errors carry `retry_ms`: ask again then, for what is still wished. */
  #subscribeFailed(message, error) {
    if (error.retryMs === null) {
      this.#emit("problem", { code: error.code, message: error.message });
      return;
    }
    this.#connection.later(error.retryMs, () => {
      const wallets = message.wallets?.filter((text) => this.#tracker.has("wallets", canonicalWallet(text)));
      const tokens = message.tokens?.filter((text) => this.#tracker.has("tokens", canonicalToken(text)));
      if ((wallets ?? tokens).length > 0) this.#sendSubscribe({ ...message, wallets, tokens });
    });
  }

  // Frames

  #greeted(hello) {
    this.#tracker.connected(hello.epoch);
    this.#emit("connection", { state: "live", hello });
    if (this.#token !== null) this.#authorize();
    else this.#subscribeAll();
  }

  async #authorize() {
    const renewal = this.#authorized;
    try {
      await this.#request({ op: "auth", token: this.#token });
    } catch (error) {
      if (error.code === "disconnected") return;
      this.#emit("auth", { state: "refused", code: error.code, message: error.message });
      return;
    }
    this.#authorized = true;
    this.#emit("auth", { state: "accepted" });
    if (!renewal) this.#subscribeAll();
  }

  #received(frame) {
    switch (frame.type) {
      case "ok": case "pong": case "error": return this.#replied(frame);
      case "snapshot": this.#collect(frame); break;
      case "status":
        if (frame.auth !== undefined) return this.#emit("auth", { state: frame.auth, at: frame.at });
        if (frame.state === "deleted") {
          this.#tracker.remove("wallets", frame.wallet);
          this.#emit("deleted", { wallet: frame.wallet });
        }
        if (frame.state === "forbidden") return this.#forbidden(frame.wallet);
        break;
    }
    this.#tracker.receive(frame);
    this.#changed(applyFrame(this.state, frame));
  }

  /** A newer access token does not grant it. */
  #forbidden(key) {
    this.#forget("wallets", key);
    this.#emit("refused", { key, code: "forbidden", message: "the access token does not grant this wallet" });
  }

  #replied(frame) {
    const reply = this.#replies.get(frame.id);
    if (reply === undefined) {
      if (frame.type === "error") this.#emit("problem", { code: frame.code, message: frame.message });
      return;
    }
    this.#replies.delete(frame.id);
    if (frame.type === "error") return reply.reject(new WalletPushError(frame));
    reply.onOk?.(frame);
    reply.resolve(frame);
  }

  /** Joins the parts of a snapshot somebody waits for with `get`. */
  #collect(frame) {
    const pending = this.#snapshots.get(frame.wallet);
    if (pending === undefined || !Array.isArray(frame.tokens)) return;
    if ((frame.part ?? 1) === 1) pending.tokens = [];
    pending.tokens.push(...frame.tokens);
    if ((frame.part ?? 1) < (frame.parts ?? 1)) return;
    this.#snapshots.delete(frame.wallet);
    for (const { resolve } of pending.waiters) resolve({ ...frame, part: 1, parts: 1, tokens: pending.tokens });
  }

  #ended() {
    this.#tracker.disconnected();
    this.#authorized = false;
    connectionLost(this.state);
    const error = new WalletPushError({ code: "disconnected", message: "the connection ended" });
    for (const { reject } of this.#replies.values()) reject(error);
    this.#replies.clear();
    for (const { waiters } of this.#snapshots.values()) for (const { reject } of waiters) reject(error);
    this.#snapshots.clear();
  }

  /** Sends an op. `onOk` runs in the turn of its `ok`, before any frame behind it is looked at. */
  #request(message, onOk = null) {
    if (!this.connected) {
      return Promise.reject(new WalletPushError({ code: "disconnected", message: "not connected" }));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { resolve, reject, onOk });
      this.#connection.send({ ...message, id });
    });
  }

  #changed(changes) {
    if (changes.length > 0) this.#emit("change", changes);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
