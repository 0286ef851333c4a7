import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, canonicalToken, canonicalWallet, chainOf, splitKey } from "../keys.js";

const HEX = "d8da6bf26964af9d7eed9e03e53415d37aa96045";

for (const [text, expected] of [
  [`ETH:0x${HEX}`, `ETH:0x${HEX}`], [` eth:0X${HEX.toUpperCase()} `, `ETH:0x${HEX}`],
  [`ETH_SEPOLIA:0x${HEX}`, `ETH_SEPOLIA:0x${HEX}`], [`ETH : 0x${HEX}`, `ETH:0x${HEX}`],
  [`0x${HEX}`, null], [`ETH:${HEX}`, null], [`ETH:0x${HEX}0`, null], ["ETH:native", null], [`:0x${HEX}`, null],
  [`ETH/..:0x${HEX}`, null], [`1:0x${HEX}`, null], ["", null], [null, null], [undefined, null], [{}, null],
]) {
  test(`canonicalWallet ${text}`, () => assert.equal(canonicalWallet(text), expected));
}

for (const [text, expected] of [
  ["eth:Native", "ETH:native"], [`BSC:0x${HEX}`, `BSC:0x${HEX}`], ["ETH:ether", null], ["native", null],
]) {
  test(`canonicalToken ${text}`, () => assert.equal(canonicalToken(text), expected));
}

test("splitKey keeps the address as typed", () => {
  assert.deepEqual(splitKey(" eth: 0xAbC "), { chain: "ETH", address: "0xAbC" });
  assert.equal(splitKey("0xAbC"), null);
});

test("chainOf, addressOf", () => {
  assert.equal(chainOf("ETH:native"), "ETH");
  assert.equal(addressOf("ETH:native"), "native");
});
