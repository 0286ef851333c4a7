// The monitor: asks for the figures, keeps some of the past, draws.

import { byId, oncePerFrame, setAttribute, setHidden, setText } from "../dom.js";
import { setUpThemeButton } from "../theme-button.js";
import { Chart } from "./chart.js";
import { History } from "./history.js";
import { PANELS } from "./panels.js";
import { Source } from "./source.js";
import { EndpointTable, JobTable, PriceTable } from "./tables.js";

const LONGEST_MS = 15 * 60_000;
const SPANS_MS = [60_000, 120_000, 300_000];
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

const history = new History(LONGEST_MS);
let trouble = null;
let hover = null;
const plan = oncePerFrame(draw);

const charts = PANELS.map((panel) => new Chart(panel, (time) => {
  hover = time;
  plan();
}));
byId("charts").append(...charts.map((chart) => chart.element));
const endpoints = new EndpointTable(byId("endpoints"));
const jobs = new JobTable(byId("jobs"));
const prices = new PriceTable(byId("prices"));

const source = new Source(new URL("api/v1/stats", document.baseURI), {
  stats(stats) {
    if (trouble?.kind === "token") setHidden(byId("token-form"), true);
    trouble = null;
    history.add(Date.now(), stats);
    showTables(stats);
    plan();
  },
  trouble(found) {
    trouble = found;
    if (found.kind === "token") setHidden(byId("token-form"), false);
    plan();
  },
});

function draw() {
  showState();
  const to = trouble === null ? Date.now() : history.newestAt ?? Date.now();
  const from = to - span(to);
  const end = trouble === null ? "now" : "last";
  for (const chart of charts) chart.draw({ points: history.points, restarts: history.restarts, from, to, end, hover });
}

/** As long as was chosen, or shorter while there is not so much to see. */
function span(to) {
  const age = to - (history.points[0]?.at ?? to);
  return Math.min(SPANS_MS.find((span) => span >= age) ?? Infinity, Number(byId("range").value) * 60_000);
}

function showState() {
  const at = history.newestAt;
  const isOld = trouble !== null && at !== null;
  setAttribute(byId("content"), "data-old", isOld ? "" : null);
  const [tone, text] = state();
  setAttribute(byId("state"), "data-tone", tone);
  setText(byId("state-text"), text);
  const banner = trouble === null ? notice() : `${trouble.text}.${isOld ? ` What is shown is of ${new Date(at).toLocaleTimeString([], CLOCK)}.` : ""}`;
  setText(byId("banner"), banner);
  setAttribute(byId("banner"), "data-tone", trouble === null ? null : "bad");
  setHidden(byId("banner"), banner === "");
}

function state() {
  if (trouble === null) return history.newest === null ? ["busy", "Asking"] : ["good", "Live"];
  if (trouble.kind === "token") return ["bad", "Access token needed"];
  const seconds = Math.max(0, Math.ceil((trouble.retryAt - Date.now()) / 1000));
  const word = { slow: "Asked too often", broken: "Not understood", gone: "No answer" }[trouble.kind];
  return ["bad", `${word} · again in ${seconds} s`];
}

function notice() {
  if (history.newest === null || history.newest.process !== undefined) return "";
  return "This access token is bound to wallets: it sees the totals alone. One that is not bound sees everything.";
}

function showTables(stats) {
  setText(byId("server"), `${stats.server} · epoch ${stats.epoch} · revision ${stats.rev.toLocaleString("en-US")}`);
  setText(byId("totals"), `${stats.wallets.toLocaleString("en-US")} wallets, ${stats.tokens.toLocaleString("en-US")} tokens, ${
    stats.lags.toLocaleString("en-US")} lags, ${stats.closed_slow.toLocaleString("en-US")} closed as slow`);
  setHidden(byId("tables"), stats.process === undefined);
  if (stats.process === undefined) return;
  endpoints.show(stats.chains);
  jobs.show(stats.jobs);
  setText(byId("price-note"), prices.show(stats.prices, Date.now()));
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  byId("token").value = "";
  setHidden(byId("token-form"), true);
  // Never stored: it would outlive the visit.
  source.setToken(token === "" ? null : token);
});
byId("token-show").addEventListener("click", () => {
  setHidden(byId("token-form"), !byId("token-form").hidden);
  if (!byId("token-form").hidden) byId("token").focus();
});
byId("range").addEventListener("change", plan);
setUpThemeButton(byId("theme"));
// Countdowns, and the axis where nothing comes.
setInterval(() => {
  if (trouble !== null) plan();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && trouble !== null && trouble.kind !== "token") source.start();
});
source.start();
plan();
