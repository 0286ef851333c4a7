// One WebSocket, from its handshake to its close. Like every transport it opens when it is made and tells its
// owner through `handlers`:
//   received(frame, origin)           a frame; the first is `hello`. `origin` is null: see http-transport.js
//   closed({code, reason})            it is over, once. Whatever comes later is not heard
// and takes ops through `send`. `close` ends it without a word to the handlers.

import { ENVIRONMENT, Timers } from "./environment.js";

export const PROTOCOL = "walletpush.v1";
/** RFC 6455 §7.4.1: no close frame was received. */
export const ABNORMAL = 1006;

/** A proxy that swallows the upgrade without an answer is given up after this long. */
const HANDSHAKE_MS = 10_000;
const WATCH_MS = 2_500;
const GRACE_MS = 5_000;
const PING_SECONDS_USUAL = 25;

export class SocketTransport {
  kind = "websocket";
  /** Frames of one connection are in one order: a cursor serves all subscriptions. */
  perWallet = false;

  #socket = null;
  #handlers;
  #environment;
  #timers;
  #pingMs = null;
  #lastFrameAt = 0;
  #lastWatchAt = 0;
  #probed = false;

  constructor(url, handlers, environment = ENVIRONMENT) {
    this.#handlers = handlers;
    this.#environment = environment;
    this.#timers = new Timers(environment);
    this.#timers.schedule("handshake", HANDSHAKE_MS, () => this.#abandon("no answer"));
    try {
      this.#socket = environment.open(url, [PROTOCOL]);
    } catch (error) {
      // A browser's policy may forbid the very attempt.
      this.#timers.schedule("handshake", 0, () => handlers.closed({ code: ABNORMAL, reason: String(error?.message) }));
      return;
    }
    this.#socket.onmessage = ({ data }) => this.#received(data);
    this.#socket.onclose = ({ code, reason }) => this.#over({ code, reason });
  }

  send(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  close(code = 1000) {
    this.#detach()?.close(code);
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
    if (frame.type === "hello") this.#greeted(frame);
    else if (this.#pingMs !== null) this.#handlers.received(frame, null);
  }

  #greeted(hello) {
    if (this.#pingMs !== null) return;
    this.#pingMs = (hello.ping_s > 0 ? hello.ping_s : PING_SECONDS_USUAL) * 1000;
    this.#timers.cancel("handshake");
    this.#lastWatchAt = this.#environment.now();
    this.#timers.schedule("watch", WATCH_MS, () => this.#watch());
    this.#handlers.received(hello, null);
  }

  /**
   * Browsers answer pings unseen, but a server that is there sends a heartbeat after `ping_s` of silence. So
   * silence beyond it is asked (`ping` op), and beyond twice as much it is a dead connection.
   */
  #watch() {
    const now = this.#environment.now();
    // A page that slept has its frames still queued: give them a moment before judging.
    if (now - this.#lastWatchAt > WATCH_MS * 4) this.#lastFrameAt = Math.max(this.#lastFrameAt, now - 2 * this.#pingMs);
    this.#lastWatchAt = now;
    const silence = now - this.#lastFrameAt;
    if (silence > 2 * this.#pingMs + GRACE_MS) return this.#abandon("no sign of life");
    if (silence > this.#pingMs + GRACE_MS && !this.#probed) {
      this.#probed = true;
      this.send({ op: "ping" });
    }
    this.#timers.schedule("watch", WATCH_MS, () => this.#watch());
  }

  /** Gives a silent connection up without waiting for its close handshake, which may never come. */
  #abandon(reason) {
    this.#socket.close();
    this.#over({ code: ABNORMAL, reason });
  }

  #over(detail) {
    if (this.#detach() !== null) this.#handlers.closed(detail);
  }

  #detach() {
    const socket = this.#socket;
    if (socket !== null) socket.onmessage = socket.onclose = null;
    this.#timers.cancelAll();
    this.#socket = null;
    return socket;
  }
}
