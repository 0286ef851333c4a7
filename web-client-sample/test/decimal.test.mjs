import assert from "node:assert/strict";
import test from "node:test";
import {
  add, compare, exactValue, formatUnits, grouped, normalized, parseDecimal, parseUnits, percentOf, roundHalfEven,
  subtract, toText, truncate, valueUsd,
} from "../decimal.js";

const UINT256_MAX = (2n ** 256n - 1n).toString();

for (const [text, expected] of [
  ["0", [0n, 0]], ["3011.52", [301152n, 2]], ["-1.20", [-120n, 2]], ["+5", [5n, 0]], ["0.000", [0n, 3]],
  ["007.5", [75n, 1]],
  ["", null], [".", null], ["1.", null], [".5", null], ["1e5", null], ["0x10", null], ["1,000", null], [" 1", null],
  ["NaN", null], ["--1", null], [null, null], [undefined, null], [12, null], ["9".repeat(161), null],
]) {
  test(`parseDecimal ${JSON.stringify(text)?.slice(0, 30)}`, () => {
    const value = parseDecimal(text);
    assert.deepEqual(value === null ? null : [value.digits, value.scale], expected);
  });
}

for (const [base, decimals, expected] of [
  ["1230000000000000000", 18, "1.23"], ["25000000", 6, "25"], ["1", 18, "0.000000000000000001"], ["0", 18, "0"],
  ["5", 0, "5"], ["100", 0, "100"], ["100", 2, "1"], ["10", 255, `0.${"0".repeat(253)}1`],
  [UINT256_MAX, 18, "115792089237316195423570985008687907853269984665640564039457.584007913129639935"],
  ["1", null, null], [null, 18, null], ["1.5", 18, null], ["1", 256, null], ["1", -1, null], ["1", 1.5, null], ["1", "18", null],
]) {
  test(`formatUnits ${base} / ${decimals}`, () => assert.equal(formatUnits(base, decimals), expected));
}

for (const [text, places, expected] of [
  ["0.005", 2, "0.00"], ["0.015", 2, "0.02"], ["0.025", 2, "0.02"], ["0.035", 2, "0.04"], ["0.0250001", 2, "0.03"],
  ["0.0249999", 2, "0.02"], ["2.5", 0, "2"], ["3.5", 0, "4"], ["0.5", 0, "0"], ["1.5", 0, "2"], ["9.995", 2, "10.00"],
  ["-0.025", 2, "-0.02"], ["-0.035", 2, "-0.04"], ["-0.036", 2, "-0.04"], ["1", 2, "1.00"], ["1.2", 4, "1.2000"],
  ["99999999999999999999999999999.995", 2, "100000000000000000000000000000.00"],
]) {
  test(`roundHalfEven ${text} to ${places}`, () => {
    assert.equal(toText(roundHalfEven(parseDecimal(text), places)), expected);
  });
}

for (const [balance, decimals, price, expected] of [
  ["1230000000000000000", 18, "3011.52", "3704.17"], // 3704.1696
  ["25000000", 6, "1.0002", "25.00"], // 25.005 is a tie: to even
  ["35000000", 6, "1.0001", "35.00"], // 35.0035
  ["15", 3, "1", "0.02"], ["25", 3, "1", "0.02"], ["5", 3, "1", "0.00"],
  ["0", null, null, "0.00"], ["0", 18, null, "0.00"], ["1", 18, "0", "0.00"],
  ["1", null, "5", null], ["1", 18, null, null], [null, 18, "5", null], ["1", 18, "1e3", null],
  [UINT256_MAX, 0, "1.5", "173688133855974293135356477513031861779904976998460846059186376011869694459902.50"],
]) {
  test(`valueUsd ${balance} / ${decimals} at ${price}`, () => {
    assert.equal(valueUsd(balance, decimals, price), expected);
  });
}

test("sums are exact where floats are not", () => {
  const sum = add(parseDecimal("0.1"), parseDecimal("0.20"));
  assert.equal(toText(sum), "0.30");
  assert.equal(toText(normalized(sum)), "0.3");
  assert.equal(compare(sum, parseDecimal("0.3")), 0);
  assert.equal(compare(parseDecimal("-1"), parseDecimal("0.5")), -1);
  assert.equal(compare(parseDecimal("2"), parseDecimal("1.999")), 1);
  assert.equal(toText(exactValue("3", 1, "0.35")), "0.105");
});

test("truncate never shows more than there is", () => {
  assert.equal(toText(truncate(parseDecimal("0.9999999"), 6)), "0.999999");
  assert.equal(toText(truncate(parseUnits("1999", 3), 0)), "1");
  assert.equal(toText(truncate(parseDecimal("1.5"), 6)), "1.5");
});

for (const [text, expected] of [
  ["0", "0"], ["999", "999"], ["1000", "1,000"], ["1234567.8901", "1,234,567.8901"], ["-1000.5", "-1,000.5"],
  ["-100", "-100"], ["0.123456", "0.123456"],
]) {
  test(`grouped ${text}`, () => assert.equal(grouped(text), expected));
}

for (const [value, expected] of [
  [[1500n, 3], "1.5"], [[0n, 18], "0"], [[100n, 0], "100"], [[100n, 1], "10"], [[-2500n, 3], "-2.5"],
]) {
  test(`normalized ${value}`, () => assert.equal(toText(normalized({ digits: value[0], scale: value[1] })), expected));
}

for (const [part, whole, places, expected] of [
  ["1", "3", 1, "33.3"], ["2", "3", 1, "66.7"], ["0.0005", "1", 1, "0.0"], ["0.0015", "1", 1, "0.2"], ["0", "5", 1, "0.0"],
  ["7", "7", 0, "100"], ["-1", "8", 2, "-12.50"], ["1.00", "0.5", 1, "200.0"], ["1", "0.00", 1, null],
]) {
  test(`${part} of ${whole} in percent`, () => {
    assert.equal(percentOf(parseDecimal(part), parseDecimal(whole), places), expected);
  });
}

test("subtract is exact", () => {
  assert.equal(toText(subtract(parseDecimal("1.1"), parseDecimal("0.20"))), "0.90");
  assert.equal(toText(subtract(parseDecimal("0"), parseDecimal("0.3"))), "-0.3");
});
