// The monitor: asks for the figures, keeps some of the past, draws.

import { setUpChoices } from "../choices.js";
import { byId, oncePerFrame, setAttribute, setHidden, setText } from "../dom.js";
import { Chart } from "./chart.js";
import { History } from "./history.js";
import { PANELS } from "./panels.js";
import { Source } from "./source.js";
import { EndpointTable, JobTable, PriceTable } from "./tables.js";
import { languageTag, t } from "./texts.js";

const LONGEST_MS = 15 * 60_000;
const SPANS_MS = [60_000, 120_000, 300_000];
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

setUpChoices(byId("theme"), byId("language"), () => {
  if (history.newest !== null) showTables(history.newest);
  plan();
});

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
  const end = t(trouble === null ? "monitor.now" : "monitor.last");
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
  const banner = trouble === null ? notice() : said(isOld ? at : null);
  setText(byId("banner"), banner);
  setAttribute(byId("banner"), "data-tone", trouble === null ? null : "bad");
  setHidden(byId("banner"), banner === "");
}

/** What is wrong, and of when what is shown is (null: nothing is). */
function said(at) {
  // What the server says of itself comes as it is.
  const text = trouble.text ?? t("monitor.gone");
  return at === null ? text : t("monitor.shown", { text, time: new Date(at).toLocaleTimeString(languageTag(), CLOCK) });
}

function state() {
  if (trouble === null) return history.newest === null ? ["busy", t("monitor.state.asking")] : ["good", t("monitor.state.live")];
  const n = Math.max(0, Math.ceil((trouble.retryAt - Date.now()) / 1000));
  return ["bad", t(`monitor.state.${trouble.kind}`, { n })];
}

function notice() {
  return history.newest === null || history.newest.process !== undefined ? "" : t("monitor.bound");
}

function showTables(stats) {
  setText(byId("server"), t("monitor.server", stats));
  setText(byId("totals"), t("monitor.totals", { ...stats, slow: stats.closed_slow }));
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
// Countdowns, and the axis where nothing comes.
setInterval(() => {
  if (trouble !== null) plan();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && trouble !== null && trouble.kind !== "token") source.start();
});
source.start();
plan();
