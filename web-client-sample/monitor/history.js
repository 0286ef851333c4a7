// Pure: the last answers and the points drawn from them, bounded.

import { isRestarted, point } from "./figures.js";

/** Quantiles are over so long, and ratios. */
const SPAN_MS = 10_000;
const LONG_SPAN_MS = 60_000;

export class History {
  #answers = [];
  #points = [];
  #restarts = [];
  #longestMs;

  /** `longestMs`: older points are forgotten. */
  constructor(longestMs) {
    this.#longestMs = longestMs;
  }

  get points() {
    return this.#points;
  }

  /** When the server was found to be a new process. */
  get restarts() {
    return this.#restarts;
  }

  /** The last answer, or null. */
  get newest() {
    return this.#answers.at(-1)?.stats ?? null;
  }

  /** When the last answer came, or null. */
  get newestAt() {
    return this.#answers.at(-1)?.at ?? null;
  }

  add(at, stats) {
    const last = this.#answers.at(-1);
    if (last !== undefined && isRestarted(last.stats, stats)) {
      this.#answers = [];
      this.#restarts.push(at);
    }
    const now = { at, stats };
    this.#answers.push(now);
    while (this.#answers.length > 2 && this.#answers[1].at <= at - LONG_SPAN_MS) this.#answers.shift();
    const past = this.#answers.slice(0, -1);
    const earlier = past.findLast((answer) => answer.at <= at - SPAN_MS) ?? past[0];
    this.#points.push({ at, values: point(now, past.at(-1) ?? null, earlier ?? null, past[0] ?? null) });
    while (this.#points[0].at < at - this.#longestMs) this.#points.shift();
    while (this.#restarts.length > 0 && this.#restarts[0] < at - this.#longestMs) this.#restarts.shift();
  }
}
