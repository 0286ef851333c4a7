// The access token of a client, or the function that gets one.

export class Credentials {
  #ask;
  #token;
  #kept;
  #why = "connect";

  /** `token`: a text, a function `(why) => token` that may be asynchronous, or null. `kept(token)` hears of each. */
  constructor(token, kept) {
    this.#ask = typeof token === "function" ? token : null;
    this.#kept = kept;
    this.keep(typeof token === "function" ? null : token);
  }

  /** The token at hand, or null. */
  get token() {
    return this.#token;
  }

  get canAsk() {
    return this.#ask !== null;
  }

  /** No token is at hand and there is nobody to ask: the server is taken to want none. */
  get areNone() {
    return this.#token === null && this.#ask === null;
  }

  keep(token) {
    this.#token = token;
    this.#kept(token);
  }

  /** The token is of no use any more. It is kept where no other is to be had. */
  spoiled(token = this.#token) {
    if (this.canAsk && token === this.#token) this.keep(null);
  }

  /** The token at hand, else one that is asked for; null where none is needed. Rejects as the function does. */
  async have() {
    if (this.#token === null && this.canAsk) this.keep((await this.#ask(this.#why)) ?? null);
    return this.#token;
  }

  /** Another token while the one at hand is still good; null where there is none. */
  async renewed() {
    return (await this.#ask("expiring")) ?? null;
  }

  /** The token has ended: the next is asked for as such. */
  expired() {
    this.#why = "expired";
    this.spoiled();
  }
}
