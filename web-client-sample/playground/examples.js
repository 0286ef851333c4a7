// Pure: a message of every kind, ready to send.

/** Of whom the examples speak where the server knows no wallet. */
export const WALLET = "ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045";

/** `wallet`: a key; `since`: `epoch:rev` that one may resume from, or null. */
export function examples(wallet, since = null) {
  const coin = `${wallet.split(":")[0]}:native`;
  return [
    { title: "Follow a wallet", message: { op: "subscribe", id: 1, wallets: [wallet] } },
    { title: "Follow prices", message: { op: "subscribe", id: 2, tokens: [coin] } },
    {
      title: "Resume", message: { op: "subscribe", id: 3, wallets: [wallet], since: since ?? "k3f9:8121" },
      about: since === null ? "Needs the epoch and revision of a heartbeat." : "From the last heartbeat.",
    },
    { title: "Two updates a second, in batches", message: { op: "set", id: 4, rate: 2, batch: true } },
    { title: "As they come", message: { op: "set", id: 5, rate: null, batch: false } },
    { title: "Read the chain now", message: { op: "refresh", id: 6, wallet } },
    { title: "One snapshot", message: { op: "get", id: 7, wallet } },
    { title: "What I follow", message: { op: "list", id: 8 } },
    { title: "Follow it no longer", message: { op: "unsubscribe", id: 9, wallets: [wallet] } },
    { title: "Show a token", message: { op: "auth", id: 10, token: "…" }, about: "Where the server asks for one." },
    { title: "Ping", message: { op: "ping", id: 11 } },
    { title: "A mistake", message: { op: "get", id: 12, wallet: "ETH:0x12" }, about: "Answered by an error, not by a close." },
  ];
}
