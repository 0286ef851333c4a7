import assert from "node:assert/strict";
import test from "node:test";
import { Health } from "../health.js";

test("latency is the way and back; lag is by the server's clock", () => {
  const health = new Health();
  health.priced(5_000, 1_000);
  assert.deepEqual([health.latencyMs, health.lagMs], [null, null]);
  // The server's clock is 4 s ahead: half way through the 100 ms it says 5050.
  health.ponged(1_000, 1_100, 5_050);
  assert.equal(health.latencyMs, 100);
  health.priced(5_060, 1_100);
  assert.equal(health.lagMs, 40);
  health.ponged(2_000, 2_200, null);
  assert.equal(health.latencyMs, 130, "smoothed");
  health.priced(9_000, 2_200);
  assert.equal(health.lagMs, 28, "never before it was sent");
  health.priced(null, 2_200);
  health.reset();
  assert.deepEqual([health.latencyMs, health.lagMs], [null, null]);
});

test("lag and heartbeat frames say whether the server conflates", () => {
  const health = new Health();
  health.received({ type: "lag", rev: 1 });
  assert.equal(health.conflating, true);
  health.received({ type: "price" });
  assert.equal(health.conflating, true);
  health.received({ type: "heartbeat" });
  assert.equal(health.conflating, false);
});
