// When the page is drawn: frames only mark what they touched, and one animation frame later each marked card is
// brought up to date and what is in sight is drawn. So a burst of prices costs one pass, and a hidden tab nothing.

import { oncePerFrame } from "./dom.js";

export class Painter {
  #cards;
  #walletOf;
  #after;
  /** Wallet key → tokens to bring up to date, or null for the whole card. */
  #dirty = new Map();
  /** Rows may have to be drawn, or stand elsewhere. New values in rows that stay do not need it. */
  #moved = true;

  /** `cards`: key → WalletCard, in their order; `walletOf(key)`: its state; `after()` runs in every pass. */
  constructor(cards, walletOf, after) {
    this.#cards = cards;
    this.#walletOf = walletOf;
    this.#after = after;
  }

  /** A token of a wallet has changed, or anything of it. */
  mark(key, token = null) {
    if (token === null) this.#dirty.set(key, null);
    else if (!this.#dirty.has(key)) this.#dirty.set(key, new Set([token]));
    else this.#dirty.get(key)?.add(token);
  }

  markAll() {
    for (const key of this.#cards.keys()) this.mark(key);
  }

  forget(key) {
    this.#dirty.delete(key);
  }

  /** Paints in the next animation frame. */
  paint = oncePerFrame(() => this.#paint());

  /** The same, where something may stand elsewhere: after scrolling, opening, resizing. */
  layOut() {
    this.#moved = true;
    this.paint();
  }

  #paint() {
    for (const [key, tokens] of this.#dirty) {
      const wallet = this.#walletOf(key);
      const card = this.#cards.get(key);
      if (wallet === undefined || card === undefined) continue;
      if (tokens === null) card.update(wallet);
      if (tokens === null || card.updateRows(tokens)) this.#moved = true;
    }
    this.#dirty.clear();
    this.#after();
    if (!this.#moved) return;
    this.#moved = false;
    // A list that grew moved those below it: they are measured once more.
    if (this.#draw()) this.#draw();
  }

  /** All lists are measured before any is drawn: one layout for all of them. Whether one has changed its height. */
  #draw() {
    const windows = [...this.#cards.values()].map((card) => [card, card.measure(innerHeight)]);
    let grew = false;
    for (const [card, window] of windows) if (card.draw(window)) grew = true;
    return grew;
  }
}
