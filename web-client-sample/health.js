// How far behind the server this client is. Pure: told what came and when.

/** Weight of the newest measurement. */
const WEIGHT = 0.3;

export class Health {
  /** Milliseconds from an op to its reply; null before the first measurement. */
  latencyMs = null;
  /**
   * Milliseconds from the server's acceptance of a price to its arrival here, by the server's clock; null while
   * unknown. It is known after a `ping` over WebSocket, which tells the server's time.
   */
  lagMs = null;
  /** The server conflates for us (`lag`): only the newest values come. */
  conflating = false;

  #offsetMs = null;

  reset() {
    this.latencyMs = this.lagMs = this.#offsetMs = null;
    this.conflating = false;
  }

  /** A reply that came at `now` to a ping sent at `sentAt`; `serverTime` is the server's clock, or null. */
  ponged(sentAt, now, serverTime) {
    const latency = Math.max(0, now - sentAt);
    this.latencyMs = smoothed(this.latencyMs, latency);
    if (Number.isFinite(serverTime)) this.#offsetMs = serverTime - (sentAt + latency / 2);
  }

  received(frame) {
    if (frame.type === "lag") this.conflating = true;
    if (frame.type === "heartbeat") this.conflating = false;
  }

  /** A price that came at `now` as the newest there is (no catch-up: that is old by its nature). */
  priced(priceAt, now) {
    if (this.#offsetMs === null || !Number.isFinite(priceAt)) return;
    this.lagMs = smoothed(this.lagMs, Math.max(0, now + this.#offsetMs - priceAt));
  }
}

function smoothed(before, now) {
  return Math.round(before === null ? now : before + WEIGHT * (now - before));
}
