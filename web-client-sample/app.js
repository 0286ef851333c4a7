// The page: which wallets are watched, and everything around their cards.
//
// Frames only mark what they touched; one animation frame later each marked card is brought up to date. So a
// burst of prices costs one pass, and a hidden tab nothing.

import { Api } from "./api.js";
import { Bar } from "./bar.js";
import { AddForm } from "./add-form.js";
import { ZERO, add, roundHalfEven, toText } from "./decimal.js";
import { arrange, byId, setHidden, setText } from "./dom.js";
import * as format from "./format.js";
import { addressOf } from "./keys.js";
import { readWallets, writeWallets } from "./memory.js";
import { PriceHistory } from "./sparkline.js";
import { exactTotal } from "./state.js";
import { WalletCard } from "./wallet-card.js";
import { WalletPushClient } from "./walletpush.js";

const root = new URL(".", document.baseURI);
const socketAddress = new URL("ws", root);
socketAddress.protocol = root.protocol === "https:" ? "wss:" : "ws:";

const client = new WalletPushClient(socketAddress.href, { settings: { batch: true } });
const api = new Api(root);
const history = new PriceHistory();
const cards = new Map();

const bar = new Bar({
  connect: () => client.connect(),
  authorize: (token) => {
    api.setToken(token);
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
    cards.set(key, new WalletCard(key, history, { refresh, remove, setVisible }));
    client.subscribe({ wallets: [typed] });
    remember();
  }
  mark(key);
  paint();
  return cards.get(key);
}

function remove(key) {
  client.unsubscribe({ wallets: [key] });
  drop(key);
}

function drop(key) {
  if (!cards.delete(key)) return;
  dirty.delete(key);
  const held = new Set();
  for (const { rows } of client.state.wallets.values()) for (const token of rows.keys()) held.add(token);
  history.keepOnly(held);
  remember();
  paint();
}

function remember() {
  writeWallets([...cards.keys()]);
  form.watched(new Set(cards.keys()));
}

async function refresh(key) {
  try {
    await client.refresh(key);
  } catch (error) {
    const card = cards.get(key);
    if (error.code === "cooldown") card?.coolDown(error.retryMs ?? 1000);
    else card?.note(`Could not refresh: ${format.name(error.message)}`);
  }
}

async function setVisible(key, token, visible) {
  try {
    client.takeVisibility(key, await api.setVisible(key, addressOf(token), visible));
  } catch (error) {
    cards.get(key)?.note(`Could not ${visible ? "show" : "hide"} the token: ${format.name(error.message)}`);
  }
}

// Painting

/** Wallet key → tokens to bring up to date, or null for the whole card. */
const dirty = new Map();
let statusDirty = false;
let painting = 0;

function mark(key, token = null) {
  if (token === null) dirty.set(key, null);
  else if (!dirty.has(key)) dirty.set(key, new Set([token]));
  else dirty.get(key)?.add(token);
}

function paint() {
  if (painting === 0) painting = requestAnimationFrame(paintNow);
}

function paintNow() {
  painting = 0;
  for (const [key, tokens] of dirty) {
    const wallet = client.state.wallets.get(key);
    const card = cards.get(key);
    if (wallet === undefined || card === undefined) continue;
    if (tokens === null) card.update(wallet);
    else card.updateRows(tokens);
  }
  dirty.clear();
  arrange(byId("wallets"), [...cards.values()].map(({ element }) => element));
  setHidden(byId("empty"), cards.size > 0);
  paintSum();
  if (statusDirty) bar.statuses(client.state);
  statusDirty = false;
}

/** The sum over all wallets: exact, rounded once. */
function paintSum() {
  setHidden(byId("sum"), cards.size < 2);
  if (cards.size < 2) return;
  let sum = ZERO;
  let counted = 0;
  let unpriced = 0;
  for (const key of cards.keys()) {
    const wallet = client.state.wallets.get(key);
    if (wallet === undefined) continue;
    const total = exactTotal(wallet);
    sum = add(sum, total.sum);
    counted += total.counted;
    unpriced += total.unpriced;
  }
  setText(byId("sum-value"), counted === 0 ? format.UNKNOWN : format.usd(toText(roundHalfEven(sum, 2))));
  setText(byId("sum-note"), unpriced > 0 ? `${unpriced} unpriced` : `${cards.size} wallets`);
}

// The client's events

client.addEventListener("change", ({ detail: changes }) => {
  for (const change of changes) {
    if (change.what === "status") statusDirty = true;
    if (change.wallet === undefined) continue;
    mark(change.wallet, change.token ?? null);
    notePrices(client.state.wallets.get(change.wallet), change.token);
  }
  paint();
});

function notePrices(wallet, token) {
  const rows = token === undefined ? wallet.rows.values() : [wallet.rows.get(token)];
  for (const row of rows) history.add(row.token, row.price_usd);
}

client.addEventListener("connection", ({ detail }) => {
  bar.connection(detail);
  for (const key of cards.keys()) mark(key);
  statusDirty = true;
  paint();
});

client.addEventListener("resumed", ({ detail }) => bar.resumed(detail));
client.addEventListener("auth", ({ detail }) => bar.auth(detail));

client.addEventListener("problem", ({ detail: { code, message } }) => {
  if (code === "unauthorized") bar.askToken();
  else bar.say(format.name(message ?? code));
});

client.addEventListener("refused", ({ detail: { key, code, message } }) => {
  drop(key);
  form.fail(`${key}: ${format.name(message ?? code)}`);
});

// Start

async function loadLists() {
  const [chains, wallets] = await Promise.allSettled([api.chains(), api.wallets(20)]);
  if (chains.status === "fulfilled") form.chains(chains.value);
  if (wallets.status === "fulfilled") form.offer(wallets.value);
}

addEventListener("hashchange", () => {
  for (const key of readWallets().linked) watch(key);
});
addEventListener("online", () => bar.retryIfWaiting());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) bar.retryIfWaiting();
});
setInterval(() => {
  const now = Date.now();
  bar.tick(now);
  if (!document.hidden) for (const card of cards.values()) if (card.wallet !== undefined) card.tick(now);
}, 1000);

const { linked, stored } = readWallets();
for (const key of new Set([...linked, ...stored])) watch(key);
form.watched(new Set(cards.keys()));
paint();
client.connect();
loadLists();
