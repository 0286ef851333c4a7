// One WebSocket that comes back: opening, liveness, closing, and the wait between attempts.
//
// It knows the protocol's frame around a connection (`hello`, `reconnect`, close codes) and nothing of wallets.
// Its owner is told through `handlers`:
//   connecting()                            an attempt begins
//   greeted(hello)                          the server's `hello` is here: ops may be sent
//   received(frame)                         every later frame
//   ended()                                 the connection is gone (called before waiting or closed)
//   waiting({code, reason, retryAt})        it comes back at `retryAt` (Unix ms)
//   closed({code, reason})                  it stays away until `open`

export const PROTOCOL = "walletpush.v1";

const HANDSHAKE_MS = 15_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** A connection that lived this long was a good one: the next back-off starts afresh. */
const STEADY_MS = 10_000;
const WATCH_MS = 2_500;
const GRACE_MS = 5_000;
const PING_SECONDS_USUAL = 25;
/** RFC 6455 §7.4.1: no close frame was received. */
const ABNORMAL = 1006;

const BROWSER = {
  open: (url, protocols) => new WebSocket(url, protocols),
  setTimeout: (job, ms) => setTimeout(job, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
  random: () => Math.random(),
};

export class Connection {
  /** The server's `hello` while connected, else null. */
  hello = null;

  #url;
  #handlers;
  #environment;
  #socket = null;
  #timers = new Map();
  #attempt = 0;
  #announcedRetryMs = null;
  #helloAt = 0;
  #lastFrameAt = 0;
  #lastWatchAt = 0;
  #probed = false;

  /** `environment` replaces `{open, setTimeout, clearTimeout, now, random}` in tests. */
  constructor(url, handlers, environment = {}) {
    this.#url = url;
    this.#handlers = handlers;
    this.#environment = { ...BROWSER, ...environment };
  }

  /** Opens, at once even when it waits for the next attempt. */
  open() {
    if (this.#socket !== null) return;
    this.#cancel("retry");
    this.#open();
  }

  /** Closes until `open`. */
  close() {
    this.#cancel("retry");
    this.#detach()?.close(1000);
    this.#end();
    this.#handlers.closed({ code: 1000, reason: "" });
  }

  send(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  /** Identifies the connection of now: another after each reconnect. */
  get generation() {
    return this.#socket;
  }

  /** Runs `job` after `ms`, unless the connection of now is gone by then. */
  later(ms, job) {
    const socket = this.#socket;
    this.#environment.setTimeout(() => {
      if (socket === this.#socket && this.hello !== null) job();
    }, ms);
  }

  #open() {
    this.#handlers.connecting();
    const socket = this.#environment.open(this.#url, [PROTOCOL]);
    this.#socket = socket;
    this.#announcedRetryMs = null;
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onclose = ({ code, reason }) => {
      this.#detach();
      this.#lost(code, reason);
    };
    this.#schedule("handshake", HANDSHAKE_MS, () => this.#abandon("no answer"));
  }

  #received(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame === null || typeof frame !== "object") return;
    this.#lastFrameAt = this.#environment.now();
    this.#probed = false;
    if (frame.type === "hello") return this.#greeted(frame);
    if (this.hello === null) return;
    if (frame.type === "reconnect" && frame.retry_ms >= 0) this.#announcedRetryMs = frame.retry_ms;
    this.#handlers.received(frame);
  }

  #greeted(hello) {
    if (this.hello !== null) return;
    this.#cancel("handshake");
    this.hello = hello;
    this.#helloAt = this.#lastWatchAt = this.#environment.now();
    this.#schedule("watch", WATCH_MS, () => this.#watch());
    this.#handlers.greeted(hello);
  }

  /**
   * Browsers answer pings unseen, but a server that is there sends a heartbeat after `ping_s` of silence. So
   * silence beyond it is asked (`ping` op), and beyond twice as much it is a dead connection.
   */
  #watch() {
    const now = this.#environment.now();
    const pingMs = this.#pingMs;
    // A page that slept has its frames still queued: give them a moment before judging.
    if (now - this.#lastWatchAt > WATCH_MS * 4) this.#lastFrameAt = Math.max(this.#lastFrameAt, now - 2 * pingMs);
    this.#lastWatchAt = now;
    const silence = now - this.#lastFrameAt;
    if (silence > 2 * pingMs + GRACE_MS) return this.#abandon("no sign of life");
    if (silence > pingMs + GRACE_MS && !this.#probed) {
      this.#probed = true;
      this.send({ op: "ping" });
    }
    this.#schedule("watch", WATCH_MS, () => this.#watch());
  }

  get #pingMs() {
    const seconds = this.hello?.ping_s;
    return (seconds > 0 ? seconds : PING_SECONDS_USUAL) * 1000;
  }

  /** Gives a silent connection up without waiting for its close handshake, which may never come. */
  #abandon(reason) {
    this.#detach()?.close();
    this.#lost(ABNORMAL, reason);
  }

  #detach() {
    const socket = this.#socket;
    if (socket !== null) socket.onmessage = socket.onclose = null;
    this.#socket = null;
    return socket;
  }

  #lost(code, reason) {
    const steady = this.hello !== null && this.#environment.now() - this.#helloAt >= STEADY_MS;
    this.#end();
    // 4000–4099: do not come back unchanged. All else, 4100–4199 above all: come back.
    if (code >= 4000 && code <= 4099) {
      this.#attempt = 0;
      this.#handlers.closed({ code, reason });
      return;
    }
    if (steady) this.#attempt = 0;
    const delay = this.#announcedRetryMs ?? this.#backOffMs();
    this.#attempt += 1;
    this.#schedule("retry", delay, () => this.#open());
    this.#handlers.waiting({ code, reason, retryAt: this.#environment.now() + delay });
  }

  /** Doubling up to a cap; half of it is random, so that a crowd does not come back at once. */
  #backOffMs() {
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#attempt, 16));
    return Math.round(ceiling / 2 + (this.#environment.random() * ceiling) / 2);
  }

  #end() {
    this.#cancel("handshake");
    this.#cancel("watch");
    const wasGreeted = this.hello !== null;
    this.hello = null;
    if (wasGreeted) this.#handlers.ended();
  }

  #schedule(name, ms, job) {
    this.#cancel(name);
    this.#timers.set(name, this.#environment.setTimeout(job, ms));
  }

  #cancel(name) {
    if (this.#timers.has(name)) this.#environment.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
