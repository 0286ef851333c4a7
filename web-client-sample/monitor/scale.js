// Pure: axes and how their numbers are written.

import { UNKNOWN } from "../format.js";

/** The next of 1, 2, 5, 10, 20, 50 … that is not below `value`. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9));
}

/** Ticks from 0 to above `highest`, at most five; whole numbers where `isWhole`; round in `unit`s. */
export function ticks(highest, { isWhole = false, ceiling = Infinity, unit = 1 } = {}) {
  if (unit !== 1) return ticks(highest / unit).map((tick) => tick * unit);
  const top = Math.min(Number.isFinite(highest) && highest > 0 ? highest : 1, ceiling);
  const step = Math.max(roundUp(top / 4), isWhole ? 1 : 0);
  const found = [];
  for (let index = 0; index * step < top + step * (1 - 1e-9); index += 1) found.push(Number((index * step).toPrecision(12)));
  return found;
}

function short(value, places) {
  return Number(value.toFixed(places)).toLocaleString("en-US", { maximumFractionDigits: places });
}

function threeDigits(value) {
  return short(value, value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** By unit: a number, or null for what is not known, as text. */
export const formats = {
  count(value) {
    if (value === null) return UNKNOWN;
    if (value >= 1e9) return `${threeDigits(value / 1e9)} G`;
    if (value >= 1e6) return `${threeDigits(value / 1e6)} M`;
    if (value >= 1e4) return `${threeDigits(value / 1e3)} k`;
    return threeDigits(value);
  },
  rate: (value) => (value === null ? UNKNOWN : `${formats.count(value)}/s`),
  percent: (value) => (value === null ? UNKNOWN : `${threeDigits(value)} %`),
  duration(microseconds) {
    if (microseconds === null) return UNKNOWN;
    if (microseconds < 1000) return `${threeDigits(microseconds)} µs`;
    if (microseconds < 1e6) return `${threeDigits(microseconds / 1000)} ms`;
    if (microseconds < 6e7) return `${threeDigits(microseconds / 1e6)} s`;
    return `${threeDigits(microseconds / 6e7)} min`;
  },
  /** Of what is known to the millisecond. */
  age: (microseconds) => (microseconds !== null && microseconds < 1000 ? "< 1 ms" : formats.duration(microseconds)),
  bytes(value) {
    if (value === null) return UNKNOWN;
    if (value === 0) return "0";
    if (value >= 2 ** 30) return `${threeDigits(value / 2 ** 30)} GiB`;
    if (value >= 2 ** 20) return `${threeDigits(value / 2 ** 20)} MiB`;
    return `${threeDigits(value / 2 ** 10)} KiB`;
  },
};

/** A tick of an axis: nothing is nothing in every unit. */
export function tickText(unit, value) {
  return value === 0 ? "0" : formats[unit](value);
}

/** How far back a moment is, for the time axis: `end` ("now"), "-30 s", "-5 min". */
export function back(milliseconds, end) {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds === 0) return end;
  return seconds < 60 ? `−${seconds} s` : `−${short(seconds / 60, 1)} min`;
}

/**
 * The points of one line as an SVG path. `x` and `y` place a time and a value; a gap stays a gap: neither null nor
 * a silence longer than `gapMs` is drawn over.
 */
export function path(points, name, x, y, gapMs) {
  let text = "";
  let last = null;
  for (const { at, values } of points) {
    const value = values[name] ?? null;
    if (value === null) {
      last = null;
      continue;
    }
    const isJoined = last !== null && at - last <= gapMs;
    const place = `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    // A single point is a dot: a line of no length with round ends.
    text += isJoined ? `L${place}` : `M${place}l0 0M${place}`;
    last = at;
  }
  return text;
}
