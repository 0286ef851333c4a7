// How numbers, times and names look. Pure: values in, text out; unknown is always UNKNOWN, never zero.

import {
  compare, grouped, normalized, parseDecimal, parseUnits, roundHalfEven, toText, truncate,
} from "./walletpush.js";
import { t } from "./i18n.js";

export const UNKNOWN = "—";

const BALANCE_PLACES = 6;
/** Of a large balance the cents are enough, of a huge one the whole. */
const LARGE_BALANCE = { digits: 10_000n, scale: 0 };
const LARGE_BALANCE_PLACES = 2;
const HUGE_BALANCE = { digits: 10_000_000n, scale: 0 };
/** From this many zeros after the point on, they are counted instead of written: 0.0₇12. */
const ZEROS_WRITTEN_MAX = 3;
const PRICE_DIGITS = 4;
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

/** Control characters, and those that reorder or hide text: names of tokens come from strangers. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const NAME_LENGTH_MAX = 64;

/** "3704.17" → "$3,704.17". */
export function usd(text) {
  const value = parseDecimal(text);
  return value === null ? UNKNOWN : `$${grouped(toText(roundHalfEven(value, 2)))}`;
}

/**
 * A unit price, short enough for a column: cents from 1000 on, up to four places below, and four significant
 * digits below 1. The exact text belongs beside it (a title, the details).
 */
export function price(text) {
  const value = parseDecimal(text);
  if (value === null) return UNKNOWN;
  if (value.digits === 0n) return "$0.00";
  if (compare(value, { digits: 1000n, scale: 0 }) >= 0) return `$${grouped(toText(roundHalfEven(value, 2)))}`;
  if (compare(value, { digits: 1n, scale: 0 }) >= 0) return `$${atLeastCents(roundHalfEven(value, 4))}`;
  const zeros = value.scale - value.digits.toString().length;
  const short = normalized(roundHalfEven(value, zeros + PRICE_DIGITS));
  if (zeros <= ZEROS_WRITTEN_MAX) return `$${atLeastCents(short)}`;
  return `$0.0${subscript(zeros)}${short.digits}`;
}

function atLeastCents(value) {
  const short = normalized(value);
  return toText(short.scale < 2 ? roundHalfEven(short, 2) : short);
}

function subscript(number) {
  return [...String(number)].map((digit) => SUBSCRIPTS[digit]).join("");
}

/** "-1.20" → {text: "1.20%", direction: -1}. The sign is for the page to show. */
export function change(text) {
  const value = parseDecimal(text);
  if (value === null) return { text: UNKNOWN, direction: 0 };
  const direction = value.digits > 0n ? 1 : value.digits < 0n ? -1 : 0;
  const magnitude = { digits: value.digits < 0n ? -value.digits : value.digits, scale: value.scale };
  return { text: `${grouped(toText(magnitude))}%`, direction };
}

/** A balance: exact where it is short enough for a column, else cut (never rounded up) and marked with "…". */
export function balance(baseUnits, decimals) {
  if (baseUnits === "0") return "0";
  const value = parseUnits(baseUnits, decimals);
  if (value === null) return UNKNOWN;
  const exact = normalized(value);
  const places = placesOf(exact);
  if (exact.scale <= (places === 0 ? 0 : BALANCE_PLACES)) return grouped(toText(exact));
  const cut = truncate(exact, places);
  if (cut.digits === 0n) return `<0.${"0".repeat(BALANCE_PLACES - 1)}1`;
  return `${grouped(toText(cut))}…`;
}

function placesOf(balance) {
  if (compare(balance, HUGE_BALANCE) >= 0) return 0;
  return compare(balance, LARGE_BALANCE) >= 0 ? LARGE_BALANCE_PLACES : BALANCE_PLACES;
}

/** A balance with every digit; base units where the token does not say its decimals. */
export function exactBalance(baseUnits, decimals) {
  if (baseUnits === null) return UNKNOWN;
  const value = parseUnits(baseUnits, decimals);
  if (value !== null) return grouped(toText(normalized(value)));
  return parseDecimal(baseUnits) === null ? UNKNOWN : t("row.baseUnits", { n: baseUnits });
}

/** A name fit to show: one line, nothing hidden or reordered, of bounded length. */
export function name(text) {
  if (typeof text !== "string") return "";
  const printable = text.slice(0, 4 * NAME_LENGTH_MAX).replace(UNPRINTABLE, "").replace(/\s+/g, " ").trim();
  const letters = [...printable];
  return letters.length <= NAME_LENGTH_MAX ? printable : `${letters.slice(0, NAME_LENGTH_MAX - 1).join("")}…`;
}

/** "0xd8da6bf26964…" → "0xd8da…6045". */
export function shortAddress(address) {
  return address.length <= 14 ? address : `${address.slice(0, 6)}…${address.slice(-4)}`;
}

/** One to three letters for an avatar. */
export function monogram(symbol) {
  const letters = [...name(symbol).replace(/[^\p{L}\p{N}]/gu, "")];
  return letters.length === 0 ? "?" : letters.slice(0, letters.length <= 3 ? 3 : 2).join("").toUpperCase();
}

/** How long ago, roughly, in the page's language: "just now", "42 s ago", "5 min ago", "3 h ago", "2 days ago". */
export function ago(at, now) {
  if (!Number.isFinite(at)) return UNKNOWN;
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 5) return t("ago.now");
  if (seconds < 60) return t("ago.seconds", { n: seconds });
  if (seconds < 3600) return t("ago.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("ago.hours", { n: Math.floor(seconds / 3600) });
  return t("ago.days", { n: Math.floor(seconds / 86_400) });
}

/** A picture a token may bring: https or an inline image, nothing else. Null where there is none. */
export function logoAddress(text) {
  if (typeof text !== "string" || text.length > 65_536) return null;
  if (/^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(text)) return text;
  try {
    const url = new URL(text);
    return url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
