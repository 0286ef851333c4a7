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
import { EventStreamParser } from "./event-stream.js";
import { HttpApi, refusal, walletPath } from "./http-api.js";
import { canonicalWallet } from "./keys.js";
import { ABNORMAL, PROTOCOL } from "./socket-transport.js";

const HELD_MAX = 4;
const PROBE_MS = 10_000;
/** A proxy that holds back what streams through it is found out by this. */
const FIRST_EVENT_MS = 10_000;
/** The server writes at least every `ping_s`; twice that and some grace is a dead connection. */
const GRACE_MS = 5_000;
const SILENCE_MS = 2 * 25_000 + GRACE_MS;
const POLL_WAIT_S = 25;
const POLL_GRACE_MS = 15_000;
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
  /** Canonical key → {wallet, typed, id, cursor, abort, held, deleted, silenceMs}, in the order of subscribing. */
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
    for (const { abort } of this.#watched.values()) abort.abort();
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
    const { code = "", message: reason, retryMs: retry, status, unusable = false } = error;
    const retryMs = retry ?? null;
    if (status === 401) {
      // A token that was good before has ended (4101: come back with another); else it was none (4001).
      const expired = this.#accepted && this.#hasToken;
      return this.#handlers.closed({ code: expired ? 4101 : 4001, reason, retryMs, unusable });
    }
    const down = code === "unreachable";
    this.#handlers.closed({ code: ABNORMAL, reason, retryMs, unusable: unusable && !down });
  }

  #received(frame, wallet = null, cursor = null) {
    if (this.#open) this.#handlers.received(frame, { wallet, cursor });
  }

  /** `job(signal)`, given up as unusable after `ms`. */
  async #within(ms, name, signal, job) {
    const limit = new AbortController();
    const stop = () => limit.abort();
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
    this.#timers.schedule(name, ms, stop);
    try {
      return await job(limit.signal);
    } catch (error) {
      if (!signal.aborted && limit.signal.aborted) throw unusable("no answer in time");
      throw error;
    } finally {
      this.#timers.cancel(name);
      signal.removeEventListener("abort", stop);
    }
  }

  /** Is it our server that answers? One that wants a token does so too, by saying so. */
  async #probe() {
    const response = await this.#within(PROBE_MS, "probe", this.#abort.signal, (signal) =>
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
    const entry = {
      wallet: key, typed, id, cursor: since, abort: new AbortController(), held: false, deleted: false, silenceMs: SILENCE_MS,
    };
    this.#watched.set(key, entry);
    this.#assign();
  }

  #unwatch(key) {
    const entry = this.#watched.get(key);
    if (entry === undefined) return;
    this.#watched.delete(key);
    entry.abort.abort();
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

  /** The reply to the subscribe of `entry`, once. An event stream brings its own `ok`. */
  #reply(entry, ok = null) {
    const { id, wallet, cursor } = entry;
    entry.id = null;
    this.#accepted = true;
    const own = { type: "ok", wallets: [wallet], failed: [], ...(cursor === null ? {} : { resumed: true }) };
    this.#received({ ...own, ...ok, id });
  }

  /** The server does not give this wallet, or no longer. */
  #refused(entry, { code, message }) {
    const { id, wallet } = entry;
    this.#unwatch(wallet);
    if (id === null) return this.#received({ type: "status", wallet, state: "forbidden" }, wallet);
    this.#received({ type: "ok", id, wallets: [], failed: [{ wallet, code, message }] });
  }

  /** Whether it may be read. What is about this wallet alone is told as its refusal; all else is thrown. */
  async #check(entry, response) {
    if (response.ok) return true;
    const refused = refusal(response, await response.json().catch(() => null));
    if (response.status === 400 || response.status === 403) {
      this.#refused(entry, refused);
      return false;
    }
    throw Object.assign(refused, { unusable: response.status === 404 || response.status === 405 });
  }

  async #hold(entry) {
    try {
      if (this.kind === "sse") await this.#stream(entry);
      else while (this.#isWatched(entry)) await this.#pause(entry, await this.#poll(entry, POLL_WAIT_S));
    } catch (error) {
      if (this.#isWatched(entry)) throw error;
    }
  }

  #isWatched(entry) {
    return this.#open && this.#watched.get(entry.wallet) === entry;
  }

  // Server-Sent Events

  async #stream(entry) {
    const headers = { Accept: "text/event-stream" };
    if (entry.cursor !== null) headers["Last-Event-ID"] = entry.cursor;
    const timer = `stream ${entry.wallet}`;
    const path = `${walletPath(entry.typed)}/stream`;
    const response = await this.#within(FIRST_EVENT_MS, timer, entry.abort.signal, (signal) =>
      this.#api.request("GET", path, undefined, { headers, signal }));
    if (!(await this.#check(entry, response))) return;
    if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) throw unusable("no event stream");
    const parser = new EventStreamParser();
    try {
      await this.#read(entry, response.body.getReader(), parser, timer);
      if (entry.deleted) this.#unwatch(entry.wallet);
      if (this.#isWatched(entry)) throw lost("the stream ended");
    } catch (error) {
      error.retryMs ??= parser.retryMs;
      throw error;
    }
  }

  async #read(entry, reader, parser, timer) {
    const decoder = new TextDecoder();
    let silent = null;
    const stop = () => reader.cancel().catch(() => {});
    const watch = (ms, error) => this.#timers.schedule(timer, ms, () => {
      silent = error;
      stop();
    });
    watch(FIRST_EVENT_MS, unusable("the stream is held back"));
    entry.abort.signal.addEventListener("abort", stop);
    try {
      while (this.#isWatched(entry)) {
        const { done, value } = await reader.read().catch(() => ({ done: true }));
        if (silent !== null) throw silent;
        if (done) return;
        for (const { data, id } of parser.push(decoder.decode(value, { stream: true }))) this.#take(entry, parse(data), id);
        watch(entry.silenceMs, lost("no sign of life"));
      }
    } finally {
      this.#timers.cancel(timer);
      entry.abort.signal.removeEventListener("abort", stop);
      stop();
    }
  }

  #take(entry, frame, cursor) {
    if (frame === null || !this.#isWatched(entry)) return;
    switch (frame.type) {
      case "hello":
        if (frame.ping_s > 0) entry.silenceMs = 2000 * frame.ping_s + GRACE_MS;
        return;
      case "ok":
        if (entry.id !== null) this.#reply(entry, frame);
        if (frame.wallets?.length === 0) this.#unwatch(entry.wallet);
        return;
      // A stream cannot say 4101 when the token ends.
      case "error": if (frame.code === "unauthorized") throw Object.assign(lost(frame.message), { status: 401 }); break;
      case "status": if (frame.state === "deleted") entry.deleted = true; break;
    }
    if (entry.id !== null) this.#reply(entry);
    if (cursor !== null) entry.cursor = cursor;
    this.#received(frame, entry.wallet, cursor);
  }

  // Polling

  /** One poll, waiting up to `wait` seconds for news; whether it brought any. */
  async #poll(entry, wait) {
    const query = new URLSearchParams({ wait: String(entry.id === null ? wait : 0) });
    if (entry.cursor !== null) query.set("since", entry.cursor);
    const ms = wait * 1000 + POLL_GRACE_MS;
    const answer = await this.#within(ms, `poll ${entry.wallet}`, entry.abort.signal, async (signal) => {
      const response = await this.#api.request(
        "GET", `${walletPath(entry.typed)}/changes?${query}`, undefined, { signal });
      return (await this.#check(entry, response)) ? response.json() : null;
    });
    if (answer === null || !this.#isWatched(entry)) return false;
    if (!Array.isArray(answer.changes)) throw unusable("no list of changes");
    for (const frame of answer.changes) this.#take(entry, isObject(frame) ? frame : null, null);
    this.#take(entry, { type: "heartbeat", epoch: answer.epoch, rev: answer.rev }, `${answer.epoch}:${answer.rev}`);
    if (entry.deleted) this.#unwatch(entry.wallet);
    return answer.changes.length > 0 && answer.changes.every((frame) => frame?.type !== "snapshot");
  }

  /** A proxy may answer at once for a server that would wait. */
  #pause(entry, news) {
    const ms = news ? PAUSE_MS : PAUSE_IDLE_MS;
    return new Promise((resolve) => this.#timers.schedule(`pause ${entry.wallet}`, ms, resolve));
  }

  async #ask(entry) {
    if (!this.#isWatched(entry) || entry.held) return;
    try {
      await this.#poll(entry, 0);
    } catch (error) {
      if (this.#isWatched(entry)) throw error;
    }
  }

  /** Asks those that hold no request, one after the other, rests, and asks again. */
  async #circle() {
    this.#circling = true;
    const others = () => [...this.#watched.values()].filter(({ held }) => !held);
    while (others().length > 0) {
      // Who has had no answer yet does not wait for the next round.
      const fresh = others().filter(({ id }) => id !== null);
      if (fresh.length === 0) {
        await new Promise((resolve) => {
          this.#wake = resolve;
          this.#timers.schedule("round", ROUND_MS, resolve);
        });
      }
      for (const entry of fresh.length > 0 ? fresh : others()) await this.#ask(entry);
    }
    this.#circling = false;
  }
}

function unusable(reason) {
  return Object.assign(new WalletPushError({ code: "unusable", message: reason }), { unusable: true });
}

function lost(reason) {
  return new WalletPushError({ code: "lost", message: reason });
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
