// What the client knows, and how frames change it. Pure: no sockets, no clocks, no page.
//
// The protocol sends absolute values, and on one connection the later frame holds the newer one. So merging
// is assignment: no queue, no ordering by revision. (After a later subscribe a frame may carry an older `rev`
// and still be right.) What a frame does not name is left alone; what is not understood is ignored.

import { ZERO, add, exactValue, roundHalfEven, toText, valueUsd } from "./decimal.js";
import { chainOf } from "./keys.js";

/** The members of a snapshot row, with what stands for an absent one. */
const ROW_DEFAULTS = {
  symbol: null, name: null, decimals: null, logo: null, listed: false, visible: true,
  balance: null, balance_state: "unknown",
  price_usd: null, change_24h: null, price_state: "unknown", price_at: null,
  rev: 0,
};

const PRICE_MEMBERS = ["price_usd", "change_24h", "price_state", "price_at"];

/** An empty store. `wallets` and `prices` hold only what was declared with `addWallet` and `addToken`. */
export function createState() {
  return { wallets: new Map(), prices: new Map(), chains: new Map(), pricesStale: false };
}

export function addWallet(state, key) {
  if (state.wallets.has(key)) return;
  state.wallets.set(key, {
    key, state: null, block: null, asOf: null, rows: new Map(),
    complete: false, nextPart: 0, parts: 0, partRev: null,
    refreshing: null, refreshFailed: false, deleted: false,
  });
}

export function removeWallet(state, key) {
  state.wallets.delete(key);
}

export function addToken(state, key) {
  if (!state.prices.has(key)) state.prices.set(key, null);
}

export function removeToken(state, key) {
  state.prices.delete(key);
}

/** Statuses belong to a connection: what is not normal is repeated after the next subscribe's `ok`. */
export function connectionLost(state) {
  state.chains.clear();
  state.pricesStale = false;
  for (const wallet of state.wallets.values()) {
    wallet.refreshing = null;
    wallet.nextPart = 0;
  }
}

/**
 * Merges one server message and answers what changed, as a list of
 * `{what: "wallet", wallet}` (head or set of rows), `{what: "row", wallet, token}`, `{what: "price", token}`
 * and `{what: "status"}`. Unknown types answer an empty list.
 */
export function applyFrame(state, frame) {
  if (frame === null || typeof frame !== "object") return [];
  switch (frame.type) {
    case "snapshot": return applySnapshot(state, frame);
    case "price": return applyPrice(state, frame);
    case "balance": return applyBalance(state, frame);
    case "token": return applyToken(state, frame);
    case "status": return applyStatus(state, frame);
    case "batch":
      return Array.isArray(frame.frames) ? frame.frames.flatMap((inner) => applyDataFrame(state, inner)) : [];
    default: return [];
  }
}

/** A batch holds data frames only; anything else in it (another batch above all) is ignored. */
function applyDataFrame(state, frame) {
  return frame !== null && isDataFrame(frame) ? applyFrame(state, frame) : [];
}

export function isDataFrame(frame) {
  return frame?.type === "price" || frame?.type === "balance" || frame?.type === "token";
}

/**
 * Part 1 replaces the rows and ends an earlier snapshot; later parts insert or replace. All parts carry the
 * `rev` of part 1, so a part that does not continue the one under way is left out.
 */
function applySnapshot(state, frame) {
  const wallet = state.wallets.get(frame.wallet);
  if (wallet === undefined || !Array.isArray(frame.tokens)) return [];
  const part = frame.part ?? 1;
  if (part === 1) {
    wallet.rows = new Map();
    wallet.partRev = frame.rev;
    wallet.deleted = false;
  } else if (part !== wallet.nextPart || frame.rev !== wallet.partRev) {
    return [];
  }
  const last = part >= (frame.parts ?? 1);
  wallet.nextPart = last ? 0 : part + 1;
  wallet.parts = frame.parts ?? 1;
  wallet.complete = last && frame.state !== "loading";
  wallet.state = frame.state ?? "unknown";
  wallet.block = frame.block ?? null;
  wallet.asOf = frame.as_of ?? null;
  for (const row of frame.tokens) {
    if (typeof row?.token === "string") wallet.rows.set(row.token, rowFrom(row));
  }
  return [{ what: "wallet", wallet: wallet.key }];
}

function rowFrom(members) {
  const row = { token: members.token };
  for (const [name, absent] of Object.entries(ROW_DEFAULTS)) row[name] = members[name] ?? absent;
  row.visibleRev = row.rev;
  return row;
}

/** A price is the token's, in every wallet that has a row for it. Without a row it is ignored. */
function applyPrice(state, frame) {
  const changes = [];
  if (state.prices.has(frame.token)) {
    const price = { token: frame.token };
    for (const member of PRICE_MEMBERS) price[member] = frame[member] ?? ROW_DEFAULTS[member];
    state.prices.set(frame.token, price);
    changes.push({ what: "price", token: frame.token });
  }
  for (const wallet of state.wallets.values()) {
    const row = wallet.rows.get(frame.token);
    if (row === undefined) continue;
    for (const member of PRICE_MEMBERS) row[member] = frame[member] ?? ROW_DEFAULTS[member];
    changes.push({ what: "row", wallet: wallet.key, token: frame.token });
  }
  return changes;
}

function applyBalance(state, frame) {
  const wallet = state.wallets.get(frame.wallet);
  const row = wallet?.rows.get(frame.token);
  if (row === undefined) return [];
  row.balance = frame.balance ?? null;
  row.balance_state = frame.balance_state ?? "unknown";
  row.rev = frame.rev ?? row.rev;
  followNative(wallet, row, frame);
  return [{ what: "row", wallet: wallet.key, token: frame.token }];
}

/** Inserts or replaces one row. */
function applyToken(state, frame) {
  const wallet = state.wallets.get(frame.wallet);
  if (wallet === undefined || typeof frame.token !== "string") return [];
  const before = wallet.rows.get(frame.token);
  const row = rowFrom(frame);
  wallet.rows.set(frame.token, row);
  followNative(wallet, row, frame);
  const sameSet = before !== undefined && before.visible === row.visible && before.listed === row.listed;
  if (sameSet) return [{ what: "row", wallet: wallet.key, token: frame.token }];
  return [{ what: "wallet", wallet: wallet.key }];
}

/** A wallet's state is its native row's `balance_state`; its block is the last one read. */
function followNative(wallet, row, frame) {
  if (row.token === `${chainOf(wallet.key)}:native`) wallet.state = row.balance_state;
  if (Number.isInteger(frame.block)) wallet.block = frame.block;
}

function applyStatus(state, frame) {
  if (typeof frame.wallet === "string") return applyWalletStatus(state, frame);
  if (typeof frame.chain === "string") {
    if (frame.state === "down") state.chains.set(frame.chain, { since: frame.since ?? null });
    else state.chains.delete(frame.chain);
    return [{ what: "status" }];
  }
  if (frame.prices === "stale" || frame.prices === "live") {
    state.pricesStale = frame.prices === "stale";
    return [{ what: "status" }];
  }
  return [];
}

function applyWalletStatus(state, frame) {
  const wallet = state.wallets.get(frame.wallet);
  if (wallet === undefined) return [];
  if (frame.state === "deleted") {
    wallet.deleted = true;
    wallet.refreshing = null;
  }
  switch (frame.refreshing) {
    case "balances": case "prices":
      wallet.refreshing = frame.refreshing;
      wallet.refreshFailed = false;
      break;
    case "done":
      wallet.refreshing = null;
      wallet.refreshFailed = false;
      wallet.asOf = frame.as_of ?? wallet.asOf;
      wallet.block = frame.block ?? wallet.block;
      break;
    case "failed":
      wallet.refreshing = null;
      wallet.refreshFailed = true;
      break;
  }
  return [{ what: "wallet", wallet: wallet.key }];
}

/**
 * Takes the answer of `PATCH …/tokens/{address}`. It came another way than the frames, so here revisions do
 * decide: a `token` frame or snapshot with a later one has already said more. Only `visible` is taken, since
 * frames may have brought newer prices and balances meanwhile.
 */
export function applyVisibility(state, walletKey, answer) {
  const row = state.wallets.get(walletKey)?.rows.get(answer?.token);
  if (row === undefined || typeof answer.visible !== "boolean") return [];
  if ((answer.rev ?? 0) < row.visibleRev) return [];
  row.visible = answer.visible;
  row.visibleRev = answer.rev ?? row.visibleRev;
  return [{ what: "wallet", wallet: walletKey }];
}

/** `value_usd` of a row, computed here because price and balance frames do not carry it. */
export function rowValue(row) {
  return valueUsd(row.balance, row.decimals, row.price_usd);
}

/**
 * `{total_usd, unpriced, counted}` over the visible, listed rows: the sum is exact and rounded once.
 * `unpriced` counts rows left out for want of a price; `total_usd` is null when not one row could be counted.
 */
export function walletTotal(wallet) {
  const { sum, counted, unpriced } = exactTotal(wallet);
  return { total_usd: counted === 0 ? null : toText(roundHalfEven(sum, 2)), unpriced, counted };
}

/** `walletTotal` before rounding, for sums over several wallets. */
export function exactTotal(wallet) {
  let sum = ZERO;
  let counted = 0;
  let unpriced = 0;
  for (const row of wallet.rows.values()) {
    if (!row.visible || !row.listed) continue;
    const value = exactValue(row.balance, row.decimals, row.price_usd);
    if (value !== null) {
      sum = add(sum, value);
      counted += 1;
    } else if (row.price_usd === null) {
      unpriced += 1;
    }
  }
  return { sum, counted, unpriced };
}
