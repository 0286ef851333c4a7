// Pure: a message of every kind, ready to send.

import { t } from "./texts.js";

/** Of whom the examples speak where the server knows no wallet. */
export const WALLET = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045";

/** Each `{name, title, message, about}`. `wallet`: a key; `since`: `epoch:rev` that one may resume from, or null. */
export function examples(wallet, since = null) {
  const coin = `${wallet.split(":")[0]}:native`;
  return [
    { name: "wallet", message: { op: "subscribe", id: 1, wallets: [wallet] } },
    { name: "prices", message: { op: "subscribe", id: 2, tokens: [coin] } },
    {
      name: "resume", message: { op: "subscribe", id: 3, wallets: [wallet], since: since ?? "k3f9:8121" },
      about: since === null ? "none" : "known",
    },
    { name: "batches", message: { op: "set", id: 4, rate: 2, batch: true } },
    { name: "live", message: { op: "set", id: 5, rate: null, batch: false } },
    { name: "refresh", message: { op: "refresh", id: 6, wallet } },
    { name: "get", message: { op: "get", id: 7, wallet } },
    { name: "list", message: { op: "list", id: 8 } },
    { name: "unsubscribe", message: { op: "unsubscribe", id: 9, wallets: [wallet] } },
    { name: "auth", message: { op: "auth", id: 10, token: "…" }, about: "about" },
    { name: "ping", message: { op: "ping", id: 11 } },
    { name: "mistake", message: { op: "get", id: 12, wallet: "ETH:0x12" }, about: "about" },
  ].map(({ name, message, about }) => ({
    name, message, title: t(`example.${name}`), about: about && t(`example.${name}.${about}`),
  }));
}
