// The client library in Node, against a running server: `node library.mjs ROOT WALLET TRANSPORT`. Follows the wallet
// until a price has moved, loses its connection on purpose, comes back, and until one has moved again.

import { WalletPushClient } from "../../web-client-sample/walletpush.js";

const [root, wallet, transport] = process.argv.slice(2);
const client = new WalletPushClient(root, { transports: [transport] });

/** Resolves with the detail of the next event for which `condition` holds. */
function next(type, condition = () => true) {
  return new Promise((resolve) => {
    client.addEventListener(type, function listener({ detail }) {
      if (!condition(detail)) return;
      client.removeEventListener(type, listener);
      resolve(detail);
    });
  });
}

const moved = () => next("change", (changes) => changes.some(({ what }) => what === "row"));

client.subscribe({ wallets: [wallet] });
client.connect();
await moved();
const rows = client.state.wallets.get(wallet).rows.size;
const latency = await client.ping();
client.close();
const resumed = next("resumed");
client.connect();
const { resumed: didResume } = await resumed;
await moved();
console.log(JSON.stringify({ transport: client.transport, rows, didResume, latency }));
client.close();
