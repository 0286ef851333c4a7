// The tables below the charts: endpoints, jobs. Each keeps its rows and writes only what changed.

import { setAttribute, setText } from "../dom.js";
import { UNKNOWN } from "../format.js";
import { formats } from "./scale.js";
import { hasText, t } from "./texts.js";

/** How much of an endpoint's past is shown. */
const STRIP = 60;

const TONES = { up: "good", failing: "bad", wrong_chain: "bad" };

/** Rows by key, in the order given; a row is made of `cells` cells. */
class Rows {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  /** `labels`: keys of what each cell is called, for narrow screens. */
  show(keys, labels, fill) {
    for (const [key, row] of this.#rows) {
      if (keys.includes(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    for (const [index, key] of keys.entries()) {
      const row = this.#rows.get(key) ?? this.#make(key, labels.length);
      for (const [place, label] of labels.entries()) setAttribute(row.cells[place], "data-label", t(label));
      if (this.#body.children[index] !== row.element) this.#body.insertBefore(row.element, this.#body.children[index] ?? null);
      fill(row.cells, row, index);
    }
  }

  #make(key, count) {
    const element = document.createElement("tr");
    const cells = Array.from({ length: count }, (_, index) => {
      const cell = document.createElement(index === 0 ? "th" : "td");
      if (index === 0) cell.scope = "row";
      element.append(cell);
      return cell;
    });
    const row = { element, cells, past: [] };
    this.#rows.set(key, row);
    return row;
  }
}

const ENDPOINT = ["endpoint", "chain", "state", "past", "latency", "errors", "block"].map((name) => `endpoints.${name}`);

export class EndpointTable {
  #rows;

  constructor(body) {
    this.#rows = new Rows(body);
  }

  show(chains) {
    const all = chains.flatMap((chain) => chain.endpoints.map((endpoint) => ({ chain, endpoint })));
    const highest = new Map(chains.map(({ chain, endpoints }) => [chain, Math.max(...endpoints.map(({ block }) => block ?? 0))]));
    const keys = all.map(({ chain, endpoint }) => `${chain.chain} ${endpoint.host}`);
    this.#rows.show(keys, ENDPOINT, (cells, row, index) => {
      const { chain, endpoint } = all[index];
      const tone = TONES[endpoint.state] ?? "busy";
      const word = hasText(`endpoint.${endpoint.state}`) ? t(`endpoint.${endpoint.state}`) : endpoint.state;
      setText(cells[0], endpoint.host);
      setText(cells[1], chain.state === "up" ? chain.chain
        : t(chain.reason === "standing_still" ? "endpoints.standing" : "endpoints.down", chain));
      setAttribute(cells[1], "class", chain.state === "up" ? null : "bad");
      badge(cells[2], word, tone);
      strip(cells[3], row.past, tone);
      setText(cells[4], endpoint.latency_ms === null ? UNKNOWN : `${endpoint.latency_ms} ms`);
      setText(cells[5], `${endpoint.error_percent} %`);
      setAttribute(cells[5], "class", endpoint.error_percent >= 20 ? "bad" : null);
      setText(cells[6], block(endpoint.block, highest.get(chain.chain)));
    });
  }
}

function block(number, highest) {
  if (number === null) return UNKNOWN;
  const behind = highest - number;
  return `${number.toLocaleString("en-US")}${behind > 0 ? ` (−${behind})` : ""}`;
}

function badge(cell, word, tone) {
  const element = cell.firstElementChild ?? cell.appendChild(document.createElement("span"));
  element.className = "badge";
  setAttribute(element, "data-tone", tone);
  setText(element, word);
}

/** A stripe for each of the last looks. */
function strip(cell, past, tone) {
  past.push(tone);
  if (past.length > STRIP) past.shift();
  let box = cell.firstElementChild;
  if (box === null) {
    box = cell.appendChild(document.createElement("span"));
    box.className = "strip";
    box.setAttribute("role", "img");
    for (let index = 0; index < STRIP; index += 1) box.append(document.createElement("i"));
  }
  const bad = past.filter((tone) => tone !== "good").length;
  setAttribute(box, "aria-label", bad === 0 ? t("endpoints.always") : t("endpoints.sometimes", { bad, looks: past.length }));
  for (const [index, stripe] of [...box.children].entries()) {
    setAttribute(stripe, "data-tone", past[index - STRIP + past.length] ?? null);
  }
}

const FIGURES = ["running", "waiting", "done", "failed", "restarts", "refused"];
const JOB = ["job", ...FIGURES, "oldest"].map((name) => `jobs.${name}`);

export class JobTable {
  #rows;

  constructor(body) {
    this.#rows = new Rows(body);
  }

  show(jobs) {
    this.#rows.show(jobs.map(({ job }) => job), JOB, (cells, _, index) => {
      const job = jobs[index];
      setText(cells[0], job.job.replaceAll("_", " "));
      for (const [place, member] of FIGURES.entries()) {
        setText(cells[place + 1], job[member].toLocaleString("en-US"));
        const isBad = ["failed", "restarts", "refused"].includes(member) && job[member] > 0;
        setAttribute(cells[place + 1], "class", isBad ? "bad" : null);
      }
      setText(cells[7], job.running + job.waiting === 0 ? UNKNOWN : formats.duration(job.oldest_us));
    });
  }
}

const PRICE = ["source", "state", "batches", "failed"].map((name) => `sources.${name}`);

export class PriceTable {
  #rows;

  constructor(body) {
    this.#rows = new Rows(body);
  }

  show(prices, now) {
    const { sources } = prices;
    this.#rows.show(sources.map(({ source }) => source), PRICE, (cells, _, index) => {
      const source = sources[index];
      setText(cells[0], source.source);
      badge(cells[1], t(source.resting ? "sources.resting" : "sources.asked"), source.resting ? "busy" : "good");
      setText(cells[2], source.batches.toLocaleString("en-US"));
      setText(cells[3], source.failed.toLocaleString("en-US"));
      setAttribute(cells[3], "class", source.failed > 0 ? "bad" : null);
    });
    const last = prices.last_success_at;
    const ago = last === null ? null : formats.age(Math.max(0, now - last) * 1000);
    return t(ago === null ? "sources.never" : "sources.note", { ...prices, ago });
  }
}
