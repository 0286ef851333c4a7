import assert from "node:assert/strict";
import test from "node:test";
import { between, isRestarted, percent, point, quantile, rate } from "../monitor/figures.js";
import { History } from "../monitor/history.js";
import { PANELS } from "../monitor/panels.js";
import { back, formats, path, ticks, tickText } from "../monitor/scale.js";
import { meaning, pause } from "../monitor/source.js";
import { hasText } from "../monitor/texts.js";

const histogram = (counts) => ({ le_us: [1000, 2000, 5000], counts });

function table(name, call, cases) {
  for (const [args, expected] of cases) {
    test(`${name} ${JSON.stringify(args).slice(0, 70)}`, () => assert.deepEqual(call(...args), expected));
  }
}

table("rate", rate, [
  [[10, 30, 2], 10], [[10, 10, 1], 0], [[30, 10, 1], null], [[10, 30, 0], null], [[undefined, 3, 1], null], [[1, undefined, 1], null],
]);

table("percent", percent, [[[1, 4], 25], [[0, 4], 0], [[0, 0], null]]);

test("between subtracts bucket by bucket", () => {
  assert.deepEqual(between(histogram([1, 2, 3, 4]), histogram([2, 2, 5, 4])), { bounds: [1000, 2000, 5000], counts: [1, 0, 2, 0] });
  assert.deepEqual(between(undefined, histogram([1, 0, 0, 0])).counts, [1, 0, 0, 0]);
  assert.equal(between(histogram([1, 0, 0, 0]), undefined), null);
  assert.equal(between(histogram([2, 0, 0, 0]), histogram([1, 0, 0, 0])), null);
});

const counted = (...counts) => ({ bounds: [1000, 2000, 5000], counts });

table("quantile", quantile, [
  [[counted(0, 0, 0, 0), 0.5], null],
  [[null, 0.5], null],
  [[counted(10, 0, 0, 0), 0.5], 500],
  [[counted(0, 10, 0, 0), 0.5], 1500],
  [[counted(5, 5, 0, 0), 0.5], 1000],
  [[counted(5, 0, 5, 0), 0.99], 4940],
  [[counted(0, 0, 0, 3), 0.5], 5000],
  [[counted(4, 0, 0, 0), 1], 1000],
  [[{ bounds: [], counts: [3] }, 0.5], 0],
]);

function stats(over = {}) {
  return {
    epoch: "a", connections: 3, streams: 1, polls: 0, wallets_watched: 2, frames_sent: 100, writes: 50, messages: 10, ...over,
  };
}

function full(over = {}) {
  return stats({
    delivery: histogram([0, 0, 0, 0]), http: { responses: { "2xx": 4 }, latency: histogram([1, 0, 0, 0]) },
    cache: { lookups: [{ kind: "native_balance", hit: 1, stale: 0, miss: 1 }] },
    jobs: [{ job: "a", running: 1, waiting: 2, done: 5, failed: 0 }, { job: "b", running: 1, waiting: 0, done: 5, failed: 1 }],
    prices: { age_us: 7000, last_success_at: 5 }, upstreams: [{ host: "x:1", latency: histogram([0, 0, 0, 0]) }],
    loops: [{ loop: "l-0", longest_turn_us: 90 }], process: { cpu_us: 1_000_000, resident_bytes: 77 }, ...over,
  });
}

test("the first point knows levels alone", () => {
  assert.deepEqual(point({ at: 0, stats: full() }, null, null, null), {
    "connections/open": 3, "connections/streams": 1, "connections/polls": 0, "connections/watched": 2,
  });
});

test("a second look gives rates, quantiles and ratios", () => {
  const later = full({
    frames_sent: 300, delivery: histogram([10, 0, 0, 0]), process: { cpu_us: 2_000_000, resident_bytes: 78 },
    cache: { lookups: [{ kind: "native_balance", hit: 4, stale: 0, miss: 2 }, { kind: "token_price", hit: 0, stale: 0, miss: 0 }] },
    jobs: [{ job: "a", running: 1, waiting: 2, done: 9, failed: 0 }, { job: "b", running: 1, waiting: 0, done: 5, failed: 1 }],
    http: { responses: { "2xx": 4, "5xx": 2 }, latency: histogram([1, 0, 0, 0]) },
  });
  const first = { at: 0, stats: full() };
  const values = point({ at: 2000, stats: later }, first, first, first);
  assert.equal(values["frames/sent"], 100);
  assert.equal(values["frames/received"], 0);
  assert.equal(values["delivery/p50"], 500);
  assert.equal(values["http/p50"], null);
  assert.equal(values["upstream/x:1"], null);
  assert.equal(values["cache/native_balance"], 75);
  assert.equal(values["cache/token_price"], null);
  assert.equal(values["jobs/running"], 2);
  assert.equal(values["jobs/done"], 2);
  assert.equal(values["cpu/used"], 50);
  assert.equal(values["prices/age"], 7000);
  assert.equal(values["loops/l-0"], 90);
  assert.equal(values["responses/5xx"], 1);
});

test("a token that is bound to wallets sees totals", () => {
  const values = point({ at: 1000, stats: stats({ frames_sent: 101 }) }, ...Array(3).fill({ at: 0, stats: stats() }));
  assert.deepEqual(Object.keys(values), [
    "connections/open", "connections/streams", "connections/polls", "connections/watched", "frames/sent", "frames/writes",
    "frames/received",
  ]);
});

test("where nobody watches a price there is no age", () => {
  const now = { at: 1, stats: full({ prices: { age_us: null, last_success_at: 5 } }) };
  assert.equal(point(now, ...Array(3).fill({ at: 0, stats: full() }))["prices/age"], null);
});

table("isRestarted", isRestarted, [
  [[full(), full()], false], [[stats(), stats()], false], [[full(), full({ epoch: "b" })], true],
  [[full(), full({ process: { cpu_us: 5 } })], true], [[stats(), stats({ frames_sent: 99 })], true],
  [[stats(), stats({ messages: 9 })], true],
]);

test("history forgets, and starts anew with another process", () => {
  const history = new History(30_000);
  for (let second = 0; second <= 40; second += 1) history.add(second * 1000, stats({ frames_sent: 100 + second }));
  assert.equal(history.points.length, 31);
  assert.equal(history.points.at(-1).values["frames/sent"], 1);
  history.add(41_000, stats({ epoch: "b" }));
  assert.deepEqual(history.restarts, [41_000]);
  assert.equal(history.points.at(-1).values["frames/sent"], undefined);
  history.add(42_000, stats({ epoch: "b", frames_sent: 107 }));
  assert.equal(history.points.at(-1).values["frames/sent"], 7);
  for (let second = 43; second < 80; second += 1) history.add(second * 1000, stats({ epoch: "b", frames_sent: 107 }));
  assert.deepEqual(history.restarts, []);
});

test("ratios are over the last minute", () => {
  const history = new History(200_000);
  for (let second = 0; second < 100; second += 1) {
    history.add(second * 1000, full({ cache: { lookups: [{ kind: "a", hit: second >= 5 ? 1 : 0, stale: 0, miss: 0 }] } }));
  }
  const known = history.points.filter(({ values }) => values["cache/a"] != null).map(({ at }) => at);
  assert.deepEqual([known[0], known.at(-1)], [5000, 64_000]);
});

test("quantiles are over the last ten seconds", () => {
  const history = new History(60_000);
  for (let second = 0; second < 30; second += 1) {
    history.add(second * 1000, full({ delivery: histogram([second === 5 ? 9 : second > 5 ? 9 : 0, 0, 0, 0]) }));
  }
  const known = history.points.filter(({ values }) => values["delivery/p50"] != null).map(({ at }) => at);
  assert.equal(known[0], 5000);
  assert.equal(known.at(-1), 14_000);
});

table("ticks", ticks, [
  [[10], [0, 5, 10]], [[3], [0, 1, 2, 3]], [[0.03], [0, 0.01, 0.02, 0.03]], [[0], [0, 0.5, 1]],
  [[100, { ceiling: 100 }], [0, 50, 100]], [[4, { isWhole: true }], [0, 1, 2, 3, 4]], [[1, { isWhole: true }], [0, 1]],
  [[NaN], [0, 0.5, 1]], [[5 * 2 ** 20, { unit: 2 ** 20 }], [0, 2 ** 21, 2 ** 22, 6 * 2 ** 20]], [[70_000], [0, 20_000, 40_000, 60_000, 80_000]],
]);

test("ticks reach above what is drawn, and are few", () => {
  for (let value = 0.001; value < 1e9; value *= 1.3) {
    const found = ticks(value);
    assert.ok(found.at(-1) >= value * (1 - 1e-9), `${value}: ${found}`);
    assert.ok(found.length <= 5, `${value}: ${found}`);
  }
});

table("count", formats.count, [
  [[null], "—"], [[0], "0"], [[7], "7"], [[0.25], "0.25"], [[1234], "1,234"], [[12_345], "12.3 k"], [[2.5e6], "2.5 M"], [[4e9], "4 G"],
]);
table("duration", formats.duration, [
  [[null], "—"], [[0], "0 µs"], [[999], "999 µs"], [[1500], "1.5 ms"], [[2.5e6], "2.5 s"], [[9e7], "1.5 min"],
]);
table("age", formats.age, [[[null], "—"], [[0], "< 1 ms"], [[1000], "1 ms"], [[9e7], "1.5 min"]]);
table("ticks' texts", tickText, [[["age", 0], "0"], [["duration", 0], "0"], [["duration", 500], "500 µs"], [["rate", 5], "5/s"]]);
table("bytes", formats.bytes, [[[null], "—"], [[0], "0"], [[2048], "2 KiB"], [[3 * 2 ** 20], "3 MiB"], [[1.5 * 2 ** 30], "1.5 GiB"]]);
table("percent text", formats.percent, [[[99.95], "100 %"], [[12.34], "12.3 %"], [[null], "—"]]);
table("back", back, [[[0, "now"], "now"], [[0, "last"], "last"], [[60_000], "−1 min"], [[150_000], "−2.5 min"], [[30_000], "−30 s"]]);

test("a gap stays a gap", () => {
  const points = [[0, 1], [1000, 2], [2000, null], [3000, 3], [4000, 4], [20_000, 5]].map(([at, value]) => ({ at, values: { a: value } }));
  const text = path(points, "a", (at) => at / 1000, (value) => value, 4000);
  assert.equal(text, "M0.0 1.0l0 0M0.0 1.0L1.0 2.0M3.0 3.0l0 0M3.0 3.0L4.0 4.0M20.0 5.0l0 0M20.0 5.0");
  assert.equal(path(points, "b", Number, Number, 4000), "");
});

table("meaning", meaning, [[[200], "live"], [[401], "token"], [[403], "token"], [[429], "slow"], [[500], "broken"], [[404], "broken"]]);
table("pause", pause, [[[0], 1000], [[1], 1000], [[3], 4000], [[20], 15_000], [[1, 3], 3000], [[1, 1e9], 60_000], [[2, NaN], 2000]]);

test("every panel names what it draws", () => {
  assert.equal(new Set(PANELS.map(({ id }) => id)).size, PANELS.length);
  for (const { id, unit, series } of PANELS) {
    assert.ok(hasText(`panel.${id}`) && hasText(`panel.${id}.about`) && formats[unit], id);
    for (const name of series ?? []) {
      assert.ok(name.startsWith(`${id}/`), name);
      assert.ok(/\/p\d\d$/.test(name) || hasText(`series.${name.slice(id.length + 1)}`), name);
    }
  }
});
