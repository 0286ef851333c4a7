// The outside world of the library in one object, so that tests can hand it another: sockets, requests, timers,
// the clock and chance.

export const ENVIRONMENT = {
  /** Null where there are no WebSockets (Node before 22): then the library takes the other transports. */
  open: typeof WebSocket === "undefined" ? null : (url, protocols) => new WebSocket(url, protocols),
  fetch: (url, options) => fetch(url, options),
  setTimeout: (job, ms) => setTimeout(job, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  now: () => Date.now(),
  random: () => Math.random(),
};

/** Timers under names: a name runs once at a time, and all of them end together. */
export class Timers {
  #environment;
  #running = new Map();

  constructor(environment) {
    this.#environment = environment;
  }

  /** Runs `job` after `ms`, in place of what was scheduled under `name`. */
  schedule(name, ms, job) {
    this.cancel(name);
    this.#running.set(name, this.#environment.setTimeout(() => {
      this.#running.delete(name);
      job();
    }, ms));
  }

  has(name) {
    return this.#running.has(name);
  }

  cancel(name) {
    if (this.#running.has(name)) this.#environment.clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  cancelAll() {
    for (const name of [...this.#running.keys()]) this.cancel(name);
  }
}
