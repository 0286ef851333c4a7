import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { closeMeaning } from "../playground/close-codes.js";
import { setLanguage } from "../i18n.js";
import { curlLine, quoted, websocatLine } from "../playground/commands.js";
import { examples, WALLET } from "../playground/examples.js";
import { FrameLog, typeOf } from "../playground/frame-log.js";
import { check, OPS } from "../playground/message.js";
import { mayTravel } from "../playground/socket.js";

test("there is an example of every op, and only the mistake is one", () => {
  const all = examples(WALLET, "a:1");
  assert.deepEqual([...new Set(all.map(({ message }) => message.op))].sort(), Object.keys(OPS).sort());
  for (const { message, title } of all) assert.deepEqual(check(JSON.stringify(message)).warnings, [], title);
  assert.equal(new Set(all.map(({ title }) => title)).size, all.length);
});

test("examples speak of the wallet and the revision given", () => {
  const all = examples("BSC:0xabc", "k:7");
  assert.deepEqual(all[0].message.wallets, ["BSC:0xabc"]);
  assert.deepEqual(all[1].message.tokens, ["BSC:native"]);
  assert.equal(all[2].message.since, "k:7");
  assert.match(examples(WALLET)[2].about, /heartbeat/);
});

for (const [text, words] of [
  ["{", /^No JSON/], ["", /^Write/], ["  \n", /^Write/], ["{'op':1}", /^No JSON/], ["{\"op\":\"ping\",}", /^No JSON/],
]) {
  test(`no JSON: ${JSON.stringify(text)}`, () => {
    const { fault, compact, warnings } = check(text);
    assert.match(fault, words);
    assert.equal(compact, null);
    assert.deepEqual(warnings, []);
  });
}

for (const [message, words] of [
  ["[]", [/is an object/]], ["null", [/is an object/]], ["7", [/is an object/]],
  ["{}", [/needs "op"/]], [`{"op":"pingg"}`, [/no op "pingg".*subscribe/]], [`{"op":"toString"}`, [/no op/]],
  [`{"op":"subscribe"}`, [/needs "wallets" or "tokens"/]], [`{"op":"subscribe","wallets":"ETH"}`, [/"wallets" is a list/]],
  [`{"op":"subscribe","wallets":[1]}`, [/list of strings/]], [`{"op":"get"}`, [/needs "wallet"/]],
  [`{"op":"set","rate":0}`, [/"rate" is a number above 0/]], [`{"op":"set","rate":null,"batch":1}`, [/true or false/]],
  [`{"op":"ping","x":1}`, [/does not look at "x"/]], [`{"op":"auth"}`, [/needs "token"/]],
  [`{"op":"ping","id":1.5}`, [/"id" is/]], [`{"op":"ping","id":"${"x".repeat(37)}"}`, [/"id" is/]],
  [`{"op":"ping","id":9007199254740992}`, [/"id" is/]], [`{"op":"ping","id":null}`, [/"id" is/]],
  [`{"op":"ping","id":"${"x".repeat(36)}"}`, []], [`{"op":"ping","id":-3}`, []], [`{"op":"set"}`, []],
  [`{"op":"subscribe","tokens":[],"since":null}`, []], [`{"op":"list"}`, []],
]) {
  test(`warnings of ${message}`, () => {
    const { fault, warnings } = check(message);
    assert.equal(fault, null);
    assert.equal(warnings.length, words.length, warnings.join("; "));
    for (const [index, pattern] of words.entries()) assert.match(warnings[index], pattern);
  });
}

test("a compact message is one line", () => {
  assert.equal(check(`{\n "op": "ping",\n "id": "a\\nb"\n}`).compact, `{"op":"ping","id":"a\\nb"}`);
});

/** What a shell makes of it. */
function words(line) {
  return execFileSync("sh", ["-c", `WALLETPUSH_TOKEN=tok; set -- ${line}; printf '%s\\0' "$@"`]).toString().split("\0").slice(0, -1);
}

for (const text of ["plain", "it's", "a\"b", "$HOME `id` \\ !x", "a\nb", "''", "", "-n", "中文"]) {
  test(`quoted for a shell: ${JSON.stringify(text)}`, () => assert.deepEqual(words(quoted(text)), [text]));
}

test("websocat lines", () => {
  assert.deepEqual(words(websocatLine("ws://a:1/ws", null, false)), ["websocat", "-n", "ws://a:1/ws"]);
  assert.deepEqual(words(websocatLine("wss://a/ws?x=1&y=2", null, true)),
    ["websocat", "-H=Authorization: Bearer tok", "-n", "wss://a/ws?x=1&y=2"]);
  const message = JSON.stringify({ op: "subscribe", id: "it's", wallets: [WALLET] });
  const line = websocatLine("ws://a:1/ws", message, false);
  assert.ok(line.endsWith(" | websocat -n 'ws://a:1/ws'"));
  assert.equal(execFileSync("sh", ["-c", line.split(" | ")[0]]).toString(), `${message}\n`);
});

const base = new URL("https://a.example/push/");

for (const [message, expected] of [
  [{ op: "get", wallet: WALLET }, ["curl", "-sS", `https://a.example/push/api/v1/wallets/${WALLET}/balances`]],
  [{ op: "refresh", wallet: WALLET }, ["curl", "-sS", "-X", "POST", `https://a.example/push/api/v1/wallets/${WALLET}/refresh_balances`]],
  [{ op: "subscribe", wallets: [WALLET] }, ["curl", "-sS", "-N", `https://a.example/push/api/v1/wallets/${WALLET}/stream`]],
  [{ op: "get", wallet: "a'b?c/d" }, ["curl", "-sS", "https://a.example/push/api/v1/wallets/a%27b%3Fc%2Fd/balances"]],
  [{ op: "list" }, ["curl", "-sS", "https://a.example/push/api/v1/wallets"]],
  [{ op: "ping" }, ["curl", "-sS", "https://a.example/push/healthz"]],
]) {
  test(`curl for ${message.op} ${message.wallet ?? ""}`, () => {
    assert.deepEqual(words(curlLine(base, message, false)).map((word) => word.replace("'", "%27")), expected);
  });
}

test("curl with a token, and where there is no call", () => {
  assert.deepEqual(words(curlLine(base, { op: "list" }, true)).slice(2, 4), ["-H", "Authorization: Bearer tok"]);
  for (const message of [
    null, 7, {}, { op: "set" }, { op: "auth" }, { op: "unsubscribe" }, { op: "subscribe", tokens: ["ETH:native"] }, { op: "get", wallet: 7 },
    { op: "subscribe", wallets: [7] },
  ]) assert.equal(curlLine(base, message, false), null);
});

test("the checks and codes speak Chinese too", () => {
  setLanguage("zh");
  assert.match(check("{").fault, /^不是 JSON/);
  assert.equal(check(`{"op":"ping","x":1}`).warnings[0], "\"ping\" 不理会 \"x\"。");
  assert.equal(closeMeaning(4002).text, "禁止访问");
  assert.equal(examples(WALLET)[0].title, "关注钱包");
  setLanguage("en");
});

test("close codes", () => {
  assert.deepEqual(closeMeaning(4108), { text: "slow: nothing was taken for too long", mayReturn: true });
  assert.equal(closeMeaning(1008).mayReturn, true);
  assert.equal(closeMeaning(4001).mayReturn, false);
  assert.equal(closeMeaning(4050).mayReturn, false);
  assert.equal(closeMeaning(4150).mayReturn, true);
  assert.equal(closeMeaning(3000).text, "unknown");
});

test("types of frames", () => {
  assert.equal(typeOf(`{"type":"price"}`), "price");
  assert.equal(typeOf(`{"op":"ping"}`), "ping");
  assert.equal(typeOf("x"), "no JSON");
  assert.equal(typeOf("null"), "other");
  assert.equal(typeOf(`{"type":7}`), "other");
});

test("the log is bounded and filtered", () => {
  const log = new FrameLog(3);
  for (const text of [`{"type":"hello"}`, `{"type":"price","rev":1}`, `{"type":"PRICE"}`, `{"type":"price","rev":22}`]) log.add("in", text, 0);
  assert.equal(log.count, 3);
  assert.equal(log.dropped, 1);
  assert.deepEqual(log.types, ["PRICE", "price"]);
  assert.deepEqual(log.matching().map(({ number }) => number), [2, 3, 4]);
  assert.deepEqual(log.matching({ type: "price" }).map(({ number }) => number), [2, 4]);
  assert.deepEqual(log.matching({ words: " Rev " }).map(({ number }) => number), [2, 4]);
  assert.deepEqual(log.matching({ words: "22" }).map(({ number }) => number), [4]);
  assert.deepEqual(log.matching({ last: 3 }).map(({ number }) => number), [2, 3]);
  log.add("note", "hello", 0);
  assert.equal(log.matching().at(-1).type, "note");
  log.clear();
  assert.deepEqual([log.count, log.dropped, log.matching()], [0, 0, []]);
});

test("tokens that may travel as a sub-protocol", () => {
  assert.ok(mayTravel("eyJhbGciOi.eyJl_x-9.sig"));
  for (const token of ["", "a b", "a,b", "a\"b", "é"]) assert.ok(!mayTravel(token), token);
});
