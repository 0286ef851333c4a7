import assert from "node:assert/strict";
import test from "node:test";
import * as format from "../format.js";

function table(name, call, cases) {
  for (const [args, expected] of cases) {
    test(`${name} ${JSON.stringify(args).slice(0, 60)}`, () => assert.deepEqual(call(...args), expected));
  }
}

table("usd", format.usd, [
  [["3704.17"], "$3,704.17"], [["0.00"], "$0.00"], [["1234567.8"], "$1,234,567.80"], [[null], "—"], [["x"], "—"],
]);

table("price", format.price, [
  [["3011.52"], "$3,011.52"], [["61234.567"], "$61,234.57"], [["999.99999"], "$1000.00"], [["17.482"], "$17.482"],
  [["1.0002"], "$1.0002"], [["1"], "$1.00"], [["0.5"], "$0.50"], [["0.123456"], "$0.1235"], [["0.99999"], "$1.00"],
  [["0.00001234567"], "$0.0₄1235"], [["0.0001234567"], "$0.0001235"], [["0.000000712345"], "$0.0₆7123"], [["0.0000000000012"], "$0.0₁₁12"],
  [["0"], "$0.00"], [["0.000"], "$0.00"], [[null], "—"], [["1e-9"], "—"],
]);

table("change", format.change, [
  [["-1.20"], { text: "1.20%", direction: -1 }], [["14.31"], { text: "14.31%", direction: 1 }],
  [["0.00"], { text: "0.00%", direction: 0 }], [["-0.00"], { text: "0.00%", direction: 0 }],
  [["1234.5"], { text: "1,234.5%", direction: 1 }], [[null], { text: "—", direction: 0 }],
]);

table("balance", format.balance, [
  [["1230000000000000000", 18], "1.23"], [["25000000", 6], "25"], [["1999999999999999999", 18], "1.999999…"],
  [["48213377123456789012345678", 18], "48,213,377…"], [["123456780000", 6], "123,456.78"], [["1", 18], "<0.000001"],
  [["0", null], "0"], [["0", 18], "0"], [["5", null], "—"], [[null, 18], "—"],
]);

table("exactBalance", format.exactBalance, [
  [["48213377123456789012345678", 18], "48,213,377.123456789012345678"], [["5", null], "5 base units (decimals unknown)"],
  [[null, 18], "—"], [["x", 18], "—"],
]);

table("name", format.name, [
  [["Ether"], "Ether"], [[null], ""], [[7], ""], [["  a \n\t b "], "a b"], [["ab\u202egnp\u200b.exe"], "abgnp.exe"],
  [["\u0000x\u2066y\ufeff"], "xy"], [["x".repeat(65)], `${"x".repeat(63)}…`], [["x".repeat(64)], "x".repeat(64)],
  [["<b>bold</b>"], "<b>bold</b>"], [["代币"], "代币"],
]);

table("monogram", format.monogram, [
  [["ETH"], "ETH"], [["usdc"], "US"], [["$x"], "X"], [["<>"], "?"], [[null], "?"], [["代币"], "代币"],
]);

table("ago", format.ago, [
  [[1000, 2000], "just now"], [[0, 42_000], "42 s ago"], [[0, 300_000], "5 min ago"], [[0, 7_200_000], "2 h ago"],
  [[0, 86_400_000], "1 day ago"], [[0, 200_000_000], "2 days ago"], [[9000, 0], "just now"], [[null, 5], "—"],
]);

table("logoAddress", format.logoAddress, [
  [["https://example.org/a.png"], "https://example.org/a.png"], [["http://example.org/a.png"], null],
  [["javascript:alert(1)"], null], [["data:image/png;base64,AA"], "data:image/png;base64,AA"],
  [["data:text/html,<script>"], null], [["ipfs://x"], null], [["/a.png"], null], [[null], null], [[{}], null],
]);

test("shortAddress", () => {
  assert.equal(format.shortAddress("0xd8da6bf26964af9d7eed9e03e53415d37aa96045"), "0xd8da…6045");
  assert.equal(format.shortAddress("native"), "native");
});
