import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

/** Files of the library, which the page takes by its front door alone. */
const LIBRARY = [
  "connection.js", "credentials.js", "decimal.js", "environment.js", "errors.js", "event-stream.js", "health.js", "http-api.js", "http-transport.js",
  "http-wallet.js", "keys.js", "requests.js", "resume.js", "socket-transport.js", "state.js", "walletpush.js",
];
const OUTSIDE = /new (WebSocket|EventSource|XMLHttpRequest)\b|(?<![.#\w])fetch\(|sendBeacon|importScripts/;

/** File name → its code without comments, for all that `start` imports, however far. */
function reachable(start, found = new Map()) {
  if (found.has(start)) return found;
  const text = readFileSync(new URL(`../${start}`, import.meta.url), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  found.set(start, text);
  for (const [, file] of text.matchAll(/(?:from|import) "\.\/(.*?)"/g)) reachable(file, found);
  return found;
}

test("only environment.js opens sockets and sends requests", () => {
  for (const [file, text] of reachable("app.js")) {
    if (file !== "environment.js") assert.doesNotMatch(text, OUTSIDE, file);
  }
  assert.match(reachable("app.js").get("environment.js"), OUTSIDE);
});

test("the page takes the library by its front door", () => {
  for (const [file, text] of reachable("app.js")) {
    if (LIBRARY.includes(file)) continue;
    const taken = [...text.matchAll(/from "\.\/(.*?)"/g)].map(([, name]) => name).filter((name) => LIBRARY.includes(name));
    assert.deepEqual(taken.filter((name) => name !== "walletpush.js"), [], file);
  }
});

test("the library needs nothing of the page", () => {
  assert.deepEqual([...reachable("walletpush.js").keys()].sort(), LIBRARY);
  for (const [file, text] of reachable("walletpush.js")) {
    assert.doesNotMatch(text, /\b(document|window|localStorage|navigator|location)\b/, file);
  }
});
