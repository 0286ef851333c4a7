// One token of a wallet: a row of cells, and the details under it that open on demand.

import { cloneTemplate, flash, freshId, parts, setAttribute, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { languageTag, t } from "./i18n.js";
import { addressOf, compare, parseDecimal, rowShare, rowValue } from "./walletpush.js";

/** The heading has the first `aria-rowindex`. */
const FIRST_ROW_INDEX = 2;

export class RowView {
  #els;
  #history;
  #wallet = null;
  #row = null;
  #shownPrice = null;
  #shownValue = null;
  #shownLogo = null;
  #top = null;

  /** `actions`: `setVisible(token, visible)` hides or shows the row, `resized(token)` tells that it opened or closed. */
  constructor(token, history, actions) {
    this.token = token;
    this.element = cloneTemplate("row-template");
    this.#els = parts(this.element);
    this.#history = history;
    const { toggle, details, visibility, line } = this.#els;
    details.id = freshId("details");
    setAttribute(toggle, "aria-controls", details.id);
    line.addEventListener("click", () => {
      // Selecting text in the row is no click on it.
      if (String(getSelection()) === "") this.setOpen(details.hidden);
      actions.resized(token);
    });
    visibility.addEventListener("click", () => actions.setVisible(token, !this.#row.visible));
    this.#els.avatar.style.setProperty("--hue", String(hueOf(token)));
  }

  // What virtual-rows.js asks for

  height() {
    return this.#els.line.offsetHeight;
  }

  detailsHeight() {
    return this.#els.details.hidden ? 0 : this.#els.details.offsetHeight;
  }

  /** Row `index` of the list, `top` pixels down. */
  place(index, top) {
    if (top !== this.#top) this.element.style.transform = `translateY(${top}px)`;
    this.#top = top;
    setAttribute(this.#els.line, "aria-rowindex", String(index + FIRST_ROW_INDEX));
  }

  setFocusable(flag) {
    setAttribute(this.#els.toggle, "tabindex", flag ? "0" : "-1");
  }

  focus() {
    this.#els.toggle.focus({ preventScroll: true });
  }

  /** Shows `row` of `wallet`, touching the cells that changed. */
  update(wallet, row) {
    this.#wallet = wallet;
    this.#row = row;
    this.#identity(row);
    this.#price(row);
    this.#holding(row);
    this.updateShare();
    setAttribute(this.element, "data-hidden", row.visible ? null : "");
    if (!this.#els.details.hidden) this.#details(row);
  }

  /** The share moves with every price of the wallet. */
  updateShare() {
    const exact = rowShare(this.#wallet, this.#row);
    const percent = exact === "0.0" && this.#row.value.digits > 0n ? "<0.1" : exact;
    setText(this.#els.share, percent === null ? "" : `${percent}%`);
    setAttribute(this.#els.share, "title", percent === null ? null : t("row.share", { percent }));
  }

  setOpen(open) {
    const { details, toggle } = this.#els;
    setHidden(details, !open);
    setAttribute(toggle, "aria-expanded", String(open));
    if (open) this.#details(this.#row);
  }

  #identity(row) {
    const symbol = format.name(row.symbol) || format.shortAddress(addressOf(row.token));
    setText(this.#els.symbol, symbol);
    setText(this.#els.name, format.name(row.name));
    setText(this.#els.monogram, format.monogram(row.symbol));
    setHidden(this.#els.unlisted, row.listed);
    if (row.logo !== this.#shownLogo) this.#logo(row.logo);
  }

  /** A logo lies over the monogram and goes away when it fails. */
  #logo(logo) {
    this.#shownLogo = logo;
    this.#els.avatar.querySelector("img")?.remove();
    const address = format.logoAddress(logo);
    if (address === null) return;
    const image = new Image();
    image.alt = "";
    image.referrerPolicy = "no-referrer";
    image.loading = "lazy";
    image.decoding = "async";
    image.addEventListener("error", () => image.remove());
    image.src = address;
    this.#els.avatar.append(image);
  }

  #price(row) {
    const { price, change, changeText, direction: word, spark, sparkPath, priceStale } = this.#els;
    const loading = row.price_usd === null && row.price_state === "loading";
    setText(price, loading ? "" : format.price(row.price_usd));
    setAttribute(price, "data-loading", loading ? "" : null);
    setAttribute(price, "title", row.price_usd === null ? null : `$${row.price_usd}`);
    setHidden(priceStale, row.price_state !== "stale");
    const { text, direction } = format.change(row.change_24h);
    setText(changeText, row.price_usd === null ? "" : text);
    setText(word, direction === 0 ? "" : t(direction > 0 ? "row.up" : "row.down"));
    setAttribute(change, "data-direction", String(direction));
    const now = parseDecimal(row.price_usd);
    if (now !== null && this.#shownPrice !== null) flash(price, compare(now, this.#shownPrice));
    this.#shownPrice = now;
    setAttribute(sparkPath, "d", this.#history.path(row.token));
    setAttribute(spark, "data-direction", String(this.#history.trend(row.token)));
  }

  #holding(row) {
    const { balance, balanceStale, value } = this.#els;
    const loading = row.balance === null && row.balance_state === "loading";
    setText(balance, loading ? "" : format.balance(row.balance, row.decimals));
    setAttribute(balance, "data-loading", loading ? "" : null);
    setAttribute(balance, "title", row.balance === null ? null : format.exactBalance(row.balance, row.decimals));
    setHidden(balanceStale, row.balance_state !== "stale");
    const worth = rowValue(row);
    setText(value, format.usd(worth));
    const now = parseDecimal(worth);
    if (now !== null && this.#shownValue !== null) flash(value, compare(now, this.#shownValue));
    this.#shownValue = now;
  }

  #details(row) {
    const { exactBalance, exactPrice, priceAt, contract, visibility } = this.#els;
    setText(exactBalance, `${format.exactBalance(row.balance, row.decimals)}${stateNote(row.balance_state)}`);
    setText(exactPrice, row.price_usd === null ? format.UNKNOWN : `$${row.price_usd}${stateNote(row.price_state)}`);
    setText(priceAt, Number.isFinite(row.price_at) ? new Date(row.price_at).toLocaleString(languageTag()) : format.UNKNOWN);
    const address = addressOf(row.token);
    setText(contract, address === "native" ? t("row.native") : address);
    setText(visibility, t(row.visible ? "row.hide" : "row.show"));
  }
}

/** A colour that is always the same for a token, and far from its neighbours' (FNV-1a, mixed once more). */
function hueOf(token) {
  let hash = 0x811c9dc5;
  for (const letter of token) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) % 360;
}

function stateNote(state) {
  return state === "fresh" ? "" : t(`state.${["stale", "loading"].includes(state) ? state : "unknown"}`);
}
