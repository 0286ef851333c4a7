// One wallet on the page: head with the total, its rows, and what is folded away.
//
// `update` and `updateRows` bring what is in memory up to date, `measure` and `draw` what is in sight.

import { cloneTemplate, flash, freshId, parts, setAttribute, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { t, translate } from "./i18n.js";
import { RowView } from "./row-view.js";
import { VirtualRows } from "./virtual-rows.js";
import { addressOf, chainOf, roundHalfEven, walletTotal } from "./walletpush.js";

/** What may be folded away, and which rows it holds. A row belongs to the first that fits. */
const FOLDS = [
  ["hidden", (row) => !row.visible],
  ["unlisted", (row) => !row.listed],
  ["empty", (row) => row.balance === "0"],
];
const TONES = { balances: "busy", prices: "busy", failed: "bad", stale: "warn", unknown: "warn", deleted: "bad" };
/** Between two refreshes, as servers are usually set; when one says otherwise its word counts. */
const COOLDOWN_USUAL_MS = 10_000;
const NOTE_MS = 8000;

export class WalletCard {
  #els;
  #rows;
  #unfolded = new Set();
  /** Token → what decided where its row stands. */
  #standing = new Map();
  /** The wallet's rows when they were arranged last: a snapshot that comes in parts puts others in their place. */
  #arranged = new Map();
  #history;
  #actions;
  #filter = "";
  #coolsUntil = 0;
  #shownTotal = null;
  #noteTimer = null;

  /** `actions`: `refresh(key)`, `remove(key)`, `setVisible(key, token, visible)`, `changed()`: draw soon. */
  constructor(key, history, actions) {
    this.key = key;
    this.element = cloneTemplate("card-template");
    this.#els = parts(this.element);
    this.#history = history;
    this.#actions = actions;
    this.#rows = new VirtualRows(this.#els.rows, (token) => this.#makeRow(token));
    this.#setUp();
  }

  get name() {
    return `${chainOf(this.key)} ${format.shortAddress(addressOf(this.key))}`;
  }

  #setUp() {
    const { chain, address, refresh, remove, title, copy } = this.#els;
    setText(chain, chainOf(this.key));
    setText(address, format.shortAddress(addressOf(this.key)));
    title.id = freshId("title");
    setAttribute(this.element, "aria-labelledby", title.id);
    setAttribute(copy, "title", addressOf(this.key));
    copy.addEventListener("click", () => this.#copy());
    refresh.addEventListener("click", () => this.#actions.refresh(this.key));
    remove.addEventListener("click", () => this.#actions.remove(this.key));
    for (const [fold] of FOLDS) {
      this.#els[fold].addEventListener("click", () => {
        if (!this.#unfolded.delete(fold)) this.#unfolded.add(fold);
        this.update(this.wallet);
        this.#actions.changed();
      });
    }
    this.#label();
  }

  /** Says everything anew, in the page's language. */
  relabel() {
    translate(this.element);
    this.#label();
    this.#rows.remeasure();
    if (this.wallet !== undefined) this.update(this.wallet);
  }

  #label() {
    const { copy, table, remove } = this.#els;
    setAttribute(copy, "aria-label", t("card.copy", { address: addressOf(this.key) }));
    setAttribute(remove, "aria-label", t("card.removeLabel", { wallet: this.name }));
    setAttribute(table, "aria-label", t("table.label", { wallet: this.name }));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(addressOf(this.key));
      this.note(t("card.copied"), 2000);
    } catch {
      this.note(addressOf(this.key));
    }
  }

  /** Shows only rows that match `text` (lower case; "" for all), or all where the wallet itself does. */
  filter(text) {
    this.#filter = this.key.toLowerCase().includes(text) ? "" : text;
    if (this.wallet !== undefined) this.update(this.wallet);
  }

  /** How many tokens are shown; what the search counts. */
  get shownRows() {
    return this.#rows.length;
  }

  /**
   * Shows everything anew: head, and which rows stand where. Rows that stay keep their elements. While a snapshot
   * comes in parts, what is shown already stays until it is whole: no list that shrinks and grows again.
   */
  update(wallet) {
    this.wallet = wallet;
    if (wallet.arriving && this.#standing.size > 0) return;
    const folded = this.#arrangeRows(wallet);
    for (const [fold] of FOLDS) this.#fold(fold, folded[fold]);
    const { skeleton, nothing, table } = this.#els;
    const waiting = wallet.rows.size === 0 && (wallet.state === null || wallet.state === "loading");
    const shown = this.#rows.length;
    setHidden(skeleton, !waiting);
    setHidden(table, shown === 0);
    setAttribute(table, "aria-rowcount", String(shown + 1));
    setHidden(nothing, waiting || shown > 0);
    setText(nothing, nothingText(wallet));
    const folds = FOLDS.some(([fold]) => folded[fold] > 0);
    setHidden(this.element, this.#filter !== "" && shown === 0 && !folds);
    for (const row of this.#rows.drawnRows) {
      if (wallet.rows.has(row.token)) row.update(wallet, wallet.rows.get(row.token));
    }
    this.updateHead();
  }

  /**
   * Shows the rows named. A row that gains or loses its price or its balance may change places: then all is shown
   * anew, and the answer is true.
   */
  updateRows(tokens) {
    for (const token of tokens) {
      const row = this.wallet.rows.get(token);
      if (row === undefined || (this.wallet.arriving && !this.#standing.has(token))) continue;
      if (this.#standing.get(token) !== standing(row)) {
        this.update(this.wallet);
        return true;
      }
      this.#rows.row(token)?.update(this.wallet, row);
    }
    if (this.wallet.arriving) return false;
    for (const row of this.#rows.drawnRows) row.updateShare();
    this.updateHead();
    return false;
  }

  /** See virtual-rows.js. */
  measure(windowHeight) {
    return this.#els.table.hidden || this.element.hidden ? null : this.#rows.measure(windowHeight);
  }

  draw(window) {
    return window !== null && this.#rows.draw(window);
  }

  remeasure() {
    this.#rows.remeasure();
  }

  #arrangeRows(wallet) {
    const folded = { hidden: 0, unlisted: 0, empty: 0 };
    const shown = [];
    this.#standing.clear();
    this.#arranged = wallet.rows;
    for (const row of wallet.rows.values()) {
      this.#standing.set(row.token, standing(row));
      if (!matches(row, this.#filter)) continue;
      const fold = FOLDS.find(([, holds]) => holds(row))?.[0];
      if (fold !== undefined) folded[fold] += 1;
      if (fold === undefined || this.#unfolded.has(fold)) shown.push(row);
    }
    this.#rows.setKeys(sortedByValue(shown));
    return folded;
  }

  #makeRow(token) {
    const view = new RowView(token, this.#history, {
      setVisible: (of, visible) => this.#actions.setVisible(this.key, of, visible),
      resized: (of) => {
        this.#rows.resized(of);
        this.#actions.changed();
      },
    });
    view.update(this.wallet, this.wallet.rows.get(token) ?? this.#arranged.get(token));
    return view;
  }

  #fold(fold, count) {
    const button = this.#els[fold];
    setHidden(button, count === 0);
    setText(button, t(`fold.${fold}`, { n: count }));
    setAttribute(button, "aria-pressed", String(this.#unfolded.has(fold)));
  }

  updateHead() {
    const { wallet } = this;
    const { total, badge, unpriced } = this.#els;
    const sum = walletTotal(wallet);
    setText(total, format.usd(sum.total_usd));
    const cents = sum.total_usd === null ? null : BigInt(sum.total_usd.replace(".", ""));
    if (cents !== null && this.#shownTotal !== null) {
      flash(total, cents > this.#shownTotal ? 1 : cents < this.#shownTotal ? -1 : 0, { behind: false });
    }
    this.#shownTotal = cents;
    setText(unpriced, sum.unpriced > 0 ? t("card.unpriced", { n: sum.unpriced }) : "");
    const state = badgeOf(wallet);
    setText(badge, state in TONES ? t(`badge.${state}`) : "");
    setAttribute(badge, "data-tone", TONES[state] ?? null);
    setAttribute(this.element, "aria-busy", String(wallet.refreshing !== null || wallet.state === "loading"));
    setHidden(this.#els.progress, wallet.refreshing === null);
    this.tick(Date.now());
  }

  /** What only time changes: ages and the cool-down. */
  tick(now) {
    const { wallet } = this;
    const { age, block, refresh, refreshText } = this.#els;
    setText(age, wallet.asOf === null ? "" : t("card.read", { ago: format.ago(wallet.asOf, now) }));
    setText(block, wallet.block === null ? "" : t("card.block", { n: wallet.block }));
    const n = Math.ceil((this.#coolsUntil - now) / 1000);
    setAttribute(refresh, "data-cooling", n > 0 ? "" : null);
    setText(refreshText, n > 0 ? t("card.cooling", { n }) : t("card.refresh"));
    setAttribute(refresh, "aria-label", t(n > 0 ? "card.coolingLabel" : "card.refreshLabel", { wallet: this.name, n }));
    // Not `disabled`: the focus would be lost with it.
    setAttribute(refresh, "aria-disabled", String(!this.mayRefresh(now)));
  }

  mayRefresh(now) {
    return now >= this.#coolsUntil && this.wallet?.refreshing === null && !this.wallet.deleted;
  }

  /** The server will not read this wallet again before `retryMs` are over. */
  coolDown(retryMs = COOLDOWN_USUAL_MS) {
    this.#coolsUntil = Date.now() + retryMs;
    if (this.wallet !== undefined) this.tick(Date.now());
  }

  /** A line under the head; it goes by itself after `ms`. */
  note(text, ms = NOTE_MS) {
    const { note } = this.#els;
    setText(note, text);
    setHidden(note, false);
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => {
      setHidden(note, true);
      this.#actions.changed();
    }, ms);
    this.#actions.changed();
  }
}

function badgeOf(wallet) {
  if (wallet.deleted) return "deleted";
  if (wallet.refreshing !== null) return wallet.refreshing;
  if (wallet.refreshFailed) return "failed";
  if (wallet.state === "loading") return "balances";
  return wallet.state;
}

function nothingText(wallet) {
  if (wallet.deleted) return t("nothing.deleted");
  if (wallet.state === "unknown") return t("nothing.unknown");
  return t(wallet.rows.size > 0 ? "nothing.folded" : "nothing.empty");
}

/** What decides where a row stands, besides its worth: prices move all the time, places should not. */
function standing(row) {
  return (row.visible ? 1 : 0) + (row.listed ? 2 : 0) + (row.balance === "0" ? 4 : 0) +
    (row.balance === null ? 8 : 0) + (row.price_usd === null ? 16 : 0);
}

function matches(row, filter) {
  return filter === "" || [row.symbol, row.name, row.token].some((text) => text?.toLowerCase().includes(filter));
}

/** Keys of the rows: the most valuable first, then what has no known value, by symbol. */
function sortedByValue(rows) {
  const keyed = rows.map(({ token, value, symbol }) => (
    { token, cents: value === null ? -1n : roundHalfEven(value, 2).digits, symbol: format.name(symbol) }));
  keyed.sort((a, b) => {
    if (a.cents !== b.cents) return a.cents > b.cents ? -1 : 1;
    if (a.symbol !== b.symbol) return a.symbol < b.symbol ? -1 : 1;
    return a.token < b.token ? -1 : 1;
  });
  return keyed.map(({ token }) => token);
}
