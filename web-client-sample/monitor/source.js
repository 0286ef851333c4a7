// Asks /api/v1/stats again and again, one question at a time, and says how that goes. Nothing of the page is known here.

const PERIOD_MS = 1000;
const PATIENCE_MS = 5000;
const PAUSE_LONGEST_MS = 15_000;

/** How long to wait after so many failures in a row. */
export function pause(failures, retryAfter) {
  if (Number.isFinite(retryAfter) && retryAfter > 0) return Math.min(retryAfter * 1000, 60_000);
  return failures === 0 ? PERIOD_MS : Math.min(PERIOD_MS * 2 ** (failures - 1), PAUSE_LONGEST_MS);
}

/** What an answer's status means here: "live", "token", "slow" or "broken". */
export function meaning(status) {
  if (status === 200) return "live";
  if (status === 401 || status === 403) return "token";
  return status === 429 ? "slow" : "broken";
}

export class Source {
  #url;
  #on;
  #token = null;
  #failures = 0;
  #timer = null;
  #asking = null;

  /**
   * `on`: `stats(stats)` and `trouble({kind, text, retryAt})`, kind "token", "slow", "broken" or "gone"; `text` is the
   * server's, null where it said nothing.
   */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  /** Asks with this access token (null: without) from now on, and at once. */
  setToken(token) {
    this.#token = token;
    this.#failures = 0;
    this.start();
  }

  /** Asks at once. */
  start() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#ask();
  }

  async #ask() {
    const asking = new AbortController();
    this.#asking = asking;
    const timeout = setTimeout(() => asking.abort(), PATIENCE_MS);
    let wait;
    try {
      const headers = this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` };
      const response = await fetch(this.#url, { headers, cache: "no-store", signal: asking.signal });
      const answer = await response.json().catch(() => null);
      if (this.#asking !== asking) return;
      wait = this.#take(response, answer);
    } catch {
      if (this.#asking !== asking) return;
      wait = this.#fail("gone", null);
    } finally {
      clearTimeout(timeout);
    }
    if (wait !== null) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  #take(response, answer) {
    const kind = meaning(response.status);
    if (kind === "live" && typeof answer?.connections === "number") {
      this.#failures = 0;
      this.#on.stats(answer);
      return pause(0);
    }
    const text = typeof answer?.error === "string" ? answer.error.slice(0, 200) : `HTTP ${response.status}`;
    return this.#fail(kind === "live" ? "broken" : kind, text, Number(response.headers.get("Retry-After")));
  }

  #fail(kind, text, retryAfter) {
    this.#failures += 1;
    // Another token has to come first: the same one would fail again.
    const wait = kind === "token" ? null : pause(this.#failures, retryAfter);
    this.#on.trouble({ kind, text, retryAt: wait === null ? null : Date.now() + wait });
    return wait;
  }
}
