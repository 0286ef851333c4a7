// Pure: the last frames, bounded, and those of them that a filter lets through.

/** A frame's type, or what else it is. */
export function typeOf(text) {
  try {
    const value = JSON.parse(text);
    const name = value?.type ?? value?.op;
    return typeof name === "string" ? name.slice(0, 24) : "other";
  } catch {
    return "no JSON";
  }
}

export class FrameLog {
  #entries = [];
  #limit;
  #next = 1;
  #dropped = 0;

  /** `limit`: older entries than the last so many are forgotten. */
  constructor(limit) {
    this.#limit = limit;
  }

  /** `way`: "in", "out" or "note". Answers the entry. */
  add(way, text, at) {
    const entry = { number: this.#next, way, text, at, type: way === "note" ? "note" : typeOf(text) };
    this.#next += 1;
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) {
      this.#entries.shift();
      this.#dropped += 1;
    }
    return entry;
  }

  clear() {
    this.#entries = [];
    this.#dropped = 0;
  }

  get count() {
    return this.#entries.length;
  }

  /** How many were forgotten. */
  get dropped() {
    return this.#dropped;
  }

  /** The types there are, in the order of the alphabet. */
  get types() {
    return [...new Set(this.#entries.map(({ type }) => type))].sort();
  }

  /** Entries up to `last` (a number) of this type ("" for all) whose text holds `words`, in any letter case. */
  matching({ type = "", words = "", last = Infinity } = {}) {
    const wanted = words.trim().toLowerCase();
    return this.#entries.filter((entry) => entry.number <= last && (type === "" || entry.type === type)
      && (wanted === "" || entry.text.toLowerCase().includes(wanted)));
  }
}
