// The page's languages: texts under keys, in the page and in the code. Works without a page, for the tests.

import en from "./texts-en.js";
import zh from "./texts-zh.js";

export const TEXTS = { en, zh };
/** What `lang` says (BCP 47). */
const TAGS = { en: "en", zh: "zh-Hans" };

/** Texts of a page of its own: `{en, zh}`, under keys that no other page has. */
export function addTexts(texts) {
  for (const [code, own] of Object.entries(texts)) Object.assign(TEXTS[code], own);
}

let current = "en";
let plural = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");

/** "en" or "zh". */
export function language() {
  return current;
}

/** For dates: what `Intl` takes. */
export function languageTag() {
  return TAGS[current];
}

/** The first of `wishes` (BCP 47 tags) that there are texts in. */
export function bestLanguage(wishes) {
  return wishes.map((tag) => String(tag).toLowerCase().split("-")[0]).find((code) => code in TEXTS) ?? "en";
}

export function setLanguage(code) {
  current = code in TEXTS ? code : "en";
  plural = new Intl.PluralRules(TAGS[current]);
  numbers = new Intl.NumberFormat(TAGS[current]);
}

/** The text under `key` with its {names} filled in; `n` chooses the plural form and is grouped as numbers are. */
export function t(key, values = {}) {
  const found = TEXTS[current][key] ?? key;
  const text = typeof found === "string" ? found : found[plural.select(values.n)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? numbers.format(value) : String(value ?? "");
  });
}

export function hasText(key) {
  return key in TEXTS[current];
}

/** What an error says: by its code where the page has words for it, else in the server's. */
export function errorText({ code, message }) {
  return hasText(`error.${code}`) ? t(`error.${code}`) : String(message ?? code);
}

const ATTRIBUTES = ["aria-label", "title", "placeholder", "content"];

/** Fills in what is marked below `root`: `data-t` names a text, `data-t-title` and so on that of an attribute. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const attribute of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[data-t-${attribute}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-t-${attribute}`)));
    }
  }
}

/** The whole page, its templates too. */
export function translatePage() {
  document.documentElement.lang = TAGS[current];
  translate(document);
  for (const template of document.querySelectorAll("template")) translate(template.content);
}
