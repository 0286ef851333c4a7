// The protocol without a WebSocket: ops become HTTP calls, and frames come as Server-Sent Events or by polling.
//
// It speaks to its owner as socket-transport.js does, with two differences:
//   - each wallet has a stream, and so an order and a cursor, of its own (`perWallet`): `received(frame, origin)`
//     names them, `{wallet, cursor}`; `cursor` is "epoch:rev" where one may resume from here, else null. The answer
//     of a `get` has the origin `{wallet: null}`: it belongs to no stream;
//   - `closed({code, reason, retryMs, unusable})`: `unusable` says that the server answers, but not this way.
//
// Browsers open six connections to a host over HTTP/1.1, in all tabs together. So only the first wallets hold a
// request each; the others are asked in turn.

import { ENVIRONMENT, Timers } from "./environment.js";
import { WalletPushError } from "./errors.js";
import { HttpApi, refusal, walletPath, within } from "./http-api.js";
import { HttpWallet } from "./http-wallet.js";
import { canonicalWallet } from "./keys.js";
import { ABNORMAL, PROTOCOL } from "./socket-transport.js";

const HELD_MAX = 4;
const PROBE_MS = 10_000;
const POLL_WAIT_S = 25;
/** Between polls that bring something, between those that bring nothing, and in the round of those that wait. */
const PAUSE_MS = 250;
const PAUSE_IDLE_MS = 1_000;
const ROUND_MS = 5_000;

export class HttpTransport {
  perWallet = true;

  #handlers;
  #environment;
  #timers;
  #api;
  #abort = new AbortController();
  #open = true;
  /** Canonical key → HttpWallet, in the order of subscribing. */
  #watched = new Map();
  #hasToken = false;
  #accepted = false;
  #circling = false;
  /** Ends the rest between two rounds. */
  #wake = () => {};

  /** `kind` is "sse" or "polling"; `root` the server's root, ending in "/". */
  constructor(kind, root, handlers, environment = ENVIRONMENT) {
    this.kind = kind;
    this.#handlers = handlers;
    this.#environment = environment;
    this.#timers = new Timers(environment);
    this.#api = new HttpApi(root, environment);
    this.#run(() => this.#probe());
  }

  send(message) {
    this.#run(() => this.#op(message));
  }

  close() {
    this.#open = false;
    this.#abort.abort();
    this.#timers.cancelAll();
    for (const entry of this.#watched.values()) entry.stop();
    this.#watched.clear();
  }

  // What every step shares

  /** Runs a step; what it throws ends the transport, unless it has ended already. */
  async #run(step) {
    try {
      await step();
    } catch (error) {
      if (this.#open) this.#over(error);
    }
  }

  #over(error) {
    this.close();
    const { message: reason, retryMs: retry, status, unusable = false } = error;
    const retryMs = retry ?? null;
    if (status === 401) {
      // A token that was good before has ended (4101: come back with another); else it was none (4001).
      const expired = this.#accepted && this.#hasToken;
      return this.#handlers.closed({ code: expired ? 4101 : 4001, reason, retryMs, unusable });
    }
    this.#handlers.closed({ code: ABNORMAL, reason, retryMs, unusable });
  }

  #received(frame, wallet = null, cursor = null) {
    if (this.#open) this.#handlers.received(frame, { wallet, cursor });
  }

  /** Is it our server that answers? One that wants a token does so too, by saying so. */
  async #probe() {
    const response = await within(this.#timers, "probe", PROBE_MS, this.#abort.signal, (signal) =>
      this.#api.request("GET", "api/v1/chains", undefined, { signal }));
    await response.body?.cancel();
    if (!response.ok && response.status !== 401) throw Object.assign(refusal(response, null), { unusable: response.status < 500 });
    this.#received({
      type: "hello", protocol: PROTOCOL, server: null, epoch: null, rev: null, ping_s: POLL_WAIT_S, limits: {},
    });
  }

  // Ops

  async #op(message) {
    const { op, id } = message;
    switch (op) {
      case "subscribe": return this.#subscribe(message);
      case "unsubscribe":
        for (const key of message.wallets ?? []) this.#unwatch(key);
        break;
      case "auth":
        this.#hasToken = true;
        this.#accepted = false;
        this.#api.setToken(message.token);
        break;
      case "refresh": return this.#answer(id, () => this.#api.json("POST", `${walletPath(message.wallet)}/refresh_balances`));
      case "get": return this.#get(message);
      case "list": return this.#received({ type: "ok", id, wallets: [...this.#watched.keys()], tokens: [] });
      case "ping": return this.#ping(id);
    }
    this.#received({ type: "ok", id });
  }

  /** Replies to `id` with `ok` once `call` is through, else with its error. */
  async #answer(id, call) {
    try {
      const answer = await call();
      this.#received({ type: "ok", id });
      return answer;
    } catch (error) {
      if (!(error instanceof WalletPushError) || error.status === 401) throw error;
      const { code, message, retryMs } = error;
      this.#received({ type: "error", id, code, message, ...(retryMs === null ? {} : { retry_ms: retryMs }) });
      return null;
    }
  }

  async #get({ id, wallet }) {
    const snapshot = await this.#answer(id, () => this.#api.json("GET", `${walletPath(wallet)}/balances`));
    if (snapshot !== null) this.#received({ part: 1, parts: 1, ...snapshot, type: "snapshot" });
  }

  async #ping(id) {
    const response = await this.#api.request("GET", "healthz", undefined, { signal: this.#abort.signal });
    await response.body?.cancel();
    this.#received({ type: "pong", id, time: null });
  }

  /** One wallet a message: its `ok` comes with the head of its first answer. Tokens alone have no HTTP stream. */
  async #subscribe({ id, wallets: [typed] = [], since = null }) {
    const key = typed === undefined ? null : canonicalWallet(typed);
    if (key === null) return this.#received({ type: "ok", id, tokens: [], wallets: [], failed: [] });
    this.#unwatch(key);
    this.#watched.set(key, new HttpWallet(key, typed, id, since, {
      api: this.#api,
      timers: this.#timers,
      received: (frame, wallet, cursor) => this.#received(frame, wallet, cursor),
      accepted: () => { this.#accepted = true; },
    }));
    this.#assign();
  }

  #unwatch(key) {
    const entry = this.#watched.get(key);
    if (entry === undefined) return;
    this.#watched.delete(key);
    entry.stop();
    this.#assign();
  }

  /** The first wallets hold a request each, the others go round. */
  #assign() {
    if (!this.#open) return;
    let held = 0;
    let waiting = false;
    for (const entry of this.#watched.values()) {
      if (entry.held) held += 1;
      else if (held < HELD_MAX) {
        held += 1;
        entry.held = true;
        this.#run(() => this.#hold(entry));
      } else waiting = true;
    }
    if (!waiting) return;
    if (this.#circling) this.#wake();
    else this.#run(() => this.#circle());
  }

  async #hold(entry) {
    await this.#untilEnded(entry, async () => {
      if (this.kind === "sse") await entry.stream();
      else while (this.#isWatched(entry)) await this.#pause(entry, await entry.poll(POLL_WAIT_S));
    });
  }

  /** A step of the wallet; what it throws counts only while the wallet is watched. */
  async #untilEnded(entry, step) {
    try {
      await step();
    } catch (error) {
      if (this.#isWatched(entry)) throw error;
    }
    if (this.#open && entry.ended && this.#watched.get(entry.wallet) === entry) this.#unwatch(entry.wallet);
  }

  #isWatched(entry) {
    return this.#open && !entry.ended && this.#watched.get(entry.wallet) === entry;
  }

  // Polling

  /** A proxy may answer at once for a server that would wait. */
  #pause(entry, news) {
    if (!this.#isWatched(entry)) return null;
    const ms = news ? PAUSE_MS : PAUSE_IDLE_MS;
    return new Promise((resolve) => this.#timers.schedule(`pause ${entry.wallet}`, ms, resolve));
  }

  /** Asks those that hold no request, one after the other, rests, and asks again. */
  async #circle() {
    this.#circling = true;
    const others = () => [...this.#watched.values()].filter(({ held }) => !held);
    while (others().length > 0) {
      // Who has had no answer yet does not wait for the next round.
      const fresh = others().filter(({ answered }) => !answered);
      if (fresh.length === 0) {
        await new Promise((resolve) => {
          this.#wake = resolve;
          this.#timers.schedule("round", ROUND_MS, resolve);
        });
      }
      for (const entry of fresh.length > 0 ? fresh : others()) {
        if (this.#isWatched(entry) && !entry.held) await this.#untilEnded(entry, () => entry.poll(0));
      }
    }
    this.#circling = false;
  }
}
