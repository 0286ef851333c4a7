import assert from "node:assert/strict";
import test from "node:test";
import { PriceHistory, sparklinePath } from "../sparkline.js";

test("a path needs two prices", () => {
  assert.equal(sparklinePath([]), "");
  assert.equal(sparklinePath([1]), "");
  assert.equal(sparklinePath([1, 2]), "M2.0 22.0L70.0 2.0");
  assert.equal(sparklinePath([5, 5, 5]), "M2.0 12.0L36.0 12.0L70.0 12.0");
});

test("history is bounded, skips repeats and the unknown, and forgets", () => {
  const history = new PriceHistory();
  for (const price of ["1", "1", null, "x", "2"]) history.add("T", price);
  assert.equal(history.path("T"), "M2.0 22.0L70.0 2.0");
  assert.equal(history.trend("T"), 1);
  for (let i = 200; i > 0; i -= 1) history.add("T", String(i));
  assert.equal(history.path("T").split("L").length, 60);
  assert.equal(history.trend("T"), -1);
  history.keepOnly(new Set(["U"]));
  assert.equal(history.path("T"), "");
  assert.equal(history.trend("T"), 0);
});
