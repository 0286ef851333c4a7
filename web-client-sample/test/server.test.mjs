import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";
import { WalletPushClient } from "../walletpush.js";
import { A, T, snapshot } from "./support/world.mjs";

// Over real sockets, by Node's own fetch.

/** A server of one wallet; `stream` and `changes` handle what is asked for it. */
async function serving(t, { stream, changes }) {
  const closed = [];
  const server = createServer((request, response) => {
    response.on("close", () => closed.push(request.url));
    const { pathname, searchParams } = new URL(request.url, "http://server");
    if (pathname === "/base/api/v1/chains") return response.end("{}");
    if (pathname.endsWith("/stream") && stream !== undefined) return stream(request, response);
    if (pathname.endsWith("/changes")) return changes(searchParams, response);
    response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `http://127.0.0.1:${server.address().port}/base/`, closed };
}

function following(t, root, options) {
  const client = new WalletPushClient(root, { transports: ["sse", "polling"], ...options });
  t.after(() => client.close());
  client.subscribe({ wallets: [A] });
  client.connect();
  return client;
}

/** The price of the wallet's coin, once it is `usd`. */
async function priced(client, usd) {
  while (client.state.wallets.get(A).rows.get(T)?.price_usd !== usd) await once(client, "change");
}

const event = (frame, id) => `event: ${frame.type}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(frame)}\n\n`;
const price = (usd, rev) => ({ type: "price", token: T, price_usd: usd, price_state: "fresh", rev });

test("an event stream over a socket, in pieces; close ends it", { timeout: 60_000 }, async (t) => {
  let headers;
  const { root, closed } = await serving(t, {
    stream: (request, response) => {
      headers = request.headers;
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      const bytes = Buffer.from(event({ type: "hello", ping_s: 25 }) + event({ type: "ok", wallets: [A], failed: [] }) +
        event(snapshot(A, { state: "fresh" })) + event({ type: "heartbeat", epoch: "e1", rev: 12 }, "e1:12") + event(price("3", 13), "e1:13"));
      response.write(bytes.subarray(0, 100));
      setImmediate(() => response.write(bytes.subarray(100)));
    },
  });
  const client = following(t, root, { token: "secret" });
  await priced(client, "3");
  assert.equal(client.transport, "sse");
  assert.deepEqual([headers.authorization, headers.accept], ["Bearer secret", "text/event-stream"]);
  client.close();
  while (!closed.some((url) => url.endsWith("/stream"))) await new Promise((resolve) => setImmediate(resolve));
});

test("without streams it polls, over a socket", { timeout: 60_000 }, async (t) => {
  const asked = [];
  let waiting = null;
  const { root, closed } = await serving(t, {
    changes: (query, response) => {
      asked.push(query.get("since"));
      if (asked.length === 1) return response.end(JSON.stringify({ epoch: "e1", rev: 12, changes: [snapshot(A)] }));
      if (asked.length === 2) return response.end(JSON.stringify({ epoch: "e1", rev: 13, changes: [price("3", 13)] }));
      waiting = response;
    },
  });
  const client = following(t, root);
  await priced(client, "3");
  assert.equal(client.transport, "polling");
  while (waiting === null) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, [null, "e1:12", "e1:13"]);
  const before = closed.length;
  client.close();
  while (closed.length === before) await new Promise((resolve) => setImmediate(resolve));
});
