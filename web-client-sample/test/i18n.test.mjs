import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { TEXTS, bestLanguage, errorText, setLanguage, t } from "../i18n.js";
import { ago } from "../format.js";
import "../monitor/texts.js";
import "../playground/texts.js";

const folder = new URL("..", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const modules = (inside) => readdirSync(new URL(inside, folder)).filter((name) => name.endsWith(".js") && !name.startsWith("texts"))
  .map((name) => read(inside + name)).join("\n");
const pages = ["index.html", "monitor.html", "playground.html"].map(read);
const code = modules("./") + modules("monitor/") + modules("playground/");
const names = (text) => (typeof text === "string" ? [text] : Object.values(text)).map((one) => [...one.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());

test("every language has every text, with the same names in it", () => {
  assert.deepEqual(Object.keys(TEXTS.zh), Object.keys(TEXTS.en));
  for (const key of Object.keys(TEXTS.en)) {
    for (const form of names(TEXTS.zh[key])) assert.deepEqual(form, names(TEXTS.en[key])[0], key);
  }
});

test("the pages ask for texts that there are, and each text is asked for", () => {
  const asked = pages.flatMap((page) => [...page.matchAll(/data-t(?:-[a-z-]+)?="([^"]+)"/g)].map(([, key]) => key));
  for (const key of asked) assert.ok(key in TEXTS.en, key);
  for (const [, key] of code.matchAll(/\bt\("([^"]+)"/g)) assert.ok(key in TEXTS.en, key);
  const composed = new RegExp("^(error|badge|fold|state|transport|theme|connection|add|card|nothing|row"
    + "|panel|series|endpoints?|sources|jobs|monitor\\.state|example|value|close|ended|playground|frames)\\.");
  for (const key of Object.keys(TEXTS.en)) {
    assert.ok(asked.includes(key) || code.includes(`"${key}"`) || composed.test(key), `${key} is used nowhere`);
  }
});

test("no text stands in the pages themselves but names and what works without JavaScript", () => {
  const names = ["WalletPush", "export", "WALLETPUSH_TOKEN=…"];
  for (const page of pages) {
    const words = page.replace(/<(script|style|title|noscript)[\s\S]*?<\/\1>/g, "").replace(/<[^>]*data-t="[^>]*>[^<]*/g, "").replace(/<[^>]+>/g, "");
    assert.deepEqual(words.split(/\s+/).filter((word) => /\p{L}/u.test(word) && !names.includes(word)), []);
  }
});

test("names, plurals, numbers", () => {
  setLanguage("en");
  assert.equal(t("connection.caughtUp", { n: 1 }), "Live · 1 change caught up");
  assert.equal(t("connection.caughtUp", { n: 1234 }), "Live · 1,234 changes caught up");
  assert.equal(t("no.such"), "no.such");
  assert.equal(t("search.nothing", { text: "{n}$&" }), "Nothing here matches “{n}$&”.");
  setLanguage("zh");
  assert.equal(t("connection.caughtUp", { n: 1 }), "实时 · 已补上 1 项变化");
  assert.equal(ago(0, 42_000), "42 秒前");
  assert.equal(errorText({ code: "upstream_down", message: "x" }), "目前无法读取该链");
  assert.equal(errorText({ code: "later_invention", message: "as the server says" }), "as the server says");
  setLanguage("xx");
  assert.equal(t("connection.live"), "Live");
});

test("the browser's first language that there is", () => {
  assert.equal(bestLanguage(["fr-CH", "zh-TW", "en"]), "zh");
  assert.equal(bestLanguage([null, "de"]), "en");
});
