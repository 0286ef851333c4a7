// The form that adds a wallet, and the wallets the server offers to try.

import { byId, setAttribute, setHidden, setText } from "./dom.js";
import { shortAddress } from "./format.js";
import { t } from "./i18n.js";
import { addressOf, canonicalWallet, chainOf, splitKey } from "./walletpush.js";

/** Until the server tells which chains it serves. */
const CHAINS_USUAL = ["ETH", "BSC", "MATIC", "ARB", "OP", "AVAX", "BASE", "ZKSYNC", "LINEA", "MANTA", "FTM", "CRO"];

const OFFERS_MAX = 20;

export class AddForm {
  #actions;
  #offers = [];
  #watched = new Set();

  /** `actions.watch(key, typed)`. */
  constructor(actions) {
    this.#actions = actions;
    this.chains(CHAINS_USUAL);
    byId("add").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("address").addEventListener("input", () => this.#typed());
  }

  /** The chains to choose from; the one chosen stays. */
  chains(codes) {
    if (codes.length === 0) return;
    const select = byId("chain");
    const chosen = select.value;
    select.replaceChildren(...codes.map((code) => new Option(code, code)));
    if (codes.includes(chosen)) select.value = chosen;
  }

  offer(keys) {
    this.#offers = keys.map(canonicalWallet).filter((key) => key !== null).slice(0, OFFERS_MAX);
    this.#showOffers();
  }

  /** What is watched already is not offered. */
  watched(keys) {
    this.#watched = keys;
    this.#showOffers();
  }

  fail(text) {
    const error = byId("add-error");
    setText(error, text);
    setHidden(error, text === "");
    setAttribute(byId("address"), "aria-invalid", text === "" ? null : "true");
  }

  /** A pasted `CHAIN:0x…` chooses its chain. */
  #typed() {
    this.fail("");
    const pasted = splitKey(byId("address").value);
    const select = byId("chain");
    if (pasted !== null && [...select.options].some(({ value }) => value === pasted.chain)) select.value = pasted.chain;
  }

  #submit() {
    const text = byId("address").value.trim();
    const typed = splitKey(text) ?? { chain: byId("chain").value, address: text };
    const key = canonicalWallet(`${typed.chain}:${typed.address}`);
    if (key === null) {
      this.fail(t(text === "" ? "add.nothingTyped" : "add.notAnAddress"));
      byId("address").focus();
      return;
    }
    byId("address").value = "";
    this.fail("");
    const card = this.#actions.watch(key, `${typed.chain}:${typed.address}`);
    requestAnimationFrame(() => card.element.scrollIntoView({ block: "nearest" }));
  }

  #showOffers() {
    const keys = this.#offers.filter((key) => !this.#watched.has(key));
    setHidden(byId("offers"), keys.length === 0);
    byId("offer-list").replaceChildren(...keys.map((key) => this.#offerButton(key)));
  }

  #offerButton(key) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.title = key;
    const chain = document.createElement("b");
    chain.textContent = chainOf(key);
    button.append(chain, ` ${shortAddress(addressOf(key))}`);
    button.addEventListener("click", () => this.#actions.watch(key, key));
    return button;
  }
}
