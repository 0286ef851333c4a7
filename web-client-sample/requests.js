// Ops on their way, and the replies they wait for.

import { WalletPushError } from "./errors.js";

export class Requests {
  #send;
  #waiting = new Map();
  #snapshots = new Map();
  #nextId = 1;

  /** `send(message)` puts an op on the wire. */
  constructor(send) {
    this.#send = send;
  }

  /** Sends an op. `onOk` runs in the turn of its `ok`, before any frame behind it is looked at. */
  request(message, onOk = null) {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onOk });
      this.#send({ ...message, id });
    });
  }

  /** Takes a direct reply; false where it answers nothing of ours. */
  replied(frame) {
    const waiter = this.#waiting.get(frame.id);
    if (waiter === undefined) return false;
    this.#waiting.delete(frame.id);
    if (frame.type === "error") {
      waiter.reject(new WalletPushError(frame));
    } else {
      waiter.onOk?.(frame);
      waiter.resolve(frame);
    }
    return true;
  }

  /** One whole snapshot of the wallet with the canonical key `key`, by a `get`. */
  snapshot(wallet, key) {
    const pending = this.#snapshots.get(key) ?? { tokens: [], waiters: new Set() };
    this.#snapshots.set(key, pending);
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      pending.waiters.add(waiter);
      this.request({ op: "get", wallet }).catch((error) => {
        pending.waiters.delete(waiter);
        if (pending.waiters.size === 0 && this.#snapshots.get(key) === pending) this.#snapshots.delete(key);
        reject(error);
      });
    });
  }

  /** Joins the parts of a snapshot somebody waits for. */
  collect(frame) {
    const pending = this.#snapshots.get(frame.wallet);
    if (pending === undefined || !Array.isArray(frame.tokens)) return;
    if ((frame.part ?? 1) === 1) pending.tokens = [];
    pending.tokens.push(...frame.tokens);
    if ((frame.part ?? 1) < (frame.parts ?? 1)) return;
    this.#snapshots.delete(frame.wallet);
    for (const { resolve } of pending.waiters) resolve({ ...frame, part: 1, parts: 1, tokens: pending.tokens });
  }

  /** The connection is gone: nothing will be answered. */
  fail(error) {
    const waiters = [...this.#waiting.values(), ...[...this.#snapshots.values()].flatMap(({ waiters }) => [...waiters])];
    this.#waiting.clear();
    this.#snapshots.clear();
    for (const { reject } of waiters) reject(error);
  }
}
