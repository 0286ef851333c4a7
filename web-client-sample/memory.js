// Which wallets to show: those in the address bar's hash (`#ETH:0x…,BSC:0x…`, so that a link can be shared),
// then those this browser remembers. Storage may be missing or full: then nothing is remembered.

import { remember } from "./choices.js";
import { canonicalWallet } from "./walletpush.js";

const WALLETS = "walletpush.wallets";
const WALLETS_MAX = 100;
const LINKED_MAX = 10;

/** `{linked, stored}`: canonical wallet keys. */
export function readWallets() {
  return { linked: keysOf(decodeHash(location.hash.slice(1)).split(",")), stored: keysOf(readStored()) };
}

export function writeWallets(keys) {
  remember(WALLETS, JSON.stringify(keys.slice(0, WALLETS_MAX)));
  const hash = keys.length === 0 ? location.pathname + location.search : `#${keys.slice(0, LINKED_MAX).join(",")}`;
  history.replaceState(null, "", hash);
}

function decodeHash(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function readStored() {
  try {
    const list = JSON.parse(localStorage.getItem(WALLETS) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

function keysOf(texts) {
  return texts.map(canonicalWallet).filter((key) => key !== null).slice(0, WALLETS_MAX);
}
