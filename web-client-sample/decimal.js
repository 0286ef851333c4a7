// Exact decimal arithmetic on BigInt.
//
// Money arrives as text ("3011.52", base units "1230000000000000000") and leaves as text. Nothing here
// passes through a binary float. A decimal is `{digits, scale}`: the number digits / 10^scale.
// Texts come from strangers, so every parser has a length limit and answers null for what it cannot read.

/** A uint256 has 78 digits; prices are far shorter. */
const TEXT_LENGTH_MAX = 160;
/** ERC-20 `decimals` is a uint8. */
const DECIMALS_MAX = 255;

const PLAIN_DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

export const ZERO = Object.freeze({ digits: 0n, scale: 0 });

/** 10^n as a BigInt. */
function powerOfTen(n) {
  return 10n ** BigInt(n);
}

/** Reads a plain decimal without exponent ("-12.50"); null when it is not one. */
export function parseDecimal(text) {
  if (typeof text !== "string" || text.length > TEXT_LENGTH_MAX) return null;
  const match = PLAIN_DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, whole, fraction = ""] = match;
  const magnitude = BigInt(whole + fraction);
  return { digits: sign === "-" ? -magnitude : magnitude, scale: fraction.length };
}

/** Reads a balance in base units with the token's decimals; null where either is unknown or unreadable. */
export function parseUnits(baseUnits, decimals) {
  if (!isDecimals(decimals)) return null;
  const parsed = parseDecimal(baseUnits);
  if (parsed === null || parsed.scale !== 0) return null;
  return { digits: parsed.digits, scale: decimals };
}

export function isDecimals(value) {
  return Number.isInteger(value) && value >= 0 && value <= DECIMALS_MAX;
}

export function add(a, b) {
  const scale = Math.max(a.scale, b.scale);
  return {
    digits: a.digits * powerOfTen(scale - a.scale) + b.digits * powerOfTen(scale - b.scale),
    scale,
  };
}

export function subtract(a, b) {
  return add(a, { digits: -b.digits, scale: b.scale });
}

/** What `part` is of `whole` in percent, as text, half-even to `places`; null of nothing. */
export function percentOf(part, whole, places) {
  const scale = Math.max(part.scale, whole.scale);
  const divisor = whole.digits * powerOfTen(scale - whole.scale);
  if (divisor === 0n) return null;
  const dividend = part.digits * powerOfTen(scale - part.scale + 2 + places);
  return toText({ digits: divideHalfEven(dividend, divisor), scale: places });
}

export function multiply(a, b) {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

/** -1, 0 or 1. */
export function compare(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const left = a.digits * powerOfTen(scale - a.scale);
  const right = b.digits * powerOfTen(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Rounds to `places` digits after the point, ties to the even neighbour. The result's scale is `places`. */
export function roundHalfEven(value, places) {
  const { digits, scale } = value;
  if (scale <= places) return { digits: digits * powerOfTen(places - scale), scale: places };
  return { digits: divideHalfEven(digits, powerOfTen(scale - places)), scale: places };
}

/** The whole quotient nearest to the exact one, ties to the even neighbour. */
function divideHalfEven(dividend, divisor) {
  const negative = dividend < 0n !== divisor < 0n;
  const above = dividend < 0n ? -dividend : dividend;
  const below = divisor < 0n ? -divisor : divisor;
  let quotient = above / below;
  const twiceRemainder = (above % below) * 2n;
  if (twiceRemainder > below || (twiceRemainder === below && quotient % 2n === 1n)) quotient += 1n;
  return negative ? -quotient : quotient;
}

/** Cuts to `places` digits after the point, towards zero: never shows more than there is. */
export function truncate(value, places) {
  if (value.scale <= places) return value;
  return { digits: value.digits / powerOfTen(value.scale - places), scale: places };
}

/** The text with exactly the digits of the scale: {12345n, 3} is "12.345". */
export function toText({ digits, scale }) {
  const sign = digits < 0n ? "-" : "";
  const magnitude = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0");
  if (scale === 0) return sign + magnitude;
  return `${sign}${magnitude.slice(0, -scale)}.${magnitude.slice(-scale)}`;
}

/** Drops trailing zeros after the point: {1500n, 3} becomes {15n, 1}. */
export function normalized({ digits, scale }) {
  if (digits === 0n) return ZERO;
  let text = digits.toString();
  let drop = 0;
  while (drop < scale && text[text.length - 1 - drop] === "0") drop += 1;
  if (drop > 0) text = text.slice(0, text.length - drop);
  return { digits: BigInt(text), scale: scale - drop };
}

/** The shortest exact text: "1.23" for 1230000000000000000 base units of 18 decimals. */
export function formatUnits(baseUnits, decimals) {
  const value = parseUnits(baseUnits, decimals);
  return value === null ? null : toText(normalized(value));
}

/** Groups the whole part by thousands: "1234567.80" becomes "1,234,567.80". */
export function grouped(text) {
  const point = text.indexOf(".");
  const whole = point < 0 ? text : text.slice(0, point);
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (point < 0 ? "" : text.slice(point));
}

/**
 * What a balance is worth, exact and not yet rounded; null where it is unknown.
 * A balance of "0" is worth nothing even without price or decimals.
 */
export function exactValue(baseUnits, decimals, priceText) {
  if (baseUnits === "0") return ZERO;
  const balance = parseUnits(baseUnits, decimals);
  const price = parseDecimal(priceText);
  if (balance === null || price === null) return null;
  return multiply(balance, price);
}

/** `exactValue` as the protocol writes it: half-even to 2 places, or null. */
export function valueUsd(baseUnits, decimals, priceText) {
  const value = exactValue(baseUnits, decimals, priceText);
  return value === null ? null : toText(roundHalfEven(value, 2));
}
