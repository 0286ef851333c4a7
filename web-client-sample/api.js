// The few HTTP calls of the page. Answers are read leniently: a page that lacks a list still works.

/** Used until the server tells which chains it serves. */
export const CHAINS_USUAL = [
  "ETH", "BSC", "MATIC", "ARB", "OP", "AVAX", "BASE", "ZKSYNC", "LINEA", "MANTA", "FTM", "CRO",
];

export class Api {
  #base;
  #token = null;

  /** `base` is the server's root, ending in "/". */
  constructor(base) {
    this.#base = base;
  }

  setToken(token) {
    this.#token = token;
  }

  /** Chain codes the server serves. */
  async chains() {
    return textsOf(await this.#call("GET", "api/v1/chains"), "chains", "chain");
  }

  /** Keys of wallets the server knows. */
  async wallets(limit) {
    return textsOf(await this.#call("GET", `api/v1/wallets?limit=${limit}`), "wallets", "wallet");
  }

  /** Hides or shows a token of a wallet; answers the row. */
  setVisible(wallet, tokenAddress, visible) {
    return this.#call("PATCH", `api/v1/wallets/${wallet}/tokens/${tokenAddress}`, { is_visible: visible });
  }

  async #call(method, path, body) {
    const headers = { Accept: "application/json" };
    if (this.#token !== null) headers.Authorization = `Bearer ${this.#token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(new URL(path, this.#base), { method, headers, body: JSON.stringify(body) });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new Error(answer?.error ?? `HTTP ${response.status}`);
    return answer;
  }
}

/** The texts named `member` of a list, bare or under `list`. */
function textsOf(answer, list, member) {
  const items = Array.isArray(answer) ? answer : answer?.[list];
  if (!Array.isArray(items)) return [];
  return items.map((item) => (typeof item === "string" ? item : item?.[member]))
    .filter((text) => typeof text === "string");
}
