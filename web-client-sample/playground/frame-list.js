// The list of frames on the page: written once a frame of the screen, and only where it differs.

import { setHidden, setText } from "../dom.js";
import { name } from "../format.js";
import { t } from "./texts.js";

const ARROWS = { in: "←", out: "→", note: "·" };
/** Of a long frame so much stands in its line. */
const LINE = 400;

function time(at) {
  const date = new Date(at);
  const two = (number, count = 2) => String(number).padStart(count, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${two(date.getMilliseconds(), 3)}`;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function make(entry) {
  const item = document.createElement("li");
  item.dataset.way = entry.way;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "line";
  button.setAttribute("aria-expanded", "false");
  const add = (className, text) => {
    const part = document.createElement("span");
    part.className = className;
    part.textContent = text;
    button.append(part);
  };
  add("time", time(entry.at));
  add("arrow", ARROWS[entry.way]);
  add("visually-hidden", t(`frames.${entry.way}`));
  add("type", name(entry.type));
  // Strangers' text, in one line: nothing hidden or reordered.
  add("text", entry.text.slice(0, LINE).replace(/[\p{Cc}\p{Cf}]/gu, " "));
  item.append(button);
  button.addEventListener("click", () => {
    const isOpen = item.querySelector("pre") !== null;
    if (isOpen) item.querySelector("pre").remove();
    else item.append(Object.assign(document.createElement("pre"), { textContent: pretty(entry.text) }));
    button.setAttribute("aria-expanded", String(!isOpen));
  });
  return item;
}

export class FrameList {
  #list;
  #empty;
  #items = new Map();

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  /** Shows exactly these entries. */
  show(entries, { newestFirst }) {
    const wasAtEnd = this.#list.scrollTop + this.#list.clientHeight >= this.#list.scrollHeight - 40;
    const wanted = new Set(entries.map(({ number }) => number));
    for (const [number, item] of this.#items) {
      if (wanted.has(number)) continue;
      item.remove();
      this.#items.delete(number);
    }
    const ordered = newestFirst ? entries.toReversed() : entries;
    let place = this.#list.firstElementChild;
    for (const entry of ordered) {
      const known = this.#items.get(entry.number);
      if (known !== undefined && known === place) {
        place = place.nextElementSibling;
        continue;
      }
      const item = known ?? make(entry);
      this.#items.set(entry.number, item);
      this.#list.insertBefore(item, place);
    }
    setHidden(this.#empty, entries.length > 0);
    if (!newestFirst && wasAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

/** Copies, and says so on the button for a moment. */
export async function copy(button, text) {
  let isDone = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    isDone = false;
  }
  setText(button, t(isDone ? "terminal.copied" : "terminal.notCopied"));
  setTimeout(() => setText(button, t("terminal.copy")), 1500);
}
