// Compiled and never run: what a program that uses the library may say, and what it may not.
import {
  WalletPushClient, WalletPushError, rowShare, rowValue, sumOf, walletTotal, type Change, type Wallet,
} from "../../walletpush.js";

const client = new WalletPushClient("https://push.example/", {
  settings: { rate: 2, batch: true },
  token: async (why) => (why === "connect" ? "first" : null),
  transports: ["websocket", "polling"],
});

client.addEventListener("change", ({ detail }) => {
  for (const change of detail) show(change);
});
client.addEventListener("connection", ({ detail }) => {
  if (detail.state === "waiting") console.log(new Date(detail.retryAt), detail.reason);
  if (detail.state === "live") console.log(detail.transport, detail.hello.limits.wallets);
});
client.addEventListener("auth", ({ detail }) => {
  if (detail.state === "expired") client.setToken("another");
});
client.subscribe({ wallets: ["ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"] });
client.connect();

function show(change: Change): void {
  if (change.what !== "row") return;
  const wallet: Wallet | undefined = client.state.wallets.get(change.wallet);
  const row = wallet?.rows.get(change.token);
  if (wallet === undefined || row === undefined) return;
  const worth: string | null = rowValue(row);
  console.log(row.symbol, worth, rowShare(wallet, row), walletTotal(wallet).total_usd, sumOf([wallet]).counted);
}

async function refresh(): Promise<number | null> {
  try {
    await client.refresh("ETH:0xd8da6bf26964af9d7eed9e03e53415d37aa96045");
    return await client.ping();
  } catch (error) {
    return error instanceof WalletPushError ? error.retryMs : null;
  }
}
refresh();

// @ts-expect-error: there is no such event.
client.addEventListener("message", () => {});
// @ts-expect-error: there is no such transport.
new WalletPushClient("ws://push.example/ws", { transports: ["pigeon"] });
// @ts-expect-error: the state is read, not written.
client.state.pricesStale = true;
