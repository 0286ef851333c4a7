// Wallet and token keys: `CHAIN:0x…` with the address in lower case, or `CHAIN:native` for a chain's own coin.

const CHAIN = /^[A-Z][A-Z0-9]{0,15}(?:_[A-Z0-9]{1,16})?$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;

/** The canonical wallet key of `chain` and `address` in any letter case, or null. */
export function walletKey(chain, address) {
  const code = String(chain).trim().toUpperCase();
  const hex = String(address).trim().toLowerCase();
  return CHAIN.test(code) && ADDRESS.test(hex) ? `${code}:${hex}` : null;
}

/** Splits `CHAIN:address` as typed or pasted, keeping the address's letter case (EIP-55 is for the server). */
export function splitKey(text) {
  const trimmed = String(text).trim();
  const colon = trimmed.indexOf(":");
  if (colon < 0) return null;
  return { chain: trimmed.slice(0, colon).trim().toUpperCase(), address: trimmed.slice(colon + 1).trim() };
}

/** The canonical form of a wallet key in any letter case, or null. */
export function canonicalWallet(text) {
  const parts = splitKey(text);
  return parts === null ? null : walletKey(parts.chain, parts.address);
}

/** The canonical form of a token key in any letter case, or null. */
export function canonicalToken(text) {
  const parts = splitKey(text);
  if (parts === null || !CHAIN.test(parts.chain)) return null;
  const address = parts.address.toLowerCase();
  return address === "native" || ADDRESS.test(address) ? `${parts.chain}:${address}` : null;
}

/** The chain code of a canonical key. */
export function chainOf(key) {
  return key.slice(0, key.indexOf(":"));
}

/** The address (or `native`) of a canonical key. */
export function addressOf(key) {
  return key.slice(key.indexOf(":") + 1);
}
