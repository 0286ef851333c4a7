// One wallet on the page: head with the total, its rows, and what is folded away.

import { exactValue, roundHalfEven } from "./decimal.js";
import { arrange, cloneTemplate, flash, freshId, parts, setAttribute, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { addressOf, chainOf } from "./keys.js";
import { RowView } from "./row-view.js";
import { walletTotal } from "./state.js";

const ROWS_SHOWN_MAX = 100;

/** What may be folded away, and which rows it holds. A row belongs to the first that fits. */
const FOLDS = [
  ["hidden", (row) => !row.visible],
  ["unlisted", (row) => !row.listed],
  ["empty", (row) => row.balance === "0"],
];

const BADGES = {
  balances: ["Reading balances…", "busy"],
  prices: ["Updating prices…", "busy"],
  failed: ["Refresh failed", "bad"],
  stale: ["Stale", "warn"],
  unknown: ["Unreadable", "warn"],
  deleted: ["Deleted on the server", "bad"],
};

export class WalletCard {
  #els;
  #rows = new Map();
  #unfolded = new Set();
  #showAll = false;
  #priced = new Map();
  #history;
  #actions;
  #coolsUntil = 0;
  #shownTotal = null;
  #noteTimer = null;

  /** `actions`: `refresh(key)`, `remove(key)`, `setVisible(key, token, visible)`. */
  constructor(key, history, actions) {
    this.key = key;
    this.element = cloneTemplate("card-template");
    this.#els = parts(this.element);
    this.#history = history;
    this.#actions = actions;
    this.#setUp();
  }

  #setUp() {
    const { chain, address, refresh, remove, all, title } = this.#els;
    setText(chain, chainOf(this.key));
    setText(address, format.shortAddress(addressOf(this.key)));
    title.id = freshId("title");
    setAttribute(this.element, "aria-labelledby", title.id);
    setAttribute(this.#els.copy, "aria-label", `Copy address ${addressOf(this.key)}`);
    setAttribute(this.#els.copy, "title", addressOf(this.key));
    this.#els.copy.addEventListener("click", () => this.#copy());
    refresh.addEventListener("click", () => this.#actions.refresh(this.key));
    remove.addEventListener("click", () => this.#actions.remove(this.key));
    all.addEventListener("click", () => {
      this.#showAll = true;
      this.update(this.wallet);
    });
    for (const [fold] of FOLDS) {
      this.#els[fold].addEventListener("click", () => {
        if (!this.#unfolded.delete(fold)) this.#unfolded.add(fold);
        this.update(this.wallet);
      });
    }
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(addressOf(this.key));
      this.note("Address copied.", 2000);
    } catch {
      this.note(addressOf(this.key), 8000);
    }
  }

  /** Shows everything anew: head, and which rows stand where. Rows that stay keep their elements. */
  update(wallet) {
    this.wallet = wallet;
    const folded = this.#arrangeRows(wallet);
    for (const [fold] of FOLDS) this.#fold(fold, folded[fold]);
    const { skeleton, nothing, table } = this.#els;
    const waiting = wallet.rows.size === 0 && (wallet.state === null || wallet.state === "loading");
    setHidden(skeleton, !waiting);
    setHidden(table, waiting || this.#rows.size === 0);
    setHidden(nothing, waiting || this.#rows.size > 0);
    setText(nothing, nothingText(wallet));
    this.updateHead();
  }

  /** Shows the rows named. A row that gains or loses its price or its balance may change places. */
  updateRows(tokens) {
    for (const token of tokens) {
      const row = this.wallet.rows.get(token);
      if (row === undefined) continue;
      if (this.#priced.get(token) !== standing(row)) return this.update(this.wallet);
      this.#rows.get(token)?.update(row);
    }
    this.updateHead();
  }

  #arrangeRows(wallet) {
    const folded = { hidden: 0, unlisted: 0, empty: 0 };
    const shown = [];
    this.#priced.clear();
    for (const row of wallet.rows.values()) {
      this.#priced.set(row.token, standing(row));
      const fold = FOLDS.find(([, holds]) => holds(row))?.[0];
      if (fold !== undefined) folded[fold] += 1;
      if (fold === undefined || this.#unfolded.has(fold)) shown.push(row);
    }
    const sorted = sortedByValue(shown);
    const few = this.#showAll ? sorted : sorted.slice(0, ROWS_SHOWN_MAX);
    setHidden(this.#els.all, few.length === sorted.length);
    setText(this.#els.all, `Show all ${sorted.length} tokens`);
    const views = new Map(few.map((row) => [row.token, this.#view(row)]));
    arrange(this.#els.rows, [...views.values()].map(({ element }) => element));
    this.#rows = views;
    return folded;
  }

  #view(row) {
    const view = this.#rows.get(row.token) ?? new RowView(row.token, this.#history, {
      setVisible: (token, visible) => this.#actions.setVisible(this.key, token, visible),
    });
    view.update(row);
    return view;
  }

  #fold(fold, count) {
    const button = this.#els[fold];
    setHidden(button, count === 0);
    setText(button, `${count} ${fold}`);
    setAttribute(button, "aria-pressed", String(this.#unfolded.has(fold)));
  }

  updateHead() {
    const { wallet } = this;
    const { total, badge, unpriced } = this.#els;
    const sum = walletTotal(wallet);
    const text = format.usd(sum.total_usd);
    setText(total, text);
    const cents = sum.total_usd === null ? null : BigInt(sum.total_usd.replace(".", ""));
    if (cents !== null && this.#shownTotal !== null) {
      flash(total, cents > this.#shownTotal ? 1 : cents < this.#shownTotal ? -1 : 0, { behind: false });
    }
    this.#shownTotal = cents;
    setText(unpriced, sum.unpriced > 0 ? `${sum.unpriced} unpriced` : "");
    const [badgeText, tone] = BADGES[badgeOf(wallet)] ?? ["", ""];
    setText(badge, badgeText);
    setAttribute(badge, "data-tone", tone || null);
    setAttribute(this.element, "aria-busy", String(wallet.refreshing !== null || wallet.state === "loading"));
    setHidden(this.#els.progress, wallet.refreshing === null);
    this.tick(Date.now());
  }

  /** What only time changes: ages and the cool-down. */
  tick(now) {
    const { wallet } = this;
    const { age, block, refresh, refreshText } = this.#els;
    setText(age, wallet.asOf === null ? "" : `read ${format.ago(wallet.asOf, now)}`);
    setText(block, wallet.block === null ? "" : `block ${wallet.block.toLocaleString("en-US")}`);
    const cooling = Math.ceil((this.#coolsUntil - now) / 1000);
    setAttribute(refresh, "data-cooling", cooling > 0 ? "" : null);
    setText(refreshText, cooling > 0 ? `${cooling} s` : "Refresh");
    refresh.disabled = cooling > 0 || wallet.refreshing !== null || wallet.deleted;
  }

  /** The server will not read this wallet again before `retryMs` are over. */
  coolDown(retryMs) {
    this.#coolsUntil = Date.now() + retryMs;
    this.tick(Date.now());
  }

  /** A line under the head; it goes by itself after `ms`. */
  note(text, ms = 8000) {
    const { note } = this.#els;
    setText(note, text);
    setHidden(note, false);
    clearTimeout(this.#noteTimer);
    this.#noteTimer = setTimeout(() => setHidden(note, true), ms);
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
  if (wallet.deleted) return "This wallet was deleted on the server.";
  if (wallet.state === "unknown") return "The chain could not be read. The server keeps trying.";
  if (wallet.rows.size > 0) return "Nothing to show here but what is folded away below.";
  return "No tokens here yet.";
}

/** What decides where a row stands, besides its worth: prices move all the time, places should not. */
function standing(row) {
  return `${row.visible} ${row.listed} ${row.balance === "0"} ${row.balance === null} ${row.price_usd === null}`;
}

/** The most valuable first, then what has no known value, by symbol. */
function sortedByValue(rows) {
  const keyed = rows.map((row) => {
    const value = exactValue(row.balance, row.decimals, row.price_usd);
    return { row, cents: value === null ? -1n : roundHalfEven(value, 2).digits, symbol: format.name(row.symbol) };
  });
  keyed.sort((a, b) => {
    if (a.cents !== b.cents) return a.cents > b.cents ? -1 : 1;
    if (a.symbol !== b.symbol) return a.symbol < b.symbol ? -1 : 1;
    return a.row.token < b.row.token ? -1 : 1;
  });
  return keyed.map(({ row }) => row);
}
