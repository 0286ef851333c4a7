// A connection that comes back: which transport it takes, when it tries again, and when it stays away.
//
// The ladder. An attempt goes down the transports (WebSocket, Server-Sent Events, polling) until one greets. It
// goes down only where that can help: not when the server gave a close code, not when nothing answers at all, and,
// once a WebSocket has worked, not before the second attempt in a row that fails (a server that restarts refuses
// for a moment). While it lives on a lower rung a WebSocket is tried beside it, ever more rarely, and takes over
// when it is greeted.
//
// It knows the protocol's frame around a connection (`hello`, `reconnect`, close codes) and nothing of wallets.
// Its owner is told through `handlers`:
//   connecting()                            an attempt begins
//   greeted(hello)                          the server's `hello` is here: ops may be sent
//   received(frame, origin)                 every later frame (`origin`: http-transport.js)
//   ended({code})                           the connection is gone (called before waiting or closed)
//   waiting({code, reason, retryAt})        it comes back at `retryAt` (Unix ms)
//   closed({code, reason})                  it stays away until `open`

import { ENVIRONMENT, Timers } from "./environment.js";
import { HttpTransport } from "./http-transport.js";
import { ABNORMAL, SocketTransport } from "./socket-transport.js";

export const TRANSPORTS = ["websocket", "sse", "polling"];

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** A connection that lived this long was a good one: the next back-off starts afresh. */
const STEADY_MS = 10_000;
const RECOVER_FIRST_MS = 15_000;
const RECOVER_MAX_MS = 300_000;
/** setTimeout takes no more; a server that says so is not coming back soon. */
const DELAY_MAX_MS = 2 ** 31 - 1;

export class Connection {
  /** The server's `hello` while connected, else null. */
  hello = null;

  #addresses;
  #handlers;
  #environment;
  #timers;
  #laterTimers;
  #transports;
  /** The transport of now, and the WebSocket that may take over from it. */
  #current = null;
  #candidate = null;
  #rung = 0;
  #attempt = 0;
  #recovery = 0;
  /** The transport that worked last, and how many attempts in a row have failed since. */
  #lastWorking = null;
  #failures = 0;
  #announcedRetryMs = null;
  #helloAt = 0;
  #laters = 0;

  /** `addresses`: `{socket, root}`; `transports`: those to take, in the order of TRANSPORTS. */
  constructor(addresses, handlers, transports = TRANSPORTS, environment = {}) {
    this.#addresses = addresses;
    this.#handlers = handlers;
    this.#environment = { ...ENVIRONMENT, ...environment };
    const has = (kind) => transports.includes(kind) && (kind !== "websocket" || this.#environment.open !== null);
    this.#transports = TRANSPORTS.filter(has);
    if (this.#transports.length === 0) throw new TypeError(`transports: name some that are to be had here, of ${TRANSPORTS.join(", ")}`);
    this.#timers = new Timers(this.#environment);
    this.#laterTimers = new Timers(this.#environment);
  }

  /** Opens, at once even when it waits for the next attempt; on a lower rung it tries the WebSocket at once. */
  open() {
    if (this.#current !== null) {
      if (this.#timers.has("recover")) this.#recover();
      return;
    }
    this.#timers.cancel("retry");
    this.#start();
  }

  /** Closes until `open`. Nothing of it runs on. */
  close() {
    this.#timers.cancelAll();
    this.#discardCandidate();
    this.#current?.close(1000);
    this.#current = null;
    this.#attempt = 0;
    this.#end(1000);
    this.#handlers.closed({ code: 1000, reason: "" });
  }

  /** Gives the connection of now up and comes back after the usual wait. */
  abandon(reason) {
    this.#current?.close(1000);
    this.#lost({ code: ABNORMAL, reason });
  }

  send(message) {
    this.#current?.send(message);
  }

  /** Identifies the connection of now: another after each reconnect. */
  get generation() {
    return this.#current;
  }

  /** "websocket", "sse" or "polling"; null while there is none. */
  get transport() {
    return this.hello === null ? null : this.#current.kind;
  }

  /** See http-transport.js. */
  get perWallet() {
    return this.#current?.perWallet ?? false;
  }

  /** Runs `job` after `ms`, unless the connection of now is gone by then. */
  later(ms, job) {
    this.#laters += 1;
    this.#laterTimers.schedule(this.#laters, Math.min(ms, DELAY_MAX_MS), job);
  }

  // Attempts

  /** Where a WebSocket did not work before, what worked comes first: the WebSocket is tried beside it. */
  #start() {
    this.#rung = this.#failures > 1 ? 0 : Math.max(0, this.#transports.indexOf(this.#lastWorking));
    this.#announcedRetryMs = null;
    this.#handlers.connecting();
    this.#tryRung();
  }

  #tryRung() {
    const kind = this.#transports[this.#rung];
    const transport = this.#make(kind, {
      received: (frame, origin) => this.#received(frame, origin),
      closed: (detail) => this.#lost(detail),
    });
    this.#current = transport;
  }

  #make(kind, handlers) {
    if (kind === "websocket") return new SocketTransport(this.#addresses.socket, handlers, this.#environment);
    return new HttpTransport(kind, this.#addresses.root, handlers, this.#environment);
  }

  #received(frame, origin) {
    if (this.hello === null) {
      if (frame.type === "hello") this.#greeted(frame);
      return;
    }
    if (frame.type === "hello") return;
    if (frame.type === "reconnect" && frame.retry_ms >= 0) this.#announcedRetryMs = frame.retry_ms;
    this.#handlers.received(frame, origin);
  }

  #greeted(hello) {
    this.hello = hello;
    this.#helloAt = this.#environment.now();
    this.#failures = 0;
    this.#lastWorking = this.#current.kind;
    if (this.#current.kind === "websocket") {
      this.#recovery = 0;
    } else if (this.#transports.includes("websocket")) this.#scheduleRecovery();
    this.#handlers.greeted(hello);
  }

  #lost({ code, reason, retryMs = null, unusable = false }) {
    const kind = this.#transports[this.#rung];
    const greeted = this.hello !== null;
    const steady = greeted && this.#environment.now() - this.#helloAt >= STEADY_MS;
    this.#current = null;
    this.#timers.cancel("recover");
    this.#discardCandidate();
    this.#end(code);
    // 4000–4099: do not come back unchanged. All else, 4100–4199 above all: come back.
    if (code >= 4000 && code <= 4099) {
      this.#attempt = 0;
      this.#handlers.closed({ code, reason });
      return;
    }
    if (this.#goesDown(kind, code, greeted, unusable)) {
      this.#rung += 1;
      if (greeted) this.#handlers.connecting();
      this.#tryRung();
      return;
    }
    this.#failures += 1;
    if (steady) this.#attempt = 0;
    this.#wait(code, reason, Math.min(this.#announcedRetryMs ?? retryMs ?? this.#backOffMs(), DELAY_MAX_MS));
  }

  #goesDown(kind, code, greeted, unusable) {
    if (this.#rung + 1 >= this.#transports.length) return false;
    if (kind !== "websocket") return unusable;
    const refusedBefore = this.#lastWorking !== "websocket" || this.#failures > 1;
    return !greeted && code < 4000 && refusedBefore;
  }

  #wait(code, reason, delay) {
    this.#attempt += 1;
    this.#timers.schedule("retry", delay, () => this.#start());
    this.#handlers.waiting({ code, reason, retryAt: this.#environment.now() + delay });
  }

  /** Doubling up to a cap; half of it is random, so that a crowd does not come back at once. */
  #backOffMs() {
    return this.#jittered(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#attempt, 16)));
  }

  #jittered(ceiling) {
    return Math.round(ceiling / 2 + (this.#environment.random() * ceiling) / 2);
  }

  #end(code) {
    const wasGreeted = this.hello !== null;
    this.hello = null;
    this.#laterTimers.cancelAll();
    if (wasGreeted) this.#handlers.ended({ code });
  }

  // Back up the ladder

  #scheduleRecovery() {
    const delay = this.#jittered(Math.min(RECOVER_MAX_MS, RECOVER_FIRST_MS * 2 ** Math.min(this.#recovery, 16)));
    this.#timers.schedule("recover", delay, () => this.#recover());
  }

  #recover() {
    this.#timers.cancel("recover");
    this.#recovery += 1;
    const candidate = this.#make("websocket", {
      received: (frame) => {
        if (frame.type === "hello" && candidate === this.#candidate) this.#takeOver(frame, candidate);
        else if (candidate === this.#current) this.#received(frame, null);
      },
      closed: (detail) => {
        if (candidate === this.#current) return this.#lost(detail);
        this.#candidate = null;
        this.#scheduleRecovery();
      },
    });
    this.#candidate = candidate;
  }

  /** The lower rung goes; its cursors serve the WebSocket. */
  #takeOver(hello, candidate) {
    this.#candidate = null;
    this.#current.close(1000);
    this.#end(1000);
    this.#rung = 0;
    this.#current = candidate;
    this.#received(hello, null);
  }

  #discardCandidate() {
    this.#candidate?.close(1000);
    this.#candidate = null;
  }
}
