// What is drawn: one entry for each chart; what they are called is in texts.js. Series named here are always there; else
// all of the panel's own are drawn as they come (`cache/native_balance`). `main` is the one whose value stands large: the
// first, or none for null.

const three = (id) => [50, 90, 99].map((part) => `${id}/p${part}`);

export const PANELS = [
  {
    id: "connections", unit: "count", isWhole: true, least: 4,
    series: ["connections/open", "connections/streams", "connections/polls", "connections/watched"],
  },
  { id: "frames", unit: "rate", least: 4, series: ["frames/sent", "frames/writes", "frames/received"] },
  { id: "delivery", unit: "duration", least: 1000, main: "delivery/p99", series: three("delivery") },
  { id: "cache", unit: "percent", ceiling: 100, least: 100, main: null },
  { id: "http", unit: "duration", least: 1000, main: "http/p99", series: three("http") },
  { id: "upstream", unit: "duration", least: 1000, main: null },
  { id: "jobs", unit: "count", least: 4, series: ["jobs/running", "jobs/waiting", "jobs/done", "jobs/failed"] },
  { id: "prices", unit: "age", least: 1e6, series: ["prices/age"] },
  { id: "loops", unit: "duration", least: 1000, main: null },
  { id: "responses", unit: "rate", least: 1, main: null },
  { id: "cpu", unit: "percent", least: 10, series: ["cpu/used"] },
  { id: "memory", unit: "bytes", least: 2 ** 20, series: ["memory/resident"] },
];
