// What is drawn: one entry for each chart. Series named here are always there; else all of the panel's own are drawn as
// they come (`cache/native_balance`). `main` is the one whose value stands large: the first, or none for null.

const three = (id) => [50, 90, 99].map((part) => ({ name: `${id}/p${part}`, label: `p${part}` }));
const words = (label) => label.replaceAll("_", " ");

export const PANELS = [
  {
    id: "connections", title: "Connections", unit: "count", isWhole: true, least: 4,
    about: "WebSocket clients connected now, and wallets that somebody watches.",
    series: [{ name: "connections/open", label: "clients" }, { name: "connections/watched", label: "wallets watched" }],
  },
  {
    id: "frames", title: "Frames", unit: "rate", least: 4,
    about: "Frames sent and messages received, a second; a write carries several frames.",
    series: [
      { name: "frames/sent", label: "sent" }, { name: "frames/writes", label: "writes" },
      { name: "frames/received", label: "received" },
    ],
  },
  {
    id: "delivery", title: "Delivery latency", unit: "duration", least: 1000, main: "delivery/p99",
    about: "From a change being accepted to its frame being written, over the last 10 s. Estimated within buckets.",
    series: three("delivery"),
  },
  {
    id: "cache", title: "Cache hit ratio", unit: "percent", ceiling: 100, least: 100, main: null, label: words,
    about: "Lookups that found a good entry, by kind, over the last minute.",
  },
  {
    id: "http", title: "HTTP API latency", unit: "duration", least: 1000, main: "http/p99",
    about: "From a request being whole to its answer being written, over the last 10 s.",
    series: three("http"),
  },
  {
    id: "upstream", title: "Upstream API latency, p90", unit: "duration", least: 1000, main: null,
    about: "Chains' endpoints and price sources, by host, over the last 10 s.",
  },
  {
    id: "jobs", title: "Background jobs", unit: "count", least: 4,
    about: "Running and waiting now; done and failed a second.",
    series: [
      { name: "jobs/running", label: "running" }, { name: "jobs/waiting", label: "waiting" },
      { name: "jobs/done", label: "done/s" }, { name: "jobs/failed", label: "failed/s" },
    ],
  },
  {
    id: "prices", title: "Price age", unit: "duration", least: 1e6,
    about: "The age of the oldest price that somebody watches.",
    series: [{ name: "prices/age", label: "oldest watched" }],
  },
  {
    id: "loops", title: "Longest event-loop turn", unit: "duration", least: 1000, main: null,
    about: "The longest turn of each loop in the last second: so long had all its connections to wait.",
  },
  {
    id: "responses", title: "HTTP answers", unit: "rate", least: 1, main: null,
    about: "By class of status, a second.",
  },
  {
    id: "cpu", title: "CPU", unit: "percent", least: 10,
    about: "Of one core; 200 % is two cores busy.", series: [{ name: "cpu/used", label: "used" }],
  },
  {
    id: "memory", title: "Memory", unit: "bytes", least: 2 ** 20,
    about: "Resident.", series: [{ name: "memory/resident", label: "resident" }],
  },
];
