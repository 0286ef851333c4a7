// The page: which wallets are watched, and everything around their cards.

import { AddForm } from "./add-form.js";
import { Bar } from "./bar.js";
import { setUpChoices } from "./choices.js";
import { arrange, byId, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { errorText, t } from "./i18n.js";
import { readWallets, writeWallets } from "./memory.js";
import { Painter } from "./painter.js";
import { PriceHistory } from "./sparkline.js";
import { WalletCard } from "./wallet-card.js";
import { WalletPushClient, sumOf } from "./walletpush.js";

const MEASURE_MS = 10_000;
const FILTER_LENGTH_MAX = 100;

setUpChoices(byId("theme"), byId("language"), relabel);

const client = new WalletPushClient(new URL(".", document.baseURI).href, { settings: { batch: true } });
const history = new PriceHistory();
const cards = new Map();
const painter = new Painter(cards, (key) => client.state.wallets.get(key), paintAround);

const bar = new Bar({
  connect: () => client.connect(),
  authorize: (token) => {
    client.setToken(token);
    client.connect();
    loadLists();
  },
});
const form = new AddForm({ watch: (key, typed) => watch(key, typed) });

// Watching

/** Puts a card up and subscribes; `typed` is the key with the address as the user wrote it. */
function watch(key, typed = key) {
  if (!cards.has(key)) {
    cards.set(key, new WalletCard(key, history, { refresh, remove, setVisible, changed: () => painter.layOut() }));
    cards.get(key).filter(filter);
    client.subscribe({ wallets: [typed] });
    remember();
  }
  painter.mark(key);
  painter.paint();
  return cards.get(key);
}

function remove(key) {
  client.unsubscribe({ wallets: [key] });
  const hadFocus = cards.get(key)?.element.contains(document.activeElement);
  drop(key);
  if (hadFocus) byId("wallets").focus();
}

function drop(key) {
  if (!cards.delete(key)) return;
  painter.forget(key);
  const held = new Set();
  for (const { rows } of client.state.wallets.values()) for (const token of rows.keys()) held.add(token);
  history.keepOnly(held);
  remember();
  painter.layOut();
}

function remember() {
  writeWallets([...cards.keys()]);
  form.watched(new Set(cards.keys()));
}

async function refresh(key) {
  const card = cards.get(key);
  if (!card.mayRefresh(Date.now())) return;
  card.coolDown();
  try {
    await client.refresh(key);
  } catch (error) {
    card.coolDown(error.retryMs ?? 0);
    if (error.code !== "cooldown") card.note(t("card.refreshFailed", { why: format.name(errorText(error)) }));
  }
}

async function setVisible(key, token, visible) {
  try {
    await client.setVisible(key, token, visible);
  } catch (error) {
    const why = format.name(errorText(error));
    cards.get(key)?.note(t(visible ? "card.showFailed" : "card.hideFailed", { why }));
  }
}

// Searching

let filter = "";

byId("search").addEventListener("input", () => {
  filter = byId("search").value.trim().toLowerCase().slice(0, FILTER_LENGTH_MAX);
  for (const card of cards.values()) card.filter(filter);
  sayFound();
  painter.layOut();
});

function sayFound() {
  let n = 0;
  let shown = 0;
  for (const card of cards.values()) {
    n += card.shownRows;
    if (!card.element.hidden) shown += 1;
  }
  setText(byId("search-found"), filter === "" ? "" : t("search.found", { n }));
  setHidden(byId("search-nothing"), filter === "" || shown > 0 || cards.size === 0);
  setText(byId("search-nothing"), t("search.nothing", { text: format.name(filter) }));
}

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, dialog") !== null;
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || byId("tools").hidden) return;
  event.preventDefault();
  byId("search").focus();
});

// Painting

let statusDirty = false;

/** What of every pass is not a card. */
function paintAround() {
  arrange(byId("wallets"), [...cards.values()].map(({ element }) => element));
  setHidden(byId("empty"), cards.size > 0);
  setHidden(byId("tools"), cards.size === 0);
  setHidden(byId("sum"), cards.size < 2);
  if (cards.size >= 2 && ![...client.state.wallets.values()].some(({ arriving }) => arriving)) paintSum();
  if (statusDirty) bar.statuses(client.state);
  statusDirty = false;
}

function paintSum() {
  const wallets = [...cards.keys()].map((key) => client.state.wallets.get(key)).filter((wallet) => wallet !== undefined);
  const { total_usd, unpriced } = sumOf(wallets);
  setText(byId("sum-value"), format.usd(total_usd));
  setText(byId("sum-note"), unpriced > 0 ? t("sum.unpriced", { n: unpriced }) : t("sum.wallets", { n: cards.size }));
}

function relabel() {
  for (const card of cards.values()) card.relabel();
  bar.relabel();
  form.fail("");
  statusDirty = true;
  sayFound();
  painter.layOut();
}

addEventListener("scroll", () => painter.layOut(), { passive: true });
addEventListener("resize", () => {
  for (const card of cards.values()) card.remeasure();
  painter.layOut();
});

// The client's events

client.addEventListener("change", ({ detail: changes }) => {
  for (const change of changes) {
    if (change.what === "status") statusDirty = true;
    if (change.wallet === undefined) continue;
    painter.mark(change.wallet, change.token ?? null);
    notePrices(client.state.wallets.get(change.wallet), change.token);
  }
  painter.paint();
});

function notePrices(wallet, token) {
  const rows = token === undefined ? wallet.rows.values() : [wallet.rows.get(token)];
  for (const row of rows) history.add(row.token, row.price_usd);
}

client.addEventListener("connection", ({ detail }) => {
  bar.connection(detail);
  if (detail.state === "live") measure();
  painter.markAll();
  statusDirty = true;
  painter.paint();
});

client.addEventListener("resumed", ({ detail }) => bar.resumed(detail));
client.addEventListener("auth", ({ detail }) => bar.auth(detail));

client.addEventListener("problem", ({ detail }) => {
  if (detail.code === "unauthorized") bar.askToken();
  else bar.say(format.name(errorText(detail)));
});

client.addEventListener("refused", ({ detail }) => {
  drop(detail.key);
  form.fail(`${detail.key}: ${format.name(errorText(detail))}`);
});

// Time

async function measure() {
  if (!client.connected || document.hidden) return;
  await client.ping().catch(() => {});
  bar.figures(client.health);
}

setInterval(measure, MEASURE_MS);
setInterval(() => {
  const now = Date.now();
  bar.tick(now);
  if (!document.hidden) for (const card of cards.values()) if (card.wallet !== undefined) card.tick(now);
}, 1000);
addEventListener("online", () => bar.retryIfWaiting());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  bar.retryIfWaiting();
  measure();
});

// Start

async function loadLists() {
  const [chains, page] = await Promise.allSettled([client.chains(), client.wallets({ limit: 20 })]);
  if (chains.status === "fulfilled") form.chains(chains.value.map(({ chain }) => chain));
  if (page.status === "fulfilled") form.offer(page.value.wallets.map(({ wallet }) => wallet));
}

addEventListener("hashchange", () => {
  for (const key of readWallets().linked) watch(key);
});

const { linked, stored } = readWallets();
for (const key of new Set([...linked, ...stored])) watch(key);
form.watched(new Set(cards.keys()));
painter.paint();
client.connect();
loadLists();
