// A client for the `walletpush.v1` protocol, without dependencies, for browsers and Node.
//
//   const client = new WalletPushClient("ws://127.0.0.1:8080/ws");
//   client.addEventListener("change", ({ detail }) => console.log(detail));
//   client.subscribe({ wallets: ["ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"] });
//   client.connect();
//
// Subscriptions are wishes: they outlive connections. The client comes back by itself with exponential back-off
// and jitter, resumes what may be resumed, obeys the server's close codes, and where no WebSocket gets through it
// takes Server-Sent Events, then long-polling, until one does again.
//
// Events (all CustomEvents; what is named is `detail`):
//   connection  {state: "connecting"} · {state: "live", hello, transport} · {state: "waiting", code, reason, retryAt}
//               · {state: "closed", code, reason}: the server does not want us back unchanged
//   resumed     {resumed, changed}: the answer to a subscribe with `since`
//   change      the list `applyFrame` (state.js) answered
//   refused     {key, code, message}: a wallet or token the server did not take, or gives no longer
//   deleted     {wallet}: deleted on the server; the subscription is over
//   auth        {state: "accepted"} · {state: "expiring", at} · {state: "expired"}
//               · {state: "refused", code, message}
//   problem     {code, message}: an error that answers no call of ours
//
// Types with the shapes of all this: walletpush.d.ts.

import { Connection } from "./connection.js";
import { Credentials } from "./credentials.js";
import { WalletPushError } from "./errors.js";
import { Health } from "./health.js";
import { HttpApi } from "./http-api.js";
import { addressOf, canonicalToken, canonicalWallet } from "./keys.js";
import { Requests } from "./requests.js";
import { ResumeTracker } from "./resume.js";
import {
  addToken, addWallet, applyFrame, applyVisibility, connectionLost, createState, removeToken, removeWallet,
} from "./state.js";

export * from "./decimal.js";
export * from "./keys.js";
export { WalletPushError } from "./errors.js";
export { rowShare, rowValue, sumOf, walletTotal } from "./state.js";

const TOKEN_EXPIRED = 4101;

export class WalletPushClient extends EventTarget {
  /** What is known: `{wallets, prices, chains, pricesStale}`, see walletpush.d.ts. Read it, don't change it. */
  state = createState();
  /** `{latencyMs, lagMs, conflating}`, see health.js. `ping` measures. */
  health = new Health();

  #environment;
  #connection;
  #api;
  #requests = new Requests((message) => this.#connection.send(message));
  #tracker = new ResumeTracker();
  #settings;
  #credentials;
  #authorized = false;

  /**
   * `url` is the server's `/ws`, or its root by http(s). Options: `settings` (`{rate, batch}`) go with every
   * subscribe; `token` is an access token, or a function `(why) => token` that may be asynchronous and is asked
   * before the first connection ("connect"), before the token ends ("expiring") and after ("expired");
   * `transports` are those to take, of "websocket", "sse", "polling"; `environment` is for tests (environment.js).
   */
  constructor(url, { settings = {}, token = null, transports, environment = {} } = {}) {
    super();
    this.#environment = { now: () => Date.now(), ...environment };
    this.#settings = { ...settings };
    const addresses = addressesOf(url);
    this.#api = new HttpApi(addresses.root, environment.fetch === undefined ? undefined : environment);
    this.#credentials = new Credentials(token, (kept) => this.#api.setToken(kept));
    this.#connection = new Connection(addresses, {
      connecting: () => this.#emit("connection", { state: "connecting" }),
      greeted: (hello) => this.#greeted(hello),
      received: (frame, origin) => this.#received(frame, origin),
      ended: (detail) => this.#ended(detail),
      waiting: (detail) => this.#emit("connection", { state: "waiting", ...detail }),
      closed: (detail) => this.#emit("connection", { state: "closed", ...detail }),
    }, transports, environment);
  }

  get connected() {
    return this.#connection.hello !== null;
  }

  /** "websocket", "sse" or "polling"; null while not connected. */
  get transport() {
    return this.#connection.transport;
  }

  /** Opens the connection, at once even when it waits for the next attempt. */
  connect() {
    this.#connection.open();
  }

  /** Closes until `connect`: no socket, no request and no timer is left. Subscriptions and state stay. */
  close() {
    this.#connection.close();
  }

  /** An access token, for now and for later connections; null for none. */
  setToken(token) {
    this.#credentials.keep(token);
    if (this.connected && token !== null) this.#authorize(token);
  }

  /** Watches wallets (`CHAIN:0x…`, any letter case) and prices of tokens. Refusals come as `refused`. */
  subscribe({ wallets = [], tokens = [] }) {
    const wished = [
      { wallets: wallets.filter((text) => this.#wish("wallets", text)) },
      { tokens: tokens.filter((text) => this.#wish("tokens", text)) },
    ];
    if (!this.#ready) return;
    // As typed, not canonical: a checksummed address lets the server find typing errors.
    for (const message of wished) this.#sendSubscribe(message);
  }

  /** Ends what it names (any letter case). Its state is forgotten at once. */
  unsubscribe({ wallets = [], tokens = [] }) {
    const ended = {
      wallets: wallets.map(canonicalWallet).filter((key) => this.#forget("wallets", key)),
      tokens: tokens.map(canonicalToken).filter((key) => this.#forget("tokens", key)),
    };
    if (!this.#ready) return;
    for (const [kind, keys] of Object.entries(ended)) {
      if (keys.length > 0) this.#request({ op: "unsubscribe", [kind]: keys }).catch(() => {});
    }
  }

  /** Reads the chain now. Rejects with `cooldown` and `retryMs` while it cools down. */
  async refresh(wallet) {
    await this.#request({ op: "refresh", wallet });
  }

  /** What the connection is subscribed to, by the server's word. */
  async list() {
    const { wallets, tokens } = await this.#request({ op: "list" });
    return { wallets, tokens };
  }

  /** `{rate, batch}` for this and later connections. Without a WebSocket they change nothing for now. */
  async set(settings) {
    Object.assign(this.#settings, settings);
    if (this.connected) await this.#request({ op: "set", ...settings });
  }

  /** One whole snapshot, parts joined, without a subscription. */
  get(wallet) {
    if (!this.connected) return Promise.reject(notConnected());
    return this.#requests.snapshot(wallet, canonicalWallet(wallet) ?? wallet);
  }

  /** Measures the way to the server and back, in milliseconds, and brings `health` up to date. */
  async ping() {
    const sentAt = this.#environment.now();
    const { time } = await this.#request({ op: "ping" });
    const now = this.#environment.now();
    this.health.ponged(sentAt, now, time);
    return now - sentAt;
  }

  /** Hides or shows a token of a wallet, for everybody who watches it. */
  async setVisible(wallet, token, visible) {
    await this.#credentials.have();
    const answer = await this.#api.setVisible(canonicalWallet(wallet) ?? wallet, addressOf(token), visible);
    this.#changed(applyVisibility(this.state, canonicalWallet(wallet), answer));
  }

  /** The chains the server serves: `[{chain, state, since, …}]`. */
  async chains() {
    await this.#credentials.have();
    return this.#api.chains();
  }

  /** A page of the wallets the server knows: `{wallets: [{id, wallet, …}], next}`; `next` is the next `after`. */
  async wallets(page) {
    await this.#credentials.have();
    return this.#api.wallets(page);
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

  /** Whether there was something to forget. */
  #forget(kind, key) {
    const had = this.#tracker.has(kind, key);
    this.#tracker.remove(kind, key);
    (kind === "wallets" ? removeWallet : removeToken)(this.state, key);
    return had;
  }

  /** With an access token, nothing but `auth` may be sent before its `ok`. */
  get #ready() {
    return this.connected && (this.#authorized || this.#credentials.areNone);
  }

  #subscribeAll() {
    const plan = this.#connection.perWallet ? this.#tracker.planEach() : this.#tracker.plan();
    for (const { wallets, tokens, since } of plan) {
      const message = wallets.length > 0 ? { wallets } : { tokens };
      this.#sendSubscribe(since === undefined ? message : { ...message, since });
    }
  }

  #sendSubscribe(message) {
    const { wallets, tokens } = message;
    if ((wallets ?? tokens).length === 0) return;
    if (!this.#connection.perWallet || wallets === undefined) return this.#sendOneSubscribe(message);
    for (const wallet of wallets) this.#sendOneSubscribe({ ...message, wallets: [wallet] });
  }

  async #sendOneSubscribe(message) {
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
      this.#emit("resumed", { resumed: reply.resumed, changed: reply.changed ?? null });
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
      this.#sendSubscribe({ ...message, wallets, tokens });
    });
  }

  // Access tokens

  #greeted(hello) {
    this.#tracker.connected(hello.epoch);
    this.health.reset();
    this.#emit("connection", { state: "live", hello, transport: this.transport });
    if (this.#credentials.areNone) this.#subscribeAll();
    else if (this.#credentials.token !== null) this.#authorize(this.#credentials.token);
    else this.#introduce();
  }

  async #introduce() {
    const { generation } = this.#connection;
    const token = await this.#credentials.have().catch((error) => {
      this.#emit("auth", { state: "refused", code: "no_token", message: String(error?.message ?? error) });
      return undefined;
    });
    if (generation !== this.#connection.generation) return;
    if (token === undefined) this.#connection.abandon("no access token to be had");
    else if (token !== null) this.#authorize(token);
    else {
      // None is needed, says the function.
      this.#authorized = true;
      this.#subscribeAll();
    }
  }

  async #authorize(token) {
    const renewal = this.#authorized;
    try {
      await this.#request({ op: "auth", token });
    } catch (error) {
      if (error.code === "disconnected") return;
      this.#credentials.spoiled(token);
      this.#emit("auth", { state: "refused", code: error.code, message: error.message });
      return;
    }
    this.#authorized = true;
    this.#emit("auth", { state: "accepted" });
    if (!renewal) this.#subscribeAll();
  }

  async #renew() {
    const { generation } = this.#connection;
    const token = await this.#credentials.renewed().catch(() => null);
    if (token !== null && generation === this.#connection.generation) this.setToken(token);
  }

  // Frames

  #received(frame, origin) {
    if (frame.type === "snapshot") this.#requests.collect(frame);
    // The answer of a `get` over HTTP stands in no order to the wallet's stream.
    if (origin?.wallet === null && frame.type === "snapshot") return;
    switch (frame.type) {
      case "ok": case "pong": case "error": return this.#replied(frame);
      case "status":
        if (frame.auth !== undefined) return this.#tokenStatus(frame);
        if (frame.state === "deleted") {
          this.#tracker.remove("wallets", frame.wallet);
          this.#emit("deleted", { wallet: frame.wallet });
        }
        if (frame.state === "forbidden") return this.#forbidden(frame.wallet);
        break;
    }
    this.#measure(frame, origin);
    if (origin === null) this.#tracker.receive(frame);
    else this.#tracker.receiveFrom(origin.wallet, frame, origin.cursor);
    this.#changed(applyFrame(this.state, frame, origin?.wallet ?? null));
  }

  #measure(frame, origin) {
    this.health.received(frame);
    if (origin !== null || !this.#tracker.settled) return;
    const last = frame.type === "batch" && Array.isArray(frame.frames) ? frame.frames.at(-1) : frame;
    if (last?.type === "price") this.health.priced(last.price_at, this.#environment.now());
  }

  #tokenStatus({ auth, at }) {
    this.#emit("auth", { state: auth, at });
    if (auth === "expiring" && this.#credentials.canAsk) this.#renew();
  }

  /** A newer access token does not grant it. */
  #forbidden(key) {
    this.#forget("wallets", key);
    this.#emit("refused", { key, code: "forbidden", message: "the access token does not grant this wallet" });
  }

  #replied(frame) {
    if (this.#requests.replied(frame) || frame.type !== "error") return;
    this.#emit("problem", { code: frame.code, message: frame.message });
  }

  #ended({ code }) {
    this.#tracker.disconnected();
    this.#authorized = false;
    this.health.reset();
    connectionLost(this.state);
    this.#requests.fail(new WalletPushError({ code: "disconnected", message: "the connection ended" }));
    if (code !== TOKEN_EXPIRED) return;
    this.#credentials.expired();
    this.#emit("auth", { state: "expired" });
  }

  #request(message, onOk = null) {
    return this.connected ? this.#requests.request(message, onOk) : Promise.reject(notConnected());
  }

  #changed(changes) {
    if (changes.length > 0) this.#emit("change", changes);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function notConnected() {
  return new WalletPushError({ code: "disconnected", message: "not connected" });
}

/** The addresses of the WebSocket and of all else, from either of them. */
function addressesOf(text) {
  const url = new URL(text);
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  if (url.protocol.startsWith("ws")) {
    const root = new URL(".", url);
    root.protocol = secure ? "https:" : "http:";
    return { socket: url.href, root: root.href };
  }
  const socket = new URL("ws", url);
  socket.protocol = secure ? "wss:" : "ws:";
  return { socket: socket.href, root: new URL(".", url).href };
}
