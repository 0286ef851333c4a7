// Pure: what two answers of /api/v1/stats say about the time between them. Counts are since the server's start; what is
// not known (nothing happened, a figure is not there) is null, never zero.

/** A count a second. Null over no time, and where the count is not there or went back. */
export function rate(before, after, seconds) {
  if (!Number.isFinite(before) || !Number.isFinite(after) || !(seconds > 0) || after < before) return null;
  return (after - before) / seconds;
}

/** What a histogram counted between two looks; `before` may be undefined (a series that is new). */
export function between(before, after) {
  if (after === undefined) return null;
  const earlier = before !== undefined && before.counts.length === after.counts.length ? before.counts : [];
  const counts = after.counts.map((count, index) => count - (earlier[index] ?? 0));
  return counts.some((count) => count < 0) ? null : { bounds: after.le_us, counts };
}

/**
 * The quantile in microseconds, as a straight line within its bucket. What lies above the last bound is said to be at
 * it. Null where nothing was counted.
 */
export function quantile(histogram, part) {
  if (histogram === null) return null;
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = part * total;
  let seen = 0;
  for (const [index, count] of histogram.counts.entries()) {
    if (count > 0 && seen + count >= wanted) {
      const upper = histogram.bounds[index];
      const lower = index === 0 ? 0 : histogram.bounds[index - 1];
      return upper === undefined ? lower : lower + ((upper - lower) * (wanted - seen)) / count;
    }
    seen += count;
  }
  return histogram.bounds.at(-1) ?? null;
}

/** A part of a whole in percent. Null where there was nothing. */
export function percent(part, whole) {
  return whole > 0 ? (100 * part) / whole : null;
}

/** Whether the server of `after` is another process than that of `before`: then nothing can be subtracted. */
export function isRestarted(before, after) {
  const back = (left, right) => Number.isFinite(left) && Number.isFinite(right) && right < left;
  return before.epoch !== after.epoch || back(before.process?.cpu_us, after.process?.cpu_us)
    || back(before.frames_sent, after.frames_sent) || back(before.messages, after.messages);
}

/** The entry of a list with the same name, or undefined. */
function same(list, member, name) {
  return list?.find((entry) => entry[member] === name);
}

function sum(list, member) {
  return list?.reduce((total, entry) => total + entry[member], 0);
}

/**
 * One point of every chart: `{name: number or null}`.
 *
 * `before` is the look before this one, for rates; what needs a few events to mean anything has a longer span: `earlier`
 * is one some ten seconds back, for quantiles, `long` one a minute back, for ratios. Each is `{at, stats}`, `at` in
 * milliseconds, or null where there is none.
 */
export function point(now, before, earlier, long) {
  const { stats } = now;
  const values = {
    "connections/open": stats.connections, "connections/streams": stats.streams, "connections/polls": stats.polls,
    "connections/watched": stats.wallets_watched,
  };
  if (before === null || earlier === null || long === null) return values;
  const seconds = (now.at - before.at) / 1000;
  for (const [name, member] of [["sent", "frames_sent"], ["writes", "writes"], ["received", "messages"]]) {
    values[`frames/${name}`] = rate(before.stats[member], stats[member], seconds);
  }
  if (stats.process === undefined) return values;
  latencies(values, stats, earlier.stats);
  caches(values, stats, long.stats);
  work(values, stats, before.stats, seconds);
  return values;
}

function latencies(values, stats, earlier) {
  const three = (name, histogram) => {
    for (const part of [50, 90, 99]) values[`${name}/p${part}`] = quantile(histogram, part / 100);
  };
  three("delivery", between(earlier.delivery, stats.delivery));
  three("http", between(earlier.http?.latency, stats.http.latency));
  for (const upstream of stats.upstreams) {
    const then = same(earlier.upstreams, "host", upstream.host)?.latency;
    values[`upstream/${upstream.host}`] = quantile(between(then, upstream.latency), 0.9);
  }
}

function caches(values, stats, earlier) {
  for (const now of stats.cache.lookups) {
    const then = same(earlier.cache?.lookups, "kind", now.kind) ?? { hit: 0, stale: 0, miss: 0 };
    const [hit, stale, miss] = ["hit", "stale", "miss"].map((result) => now[result] - then[result]);
    values[`cache/${now.kind}`] = percent(hit, hit + stale + miss);
  }
}

function work(values, stats, before, seconds) {
  values["jobs/running"] = sum(stats.jobs, "running");
  values["jobs/waiting"] = sum(stats.jobs, "waiting");
  values["jobs/done"] = rate(sum(before.jobs, "done"), sum(stats.jobs, "done"), seconds);
  values["jobs/failed"] = rate(sum(before.jobs, "failed"), sum(stats.jobs, "failed"), seconds);
  values["prices/age"] = stats.prices.age_us;
  for (const loop of stats.loops) values[`loops/${loop.loop}`] = loop.longest_turn_us;
  const cpu = rate(before.process?.cpu_us, stats.process.cpu_us, seconds);
  values["cpu/used"] = cpu === null ? null : cpu / 1e4;
  values["memory/resident"] = stats.process.resident_bytes;
  for (const [status, count] of Object.entries(stats.http.responses)) {
    if (status !== "1xx") values[`responses/${status}`] = rate(before.http?.responses[status] ?? 0, count, seconds);
  }
}
