// A long list of which only what is in sight is drawn. The container is as high as all rows together; the rows
// drawn stand at their places in it, in the order of the list, so that focus and screen readers go through them
// in order too. All rows are equally high but those that are open.
//
// Drawing goes in two steps, `measure` (reads the layout) and `draw` (changes it), so that several lists need
// one layout together.

import { arrange } from "./dom.js";

/** Beyond both edges of the window, in rows: scrolling finds them drawn already. */
const OVERSCAN_ROWS = 6;
const PAGE_ROWS = 10;

export class VirtualRows {
  #container;
  #makeRow;
  #keys = [];
  #indexes = new Map();
  #drawn = new Map();
  /** Keys of open rows → how much higher they are. */
  #open = new Map();
  #rowHeight = 0;
  #height = 0;
  #current = null;

  /** `makeRow(key)` answers a row-view.js, up to date. */
  constructor(container, makeRow) {
    this.#container = container;
    this.#makeRow = makeRow;
    container.addEventListener("keydown", (event) => this.#key(event));
    container.addEventListener("focusin", ({ target }) => this.#focused(target));
  }

  get length() {
    return this.#keys.length;
  }

  /** The keys to show, in order. Rows that stay keep their elements. */
  setKeys(keys) {
    this.#keys = keys;
    this.#indexes = new Map(keys.map((key, index) => [key, index]));
    for (const key of [...this.#open.keys()]) if (!this.#indexes.has(key)) this.#open.delete(key);
  }

  /** The row of `key`, where it is drawn. */
  row(key) {
    return this.#drawn.get(key);
  }

  get drawnRows() {
    return this.#drawn.values();
  }

  /** Forgets all measures: the width or the letters have changed. */
  remeasure() {
    this.#rowHeight = 0;
  }

  /** The row of `key` opened or closed, or what is in it became higher. */
  resized(key) {
    const height = this.#drawn.get(key)?.detailsHeight() ?? 0;
    if (height > 0) this.#open.set(key, height);
    else this.#open.delete(key);
  }

  /** Reads where the window is over the list: `{from, to}`, indexes, for `draw`. */
  measure(windowHeight) {
    if (this.#keys.length === 0) return { from: 0, to: 0 };
    if (this.#rowHeight === 0) this.#measureRow();
    const { top } = this.#container.getBoundingClientRect();
    const margin = OVERSCAN_ROWS * this.#rowHeight;
    const from = this.#indexAt(-top - margin);
    const to = this.#indexAt(windowHeight - top + margin);
    return { from: Math.max(0, from), to: Math.min(this.#keys.length, to + 1) };
  }

  /**
   * Draws the rows from `from` to before `to`, and the one with the focus wherever it is. Answers whether the
   * list's height has changed, so that what is below it has moved.
   */
  draw({ from, to }) {
    const shown = new Map();
    const focused = this.#focusedKey();
    for (let index = from; index < to; index += 1) shown.set(this.#keys[index], index);
    if (focused !== null && this.#indexes.has(focused)) shown.set(focused, this.#indexes.get(focused));
    const rows = new Map();
    for (const [key, index] of [...shown].sort((a, b) => a[1] - b[1])) {
      const row = this.#drawn.get(key) ?? this.#newRow(key);
      row.place(index, this.#top(index));
      rows.set(key, row);
    }
    // First those that go: else the rest would be moved past them, one by one.
    for (const [key, { element }] of this.#drawn) if (!rows.has(key)) element.remove();
    this.#drawn = rows;
    arrange(this.#container, [...rows.values()].map(({ element }) => element));
    this.#chooseFocusable(from);
    return this.#setHeight(this.#top(this.#keys.length));
  }

  #setHeight(height) {
    if (height === this.#height) return false;
    this.#height = height;
    this.#container.style.height = `${height}px`;
    return true;
  }

  #newRow(key) {
    const row = this.#makeRow(key);
    if (this.#open.has(key)) row.setOpen(true);
    return row;
  }

  // Geometry

  #measureRow() {
    const key = this.#keys[0];
    const row = this.#drawn.get(key) ?? this.#newRow(key);
    if (!this.#drawn.has(key)) {
      this.#container.prepend(row.element);
      this.#drawn.set(key, row);
    }
    this.#rowHeight = row.height();
    for (const open of [...this.#open.keys()]) if (this.#drawn.has(open)) this.resized(open);
  }

  #top(index) {
    let top = index * this.#rowHeight;
    for (const [key, height] of this.#open) if (this.#indexes.get(key) < index) top += height;
    return top;
  }

  /** The row over the height `y` of the list; it may lie outside. */
  #indexAt(y) {
    const open = [...this.#open].map(([key, height]) => [this.#indexes.get(key), height]).sort((a, b) => a[0] - b[0]);
    let above = 0;
    for (const [index, height] of open) {
      if (y < (index + 1) * this.#rowHeight + above) break;
      if (y < (index + 1) * this.#rowHeight + above + height) return index;
      above += height;
    }
    return Math.floor((y - above) / this.#rowHeight);
  }

  // The keyboard: one stop for Tab, arrows within

  #focusedKey() {
    for (const [key, { element }] of this.#drawn) if (element.contains(document.activeElement)) return key;
    return null;
  }

  #focused(target) {
    for (const [key, { element }] of this.#drawn) if (element.contains(target)) this.#current = key;
    this.#chooseFocusable(0);
  }

  #chooseFocusable(from) {
    if (!this.#drawn.has(this.#current)) this.#current = this.#keys[from + OVERSCAN_ROWS] ?? null;
    if (!this.#drawn.has(this.#current)) this.#current = this.#drawn.keys().next().value ?? null;
    for (const [key, row] of this.#drawn) row.setFocusable(key === this.#current);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !event.target.matches("[data-el=toggle]")) return;
    const at = this.#indexes.get(this.#current) ?? 0;
    const goal = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + PAGE_ROWS, PageUp: at - PAGE_ROWS, Home: 0,
      End: this.#keys.length - 1,
    }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    this.focus(Math.min(Math.max(goal, 0), this.#keys.length - 1));
  }

  /** Scrolls the row at `index` into sight, draws it, and gives it the focus. */
  focus(index) {
    const key = this.#keys[index];
    const top = this.#container.getBoundingClientRect().top + this.#top(index);
    const edge = 2 * this.#rowHeight;
    const below = top + this.#rowHeight + edge - innerHeight;
    if (top < edge) scrollBy({ top: top - edge, behavior: "instant" });
    else if (below > 0) scrollBy({ top: below, behavior: "instant" });
    this.#current = key;
    this.draw(this.measure(innerHeight));
    this.#drawn.get(key)?.focus();
  }
}
