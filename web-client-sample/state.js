// What the client knows, and how frames change it. Pure: no sockets, no clocks, no page.
//
// The protocol sends absolute values, and on one connection the later frame holds the newer one. So merging
// is assignment: no queue, no ordering by revision. (After a later subscribe a frame may carry an older `rev`
// and still be right.) What a frame does not name is left alone; what is not understood is ignored.

import { ZERO, add, exactValue, percentOf, roundHalfEven, subtract, toText } from "./decimal.js";
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
    key, state: null, block: null, asOf: null, rows: new Map(), total: { sum: ZERO, counted: 0, unpriced: 0 },
    complete: false, arriving: false, nextPart: 0, parts: 0, partRev: null,
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
    wallet.arriving = false;
  }
}

/**
 * Merges one server message and answers what changed, as a list of
 * `{what: "wallet", wallet}` (head or set of rows), `{what: "row", wallet, token}`, `{what: "price", token}`
 * and `{what: "status"}`. Unknown types answer an empty list.
 *
 * `only` names the wallet whose own stream brought it: between streams there is no order, so a price is this
 * wallet's alone.
 */
export function applyFrame(state, frame, only = null) {
  if (frame === null || typeof frame !== "object") return [];
  switch (frame.type) {
    case "snapshot": return applySnapshot(state, frame);
    case "price": return applyPrice(state, frame, only);
    case "balance": return applyBalance(state, frame);
    case "token": return applyToken(state, frame);
    case "status": return applyStatus(state, frame);
    case "batch":
      return Array.isArray(frame.frames) ? frame.frames.flatMap((inner) => applyDataFrame(state, inner, only)) : [];
    default: return [];
  }
}

/** A batch holds data frames only; anything else in it (another batch above all) is ignored. */
function applyDataFrame(state, frame, only) {
  return frame !== null && isDataFrame(frame) ? applyFrame(state, frame, only) : [];
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
    wallet.total = { sum: ZERO, counted: 0, unpriced: 0 };
    wallet.partRev = frame.rev;
    wallet.deleted = false;
  } else if (part !== wallet.nextPart || frame.rev !== wallet.partRev) {
    return [];
  }
  const last = part >= (frame.parts ?? 1);
  wallet.nextPart = last ? 0 : part + 1;
  wallet.arriving = !last;
  wallet.parts = frame.parts ?? 1;
  wallet.complete = last && frame.state !== "loading";
  wallet.state = frame.state ?? "unknown";
  wallet.block = frame.block ?? null;
  wallet.asOf = frame.as_of ?? null;
  for (const row of frame.tokens) {
    if (typeof row?.token === "string") putRow(wallet, rowFrom(row));
  }
  return [{ what: "wallet", wallet: wallet.key }];
}

/** Inserts or replaces a row. */
function putRow(wallet, row) {
  const before = wallet.rows.get(row.token);
  if (before !== undefined) discount(wallet, before);
  wallet.rows.set(row.token, row);
  count(wallet, row);
}

// The total is kept, not summed up anew: with thousands of rows and as many prices a second that is the
// difference between milliseconds and nothing. Exact arithmetic makes it the same sum to the last digit.

/** Puts what the row is worth into the wallet's total, and remembers it in the row. */
function count(wallet, row) {
  const { total } = wallet;
  row.value = exactValue(row.balance, row.decimals, row.price_usd);
  row.counted = row.visible && row.listed;
  if (!row.counted) return;
  if (row.value !== null) {
    total.sum = add(total.sum, row.value);
    total.counted += 1;
  } else if (row.price_usd === null) {
    total.unpriced += 1;
  }
}

/** Takes the row out of the total, before anything of it changes. */
function discount({ total }, row) {
  if (!row.counted) return;
  if (row.value !== null) {
    total.sum = subtract(total.sum, row.value);
    total.counted -= 1;
  } else if (row.price_usd === null) {
    total.unpriced -= 1;
  }
}

function rowFrom(members) {
  const row = { token: members.token };
  for (const [name, absent] of Object.entries(ROW_DEFAULTS)) row[name] = members[name] ?? absent;
  row.visibleRev = row.rev;
  return row;
}

/** A price is the token's, in every wallet that has a row for it. Without a row it is ignored. */
function applyPrice(state, frame, only) {
  const changes = [];
  if (only === null && state.prices.has(frame.token)) {
    const price = { token: frame.token };
    for (const member of PRICE_MEMBERS) price[member] = frame[member] ?? ROW_DEFAULTS[member];
    state.prices.set(frame.token, price);
    changes.push({ what: "price", token: frame.token });
  }
  for (const wallet of state.wallets.values()) {
    const row = wallet.rows.get(frame.token);
    if (row === undefined || (only !== null && wallet.key !== only)) continue;
    discount(wallet, row);
    for (const member of PRICE_MEMBERS) row[member] = frame[member] ?? ROW_DEFAULTS[member];
    count(wallet, row);
    changes.push({ what: "row", wallet: wallet.key, token: frame.token });
  }
  return changes;
}

function applyBalance(state, frame) {
  const wallet = state.wallets.get(frame.wallet);
  const row = wallet?.rows.get(frame.token);
  if (row === undefined) return [];
  discount(wallet, row);
  row.balance = frame.balance ?? null;
  row.balance_state = frame.balance_state ?? "unknown";
  count(wallet, row);
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
  putRow(wallet, row);
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
  const wallet = state.wallets.get(walletKey);
  const row = wallet?.rows.get(answer?.token);
  if (row === undefined || typeof answer.visible !== "boolean") return [];
  if ((answer.rev ?? 0) < row.visibleRev) return [];
  discount(wallet, row);
  row.visible = answer.visible;
  count(wallet, row);
  row.visibleRev = answer.rev ?? row.visibleRev;
  return [{ what: "wallet", wallet: walletKey }];
}

/** `value_usd` of a row, computed here because price and balance frames do not carry it. */
export function rowValue(row) {
  return row.value === null ? null : toText(roundHalfEven(row.value, 2));
}

/**
 * `{total_usd, unpriced, counted}` over the visible, listed rows: the sum is exact and rounded once.
 * `unpriced` counts rows left out for want of a price; `total_usd` is null when not one row could be counted.
 */
export function walletTotal(wallet) {
  return sumOf([wallet]);
}

/** The same over several wallets: rounded once, however many they are. */
export function sumOf(wallets) {
  let sum = ZERO;
  let counted = 0;
  let unpriced = 0;
  for (const { total } of wallets) {
    sum = add(sum, total.sum);
    counted += total.counted;
    unpriced += total.unpriced;
  }
  return { total_usd: counted === 0 ? null : toText(roundHalfEven(sum, 2)), unpriced, counted };
}

/** The row's part of the wallet's total in percent, half-even to one place; null where there is none to tell. */
export function rowShare(wallet, row) {
  if (!row.counted || row.value === null || wallet.total.sum.digits <= 0n) return null;
  return percentOf(row.value, wallet.total.sum, 1);
}
