// Which wallets to show: those in the address bar's hash (`#ETH:0x…,BSC:0x…`, so that a link can be shared),
// then those this browser remembers. Storage may be missing or full: then nothing is remembered.

import { bestLanguage } from "./i18n.js";
import { canonicalWallet } from "./walletpush.js";

const WALLETS = "walletpush.wallets";
const THEME = "walletpush.theme";
const LANGUAGE = "walletpush.language";
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

/** "light", "dark" or "system". */
export function readTheme() {
  return document.documentElement.dataset.theme ?? "system";
}

export function writeTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember(THEME, theme);
}

/** The language chosen here, else the browser's. */
export function readLanguage() {
  try {
    return bestLanguage([localStorage.getItem(LANGUAGE), ...navigator.languages]);
  } catch {
    return bestLanguage(navigator.languages);
  }
}

export function writeLanguage(language) {
  remember(LANGUAGE, language);
}

function remember(name, text) {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Not remembered, then.
  }
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
