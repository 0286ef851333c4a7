// The HTTP calls of the interface. Answers are read leniently: a page that lacks a list still works.

import { ENVIRONMENT } from "./environment.js";
import { WalletPushError } from "./errors.js";

export class HttpApi {
  #root;
  #environment;
  #token = null;

  /** `root` is the server's root, ending in "/". */
  constructor(root, environment = ENVIRONMENT) {
    this.#root = root;
    this.#environment = environment;
  }

  /** An access token for every later call; null for none. */
  setToken(token) {
    this.#token = token;
  }

  /** The chains the server serves: `{chain, state, since, …}`. */
  async chains() {
    return listOf(await this.json("GET", "api/v1/chains"), "chains");
  }

  /** A page of the wallets the server knows: `{wallets: [{id, wallet, …}], next}`, `next` null on the last. */
  async wallets({ limit = 100, after = null } = {}) {
    const answer = await this.json("GET", `api/v1/wallets?limit=${limit}${after === null ? "" : `&after=${after}`}`);
    return { wallets: listOf(answer, "wallets"), next: answer?.next ?? null };
  }

  /** Hides or shows a token (an address, or "native") of a wallet; answers the row. */
  setVisible(wallet, tokenAddress, visible) {
    return this.json("PATCH", `${walletPath(wallet)}/tokens/${tokenAddress}`, { is_visible: visible });
  }

  /** One call; the answer's object. Rejects with a WalletPushError. */
  async json(method, path, body, options = {}) {
    const response = await this.request(method, path, body, options);
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw refusal(response, answer);
    return answer;
  }

  /** The response of one call, whatever its status. `headers` and `signal` as for `fetch`. */
  async request(method, path, body, { headers = {}, signal } = {}) {
    const all = { Accept: "application/json", ...headers };
    if (this.#token !== null) all.Authorization = `Bearer ${this.#token}`;
    if (body !== undefined) all["Content-Type"] = "application/json";
    try {
      return await this.#environment.fetch(new URL(path, this.#root).href, {
        method, headers: all, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new WalletPushError({ code: "unreachable", message: "the server cannot be reached" });
    }
  }
}

export function walletPath(wallet) {
  return `api/v1/wallets/${encodeURIComponent(wallet)}`;
}

/** What an HTTP answer that is no success says. */
export function refusal(response, answer) {
  const seconds = Number(response.headers.get("Retry-After") ?? NaN);
  const retry_ms = answer?.retry_ms ?? (Number.isFinite(seconds) ? seconds * 1000 : undefined);
  return new WalletPushError({
    code: typeof answer?.code === "string" ? answer.code : `http_${response.status}`,
    message: answer?.error ?? `HTTP ${response.status}`,
    retry_ms, status: response.status,
  });
}

function listOf(answer, member) {
  const items = Array.isArray(answer) ? answer : answer?.[member];
  return Array.isArray(items) ? items.filter((item) => item !== null && typeof item === "object") : [];
}

// How a step of an HTTP transport fails, beside the server's refusals.

/** The server answers, but not in this way. */
export function unusable(reason) {
  return Object.assign(new WalletPushError({ code: "unusable", message: reason }), { unusable: true });
}

export function lost(reason) {
  return new WalletPushError({ code: "lost", message: reason });
}

/** `job(signal)`, given up as unusable after `ms`. `name` is the timer's. */
export async function within(timers, name, ms, signal, job) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  timers.schedule(name, ms, stop);
  try {
    return await job(limit.signal);
  } catch (error) {
    if (!signal.aborted && limit.signal.aborted) throw unusable("no answer in time");
    throw error;
  } finally {
    timers.cancel(name);
    signal.removeEventListener("abort", stop);
  }
}
