// The last prices received for each token, and their little picture. Only here a price becomes a float:
// a pixel needs no more.

const POINTS_MAX = 60;
const WIDTH = 72;
const HEIGHT = 24;
const MARGIN = 2;

export class PriceHistory {
  #points = new Map();

  /** Notes a price; a repeated or unknown one adds nothing. */
  add(token, priceText) {
    if (priceText === null) return;
    const price = Number(priceText);
    if (!Number.isFinite(price)) return;
    const points = this.#points.get(token);
    if (points === undefined) {
      this.#points.set(token, [price]);
      return;
    }
    if (points.at(-1) === price) return;
    points.push(price);
    if (points.length > POINTS_MAX) points.shift();
  }

  /** The `d` of a path in a `0 0 72 24` box, "" with fewer than two prices. */
  path(token) {
    return sparklinePath(this.#points.get(token) ?? []);
  }

  /** 1, 0 or -1: the last price against the first. */
  trend(token) {
    const points = this.#points.get(token) ?? [];
    return points.length < 2 ? 0 : Math.sign(points.at(-1) - points[0]);
  }

  /** Forgets all tokens but `tokens`. */
  keepOnly(tokens) {
    for (const token of this.#points.keys()) if (!tokens.has(token)) this.#points.delete(token);
  }
}

export function sparklinePath(points) {
  if (points.length < 2) return "";
  const low = Math.min(...points);
  const span = Math.max(...points) - low;
  const step = (WIDTH - 2 * MARGIN) / (points.length - 1);
  return points.map((price, index) => {
    const x = MARGIN + index * step;
    const share = span === 0 ? 0.5 : (price - low) / span;
    const y = HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN);
    return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}
