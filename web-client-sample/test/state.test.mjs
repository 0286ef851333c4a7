import assert from "node:assert/strict";
import test from "node:test";
import { toText } from "../decimal.js";
import {
  addToken, addWallet, applyFrame, applyVisibility, connectionLost, createState, isDataFrame, rowShare,
  rowValue, sumOf, walletTotal,
} from "../state.js";

const W = "ETH:0x" + "a".repeat(40);
const V = "ETH:0x" + "b".repeat(40);
const NATIVE = "ETH:native";
const USDC = "ETH:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48";

function row(token, members = {}) {
  return {
    token, symbol: "T", name: "Token", decimals: 18, logo: null, listed: true, visible: true, balance: "1000000000000000000",
    balance_state: "fresh", price_usd: "2.5", change_24h: "1.00", price_state: "fresh", price_at: 1, value_usd: "2.50", rev: 10,
    ...members,
  };
}

function snapshot(tokens, members = {}) {
  return {
    type: "snapshot", wallet: W, epoch: "e", rev: 10, part: 1, parts: 1, state: "fresh", block: 100, as_of: 5, tokens,
    total_usd: null, unpriced: 0, ...members,
  };
}

function watching(...frames) {
  const state = createState();
  addWallet(state, W);
  for (const frame of frames) applyFrame(state, frame);
  return { state, wallet: state.wallets.get(W) };
}

test("a snapshot replaces the rows", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE), row(USDC)]));
  assert.deepEqual([...wallet.rows.keys()], [NATIVE, USDC]);
  assert.equal(wallet.complete, true);
  assert.equal(wallet.state, "fresh");
  assert.equal(wallet.block, 100);
  assert.equal(wallet.asOf, 5);
  assert.deepEqual(applyFrame(state, snapshot([row(USDC)])), [{ what: "wallet", wallet: W }]);
  assert.deepEqual([...wallet.rows.keys()], [USDC]);
});

test("a loading snapshot is not complete; the full one that follows is", () => {
  const { state, wallet } = watching(snapshot([], { state: "loading" }));
  assert.equal(wallet.complete, false);
  assert.equal(wallet.state, "loading");
  applyFrame(state, snapshot([row(NATIVE)]));
  assert.equal(wallet.complete, true);
});

test("parts insert, part 1 starts over, strays are left out", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)], { parts: 3 }));
  assert.equal(wallet.complete, false);
  assert.equal(wallet.arriving, true);
  assert.deepEqual(applyFrame(state, snapshot([row("ETH:0x3")], { part: 3, parts: 3 })), [], "part 3 before part 2");
  assert.deepEqual(applyFrame(state, snapshot([row("ETH:0x9")], { part: 2, parts: 3, rev: 9 })), [], "part of another snapshot");
  applyFrame(state, snapshot([row(USDC)], { part: 2, parts: 3 }));
  applyFrame(state, { type: "price", token: USDC, price_usd: "7", price_state: "fresh", rev: 11 });
  applyFrame(state, snapshot([row("ETH:0x3")], { part: 3, parts: 3 }));
  assert.equal(wallet.arriving, false);
  assert.equal(wallet.complete, true);
  assert.deepEqual([...wallet.rows.keys()], [NATIVE, USDC, "ETH:0x3"]);
  assert.equal(wallet.rows.get(USDC).price_usd, "7", "a delta between parts stays");
  applyFrame(state, snapshot([row(USDC)], { parts: 2, rev: 12 }));
  assert.deepEqual([...wallet.rows.keys()], [USDC], "part 1 replaces");
  assert.equal(wallet.complete, false);
  assert.deepEqual(applyFrame(state, snapshot([], { part: 3, parts: 3 })), [], "the earlier snapshot has ended");
});

test("a price reaches every wallet that has the row, and only those", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE), row(USDC)]));
  addWallet(state, V);
  applyFrame(state, snapshot([row(NATIVE)], { wallet: V }));
  const price = { type: "price", token: USDC, price_usd: "3", change_24h: "-0.50", price_state: "stale", price_at: 9, rev: 11 };
  assert.deepEqual(applyFrame(state, price), [{ what: "row", wallet: W, token: USDC }]);
  const changed = wallet.rows.get(USDC);
  assert.deepEqual(
    [changed.price_usd, changed.change_24h, changed.price_state, changed.price_at], ["3", "-0.50", "stale", 9]);
  assert.equal(rowValue(changed), "3.00");
  assert.equal(applyFrame(state, { ...price, token: NATIVE }).length, 2);
  assert.deepEqual(applyFrame(state, { ...price, token: "ETH:0x5" }), []);
  assert.equal(wallet.rows.size, 2);
});

test("an unknown price is null, never the old one and never zero", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)]));
  applyFrame(state, { type: "price", token: NATIVE, price_usd: null, change_24h: null, price_state: "unknown", rev: 11 });
  assert.equal(wallet.rows.get(NATIVE).price_usd, null);
  assert.equal(rowValue(wallet.rows.get(NATIVE)), null);
});

test("a balance changes its row; the native one carries the wallet's state", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE), row(USDC, { decimals: 6 })]));
  const balance = { type: "balance", wallet: W, token: USDC, balance: "25000000", balance_state: "fresh", block: 101, rev: 12 };
  assert.deepEqual(applyFrame(state, balance), [{ what: "row", wallet: W, token: USDC }]);
  assert.equal(rowValue(wallet.rows.get(USDC)), "62.50");
  assert.equal(wallet.block, 101);
  applyFrame(state, { ...balance, balance_state: "stale" });
  assert.equal(wallet.state, "fresh");
  applyFrame(state, { ...balance, token: NATIVE, balance_state: "stale" });
  assert.equal(wallet.state, "stale");
  assert.deepEqual(applyFrame(state, { ...balance, token: "ETH:0x5" }), [], "no row, no balance");
  assert.deepEqual(applyFrame(state, { ...balance, wallet: V }), []);
});

test("a token frame inserts or replaces", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)]));
  const token = { ...row(USDC), type: "token", wallet: W, block: 103, rev: 13 };
  assert.deepEqual(applyFrame(state, token), [{ what: "wallet", wallet: W }]);
  assert.equal(wallet.rows.size, 2);
  assert.equal(wallet.block, 103);
  assert.deepEqual(applyFrame(state, { ...token, symbol: "USDC" }), [{ what: "row", wallet: W, token: USDC }]);
  assert.equal(wallet.rows.get(USDC).symbol, "USDC");
  assert.deepEqual(applyFrame(state, { ...token, visible: false }), [{ what: "wallet", wallet: W }]);
  assert.deepEqual(applyFrame(state, { ...token, wallet: V }), []);
});

test("the later frame wins whatever its revision", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)], { rev: 50 }));
  applyFrame(state, { type: "price", token: NATIVE, price_usd: "9", price_state: "fresh", rev: 60 });
  applyFrame(state, { type: "price", token: NATIVE, price_usd: "8", price_state: "fresh", rev: 40 });
  assert.equal(wallet.rows.get(NATIVE).price_usd, "8");
});

test("a batch holds data frames and nothing else", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)]));
  const changes = applyFrame(state, { type: "batch", frames: [
    { type: "price", token: NATIVE, price_usd: "4", price_state: "fresh", rev: 11 },
    { type: "balance", wallet: W, token: NATIVE, balance: "0", balance_state: "fresh", rev: 12 },
    { type: "batch", frames: [{ type: "price", token: NATIVE, price_usd: "5", rev: 13 }] },
    { type: "snapshot", wallet: W, rev: 14, tokens: [] },
    null, 7, { type: "later invention" },
  ] });
  assert.equal(changes.length, 2);
  assert.equal(wallet.rows.get(NATIVE).price_usd, "4");
  assert.equal(rowValue(wallet.rows.get(NATIVE)), "0.00");
  assert.deepEqual(applyFrame(state, { type: "batch" }), []);
});

for (const frame of [
  null, undefined, 5, "x", [], {}, { type: "later invention" }, { type: 3 }, { type: "status" }, { type: "status", moon: "full" },
  { type: "snapshot" }, { type: "snapshot", wallet: W }, { type: "snapshot", wallet: W, tokens: {} }, { type: "price" },
  { type: "balance", wallet: W }, { type: "token", wallet: W }, { type: "heartbeat", epoch: "e", rev: 3 }, { type: "lag", rev: 3 },
]) {
  test(`ignored: ${JSON.stringify(frame)}`, () => {
    const { state, wallet } = watching(snapshot([row(NATIVE)]));
    const before = structuredClone(wallet);
    assert.deepEqual(applyFrame(state, frame), []);
    assert.deepEqual(wallet, before);
  });
}

test("a snapshot skips rows that are none", () => {
  const { wallet } = watching(snapshot([null, 5, {}, { token: 7 }, row(NATIVE)]));
  assert.equal(wallet.rows.size, 1);
});

test("totals sum the visible, listed, priced rows, exactly, rounded once", () => {
  const tenth = { balance: "1", decimals: 3, price_usd: "4" }; // 0.004 each: three make 0.012
  const { wallet } = watching(snapshot([
    row("ETH:0x1", tenth), row("ETH:0x2", tenth), row("ETH:0x3", tenth),
    row("ETH:0x4", { visible: false }), row("ETH:0x5", { listed: false }),
    row("ETH:0x6", { price_usd: null }), row("ETH:0x7", { price_usd: null, balance: "0", decimals: null }),
    row("ETH:0x8", { price_usd: null, visible: false }), row("ETH:0x9", { decimals: null }),
  ]));
  assert.deepEqual(walletTotal(wallet), { total_usd: "0.01", unpriced: 1, counted: 4 });
  assert.equal(toText(wallet.total.sum), "0.012");
});

test("the total that is kept is the sum anew, whatever comes in whatever order", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)]));
  let seed = 7;
  const random = (n) => ((seed = (seed * 16807) % 2147483647) >>> 8) % n;
  const tokens = [NATIVE, USDC, "ETH:0x1", "ETH:0x2", "ETH:0x3"];
  const some = (list) => list[random(list.length)];
  for (let i = 0; i < 2000; i += 1) {
    const members = {
      balance: some(["0", "1", "333333333333333333", null]), decimals: some([0, 6, 18, null]), price_usd: some(["0.1", "7", "0.00000000031", null]),
      visible: random(3) > 0, listed: random(3) > 0,
    };
    const token = some(tokens);
    switch (random(6)) {
      case 0: applyFrame(state, { ...row(token, members), type: "token", wallet: W }); break;
      case 1: applyFrame(state, { type: "price", token, price_usd: members.price_usd }); break;
      case 2: applyFrame(state, { type: "balance", wallet: W, token, balance: members.balance }); break;
      case 3: applyVisibility(state, W, { token, visible: members.visible, rev: 99 }); break;
      case 4: if (random(20) === 0) applyFrame(state, snapshot([row(token, members), row(token, members), row(NATIVE)])); break;
      case 5: applyFrame(state, { type: "price", token, price_usd: members.price_usd }, V); break;
    }
    const anew = watching(snapshot([...wallet.rows.values()])).wallet;
    assert.deepEqual(walletTotal(wallet), walletTotal(anew));
    assert.deepEqual(sumOf([wallet, anew]).counted, 2 * walletTotal(wallet).counted);
  }
});

test("shares are of the visible, listed, priced rows, half-even to one place", () => {
  const { wallet } = watching(snapshot([
    row("ETH:0x1", { price_usd: "1" }), row("ETH:0x2", { price_usd: "2" }), row("ETH:0x3", { price_usd: null }), row("ETH:0x4", { visible: false }),
  ]));
  assert.deepEqual([...wallet.rows.values()].map((one) => rowShare(wallet, one)), ["33.3", "66.7", null, null]);
  const { wallet: nothing } = watching(snapshot([row(NATIVE, { balance: "0" })]));
  assert.equal(rowShare(nothing, nothing.rows.get(NATIVE)), null);
});

test("a total of nothing known is null", () => {
  const { wallet } = watching(snapshot([row(NATIVE, { price_usd: null })]));
  assert.deepEqual(walletTotal(wallet), { total_usd: null, unpriced: 1, counted: 0 });
});

test("statuses: refreshing, chains, prices, deleted", () => {
  const { state, wallet } = watching(snapshot([row(NATIVE)]));
  const status = (members) => applyFrame(state, { type: "status", ...members });
  status({ wallet: W, refreshing: "balances" });
  assert.equal(wallet.refreshing, "balances");
  status({ wallet: W, refreshing: "prices" });
  assert.equal(wallet.refreshing, "prices");
  status({ wallet: W, refreshing: "done", as_of: 77, block: 120 });
  assert.deepEqual([wallet.refreshing, wallet.asOf, wallet.block], [null, 77, 120]);
  status({ wallet: W, refreshing: "balances" });
  status({ wallet: W, refreshing: "failed" });
  assert.deepEqual([wallet.refreshing, wallet.refreshFailed], [null, true]);
  assert.deepEqual(status({ chain: "MATIC", state: "down", since: 8 }), [{ what: "status" }]);
  assert.deepEqual(state.chains.get("MATIC"), { since: 8 });
  status({ chain: "MATIC", state: "up" });
  assert.equal(state.chains.size, 0);
  status({ prices: "stale" });
  assert.equal(state.pricesStale, true);
  status({ prices: "live" });
  assert.equal(state.pricesStale, false);
  status({ wallet: W, state: "deleted" });
  assert.equal(wallet.deleted, true);
  assert.deepEqual(status({ wallet: V, state: "deleted" }), []);
});

test("statuses end with the connection, values stay", () => {
  const { state, wallet } = watching(
    snapshot([row(NATIVE)]), { type: "status", chain: "ETH", state: "down" }, { type: "status", prices: "stale" },
    { type: "status", wallet: W, refreshing: "balances" }, snapshot([row(NATIVE)], { parts: 2 }));
  connectionLost(state);
  assert.deepEqual([state.chains.size, state.pricesStale, wallet.refreshing, wallet.rows.size], [0, false, null, 1]);
  assert.deepEqual(applyFrame(state, snapshot([], { part: 2, parts: 2 })), [], "no part outlives its connection");
});

test("prices without a wallet", () => {
  const { state } = watching();
  addToken(state, USDC);
  assert.equal(state.prices.get(USDC), null);
  const frame = { type: "price", token: USDC, price_usd: "1.0002", change_24h: null, price_state: "fresh", price_at: 3, rev: 4 };
  assert.deepEqual(applyFrame(state, frame), [{ what: "price", token: USDC }]);
  assert.equal(state.prices.get(USDC).price_usd, "1.0002");
});

test("a visibility answer counts unless a later frame spoke", () => {
  const { state, wallet } = watching(snapshot([row(USDC)]));
  const answer = { ...row(USDC), visible: false, price_usd: "0.1", rev: 20 };
  applyFrame(state, { type: "price", token: USDC, price_usd: "9", price_state: "fresh", rev: 25 });
  assert.deepEqual(applyVisibility(state, W, answer), [{ what: "wallet", wallet: W }]);
  assert.equal(wallet.rows.get(USDC).visible, false);
  assert.equal(wallet.rows.get(USDC).price_usd, "9", "only `visible` is taken");
  applyFrame(state, { ...row(USDC), type: "token", wallet: W, visible: true, rev: 30 });
  assert.deepEqual(applyVisibility(state, W, answer), []);
  assert.equal(wallet.rows.get(USDC).visible, true);
  assert.deepEqual(applyVisibility(state, W, { token: "ETH:0x9", visible: true }), []);
  assert.deepEqual(applyVisibility(state, V, answer), []);
});

test("isDataFrame", () => {
  for (const type of ["price", "balance", "token"]) assert.equal(isDataFrame({ type }), true);
  for (const frame of [null, undefined, {}, { type: "snapshot" }]) assert.equal(isDataFrame(frame), false);
});
