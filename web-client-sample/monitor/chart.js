// One card: a title, the newest value, lines over time as SVG, and a legend that shows the values under the pointer.

import { setAttribute, setText } from "../dom.js";
import { back, formats, path, ticks, tickText } from "./scale.js";
import { hasText, t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 150;
const LEFT = 54;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;
const COLOURS = 8;
/** Answers further apart than this are not joined by a line. */
const GAP_MS = 4000;

function svg(tag, className, parent) {
  const element = document.createElementNS(SVG, tag);
  if (className) element.setAttribute("class", className);
  parent?.append(element);
  return element;
}

function html(tag, className, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  parent?.append(element);
  return element;
}

export class Chart {
  #panel;
  #names = [];
  #lines = new Map();
  #card = html("section", "card panel");
  #title;
  #about;
  #now;
  #svg;
  #grid;
  #marks;
  #paths;
  #cursor;
  #legend;
  #width = 320;
  #view = null;

  /** `panel`: see panels.js. `onHover(time or null)`: the pointer is over that time. */
  constructor(panel, onHover) {
    this.#panel = panel;
    const head = html("header", "panel-head", this.#card);
    this.#title = html("h2", "", head);
    this.#now = html("p", "panel-now", head);
    this.#svg = svg("svg", "chart", this.#card);
    setAttribute(this.#svg, "role", "img");
    setAttribute(this.#svg, "height", String(HEIGHT));
    this.#grid = svg("g", "grid", this.#svg);
    this.#marks = svg("g", "marks", this.#svg);
    this.#paths = svg("g", "lines", this.#svg);
    this.#cursor = svg("path", "cursor", this.#svg);
    this.#legend = html("ul", "legend", this.#card);
    this.#about = html("p", "about", this.#card);
    this.#svg.addEventListener("pointermove", (event) => onHover(this.#timeAt(event)));
    this.#svg.addEventListener("pointerleave", () => onHover(null));
    new ResizeObserver(([entry]) => {
      this.#width = Math.max(160, Math.round(entry.contentRect.width));
      setAttribute(this.#svg, "viewBox", `0 0 ${this.#width} ${HEIGHT}`);
      if (this.#view !== null) this.draw(this.#view);
    }).observe(this.#svg);
  }

  get element() {
    return this.#card;
  }

  /** What it is called, in the page's language. */
  #say() {
    setText(this.#title, t(`panel.${this.#panel.id}`));
    setText(this.#about, t(`panel.${this.#panel.id}.about`));
    for (const [name, { label }] of this.#lines) setText(label, called(name));
  }

  /** `{points, restarts, from, to, end, hover}`: what is to be seen; `end` is what `to` is called, `hover` a time or null. */
  draw(view) {
    this.#view = view;
    this.#collectNames(view.points);
    this.#say();
    const shown = view.points.filter(({ at }) => at >= view.from);
    const marks = this.#ticks(shown);
    const top = marks.at(-1);
    const x = (at) => LEFT + ((at - view.from) / (view.to - view.from)) * (this.#width - LEFT - RIGHT);
    const y = (value) => TOP + (1 - Math.min(value, top) / top) * (HEIGHT - TOP - BOTTOM);
    this.#drawGrid(marks, y, view, x);
    for (const name of this.#names) {
      setAttribute(this.#lines.get(name).path, "d", path(shown, name, x, y, GAP_MS));
    }
    this.#drawMarks(view, x);
    this.#showValues(view, x);
  }

  /** Series come as they are first seen; one keeps its colour. */
  #collectNames(points) {
    const last = points.at(-1)?.values ?? {};
    const prefix = `${this.#panel.id}/`;
    for (const name of this.#panel.series ?? Object.keys(last).filter((name) => name.startsWith(prefix))) {
      if (this.#lines.has(name) || this.#lines.size >= COLOURS) continue;
      const colour = `s${this.#lines.size + 1}`;
      const item = html("li", "", this.#legend);
      html("span", `swatch ${colour}`, item);
      const label = html("span", "series", item);
      this.#lines.set(name, { path: svg("path", colour, this.#paths), label, value: html("b", "", item) });
      this.#names.push(name);
    }
  }

  #ticks(points) {
    let highest = 0;
    for (const { values } of points) {
      for (const name of this.#names) highest = Math.max(highest, values[name] ?? 0);
    }
    const { ceiling, isWhole, unit } = this.#panel;
    const size = unit === "bytes" ? 2 ** (10 * Math.floor(Math.log2(Math.max(highest, 1024)) / 10)) : 1;
    // A figure that hardly moves from nothing should not look like a storm.
    return ticks(Math.max(highest, this.#panel.least ?? 0), { ceiling, isWhole, unit: size });
  }

  #drawGrid(marks, y, view, x) {
    const rows = marks.map((mark) => {
      const row = svg("g");
      const line = svg("path", "", row);
      setAttribute(line, "d", `M${LEFT} ${y(mark).toFixed(1)}H${this.#width - RIGHT}`);
      this.#text(row, tickText(this.#panel.unit, mark), LEFT - 6, y(mark) + 4, "end");
      return row;
    });
    const count = this.#width > 420 ? 5 : 2;
    for (let index = 0; index <= count; index += 1) {
      const at = view.from + ((view.to - view.from) * index) / count;
      const group = svg("g");
      const anchor = index === 0 ? "start" : index === count ? "end" : "middle";
      this.#text(group, back(view.to - at, view.end), x(at), HEIGHT - 6, anchor);
      rows.push(group);
    }
    this.#grid.replaceChildren(...rows);
  }

  #text(parent, text, x, y, anchor) {
    const element = svg("text", "", parent);
    element.textContent = text;
    setAttribute(element, "x", x.toFixed(1));
    setAttribute(element, "y", y.toFixed(1));
    setAttribute(element, "text-anchor", anchor);
  }

  #drawMarks(view, x) {
    const shown = view.restarts.filter((at) => at >= view.from);
    this.#marks.replaceChildren(...shown.map((at) => {
      const line = svg("path", "restart");
      setAttribute(line, "d", `M${x(at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
      svg("title", "", line).textContent = t("monitor.restart");
      return line;
    }));
  }

  #showValues(view, x) {
    const isOver = view.hover !== null && view.hover >= view.from;
    const at = isOver ? nearest(view.points, view.hover) : view.points.at(-1);
    const format = formats[this.#panel.unit];
    for (const name of this.#names) setText(this.#lines.get(name).value, format(at?.values[name] ?? null));
    setAttribute(this.#cursor, "d", isOver && at ? `M${x(at.at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}` : "");
    const main = this.#panel.main ?? this.#names[0];
    const text = this.#panel.main === null ? "" : format(view.points.at(-1)?.values[main] ?? null);
    setText(this.#now, text);
    const all = this.#names.map((name) => `${called(name)} ${format(view.points.at(-1)?.values[name] ?? null)}`);
    setAttribute(this.#svg, "aria-label", `${t(`panel.${this.#panel.id}`)}: ${all.join(", ") || t("monitor.nothing")}`);
  }

  #timeAt(event) {
    if (this.#view === null) return null;
    const box = this.#svg.getBoundingClientRect();
    const part = ((event.clientX - box.left) * (this.#width / box.width) - LEFT) / (this.#width - LEFT - RIGHT);
    return this.#view.from + Math.min(1, Math.max(0, part)) * (this.#view.to - this.#view.from);
  }
}

/** A series by its name, `panel/series`: what has no text is a name from outside, such as a host. */
function called(name) {
  const own = name.slice(name.indexOf("/") + 1);
  return hasText(`series.${own}`) ? t(`series.${own}`) : own;
}

/** The point whose time is nearest to `at`. */
function nearest(points, at) {
  return points.reduce((best, one) => (best && Math.abs(best.at - at) <= Math.abs(one.at - at) ? best : one), undefined);
}
