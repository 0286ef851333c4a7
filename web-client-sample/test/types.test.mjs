import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "node:test";
import * as library from "../walletpush.js";

const types = readFileSync(new URL("../walletpush.d.ts", import.meta.url), "utf8");

test("the types declare what the library exports, and nothing else", () => {
  const declared = [...types.matchAll(/^export declare (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(library).sort());
});

test("the types declare the members of the client", () => {
  const [, body] = /export declare class WalletPushClient extends EventTarget \{\n([\s\S]*?)\n\}/.exec(types);
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, name]) => name);
  const client = new library.WalletPushClient("ws://test/ws", { transports: ["polling"] });
  const inherited = ["constructor", "addEventListener", "removeEventListener"];
  const own = [...Object.getOwnPropertyNames(library.WalletPushClient.prototype), ...Object.keys(client)];
  assert.deepEqual([...new Set(declared)].filter((name) => !inherited.includes(name)).sort(), own.filter((name) => name !== "constructor").sort());
});

test("the types declare the events of the client", () => {
  const [, body] = /export interface ClientEvents \{\n([\s\S]*?)\n\}/.exec(types);
  const declared = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  const code = readFileSync(new URL("../walletpush.js", import.meta.url), "utf8");
  assert.deepEqual(declared.sort(), [...new Set([...code.matchAll(/#emit\("(\w+)"/g)].map(([, name]) => name))].sort());
});

const compiler = spawnSync("tsc", ["--version"]);

test("the types compile, and refuse what is wrong", { skip: compiler.error ? "no tsc on this machine" : false }, () => {
  const usage = fileURLToPath(new URL("types/usage.ts", import.meta.url));
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "node", "--lib", "es2022,dom,dom.iterable", "--skipLibCheck"];
  const { status, stdout } = spawnSync("tsc", [...options, usage], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});
