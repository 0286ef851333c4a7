import assert from "node:assert/strict";
import test from "node:test";
import { A, B, T, World, snapshot } from "./support/world.mjs";

const ALL = ["websocket", "sse", "polling"];
const stream = (wallet) => `api/v1/wallets/${encodeURIComponent(wallet)}/stream`;
const changes = (wallet) => `api/v1/wallets/${encodeURIComponent(wallet)}/changes`;
const price = (usd, rev) => ({ type: "price", token: T, price_usd: usd, price_state: "fresh", rev });

function event(frame, id = null) {
  return `event: ${frame.type}\n${id === null ? "" : `id: ${id}\n`}data: ${JSON.stringify(frame)}\n\n`;
}

/** A client whose WebSocket is blocked, with the probe of the lower rungs answered. */
async function blocked(options = {}) {
  const world = new World({ transports: ALL, ...options });
  world.client.subscribe({ wallets: [A] });
  world.client.connect();
  world.socket.onclose({ code: 1006, reason: "" });
  (await world.request("api/v1/chains")).answer(200, { chains: [] });
  await world.settle();
  return world;
}

/** The same with A's stream open, snapshot and heartbeat (rev 12) received. */
async function streaming(options) {
  const world = await blocked(options);
  const request = await world.request(stream(A));
  request.stream();
  request.say(event({ type: "hello", epoch: "e1", ping_s: 25 }) + event({ type: "ok", wallets: [A], failed: [] }));
  request.say(event(snapshot(A)) + event({ type: "heartbeat", epoch: "e1", rev: 12 }, "e1:12"));
  await world.settle();
  return { world, request };
}

/** The same by polling. */
async function polling(options) {
  const world = await blocked({ transports: ["websocket", "polling"], ...options });
  (await world.request(changes(A))).answer(200, { epoch: "e1", rev: 12, changes: [snapshot(A)] });
  await world.settle();
  return world;
}

test("where no WebSocket gets through, each wallet has an event stream", async () => {
  const { world, request } = await streaming();
  assert.equal(world.client.transport, "sse");
  assert.deepEqual([world.last("connection").state, world.last("connection").transport], ["live", "sse"]);
  assert.equal(request.headers.Accept, "text/event-stream");
  assert.equal(request.headers["Last-Event-ID"], undefined);
  const wallet = world.client.state.wallets.get(A);
  assert.equal(wallet.rows.get(T).price_usd, "2");
  request.say(event(price("3", 13), "e1:13"));
  await world.settle();
  assert.equal(wallet.rows.get(T).price_usd, "3");
  assert.equal(world.sockets.length, 1);
});

test("a stream that ends is resumed from its last id, where a WebSocket never worked on the stream's rung", async () => {
  const { world, request } = await streaming();
  request.say(`retry: 1500\n\n${event(price("3", 13), "e1:13")}${event(price("4", 14))}`);
  await world.settle();
  request.end();
  await world.settle();
  assert.equal(world.last("connection").state, "waiting");
  assert.equal(world.last("connection").retryAt - world.now, 1500, "as the stream's retry says");
  world.advance(1500);
  (await world.request("api/v1/chains")).answer(200, {});
  const again = await world.request(stream(A));
  assert.equal(again.headers["Last-Event-ID"], "e1:13");
  again.stream();
  again.say(event({ type: "ok", wallets: [A], failed: [], resumed: true, changed: 1 }));
  await world.settle();
  assert.deepEqual(world.last("resumed"), { resumed: true, changed: 1 });
  assert.equal(world.client.state.wallets.get(A).rows.size, 1, "rows stay");
});

test("a stream that is held back, or is none, makes way for polling", async () => {
  for (const spoil of [
    (request) => request.answer(200, {}, { "Content-Type": "text/html" }),
    (request) => request.answer(403, null),
    (request) => request.answer(404, { error: "no such address", code: "not_found" }),
    (request, world) => world.advance(10_000),
    async (request, world) => {
      request.stream();
      await world.settle();
      world.advance(10_000);
    },
  ]) {
    const world = await blocked();
    await spoil(await world.request(stream(A)), world);
    (await world.request("api/v1/chains")).answer(200, {});
    const poll = await world.request(changes(A));
    assert.equal(poll.path, `${changes(A)}?wait=0`);
    assert.equal(world.client.transport, "polling");
    world.client.close();
  }
});

test("polling: the answer's rev is the next since, the wait is the server's", async () => {
  const world = await polling();
  assert.equal(world.client.state.wallets.get(A).rows.size, 1);
  world.advance(1_000);
  let poll = await world.request(changes(A));
  assert.equal(poll.path, `${changes(A)}?wait=25&since=e1%3A12`);
  poll.answer(200, { epoch: "e1", rev: 15, changes: [price("5", 14)] });
  await world.settle();
  assert.equal(world.client.state.wallets.get(A).rows.get(T).price_usd, "5");
  world.advance(250);
  poll = await world.request(changes(A));
  assert.equal(poll.path, `${changes(A)}?wait=25&since=e1%3A15`);
  poll.answer(200, { epoch: "e1", rev: 15, changes: [] });
  await world.settle();
  world.advance(999);
  await world.settle();
  assert.equal(world.requests.some(({ open }) => open), false, "what brings nothing is not asked at once again");
  world.advance(1);
  await world.request(changes(A));
});

test("when a WebSocket gets through again it takes over, with the stream's cursor", async () => {
  const { world, request } = await streaming();
  assert.equal(world.sockets.length, 1);
  world.advance(15_000);
  assert.equal(world.sockets.length, 2, "tried beside the stream");
  assert.equal(world.client.transport, "sse");
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.client.transport, "sse", "in vain, and nobody noticed");
  world.advance(29_999);
  assert.equal(world.sockets.length, 2);
  world.advance(1);
  request.say(event({ type: "heartbeat", epoch: "e1", rev: 20 }, "e1:20"));
  await world.settle();
  world.hello({ rev: 30 });
  assert.equal(world.client.transport, "websocket");
  assert.equal(world.lastSent.since, "e1:20");
  await world.settle();
  assert.equal(request.open, false, "the stream is closed");
  world.say({ type: "ok", id: world.lastSent.id, wallets: [A], failed: [], resumed: true, changed: 0 }, { type: "heartbeat", epoch: "e1", rev: 30 });
  world.advance(600_000 / 100);
  assert.equal(world.sockets.length, 3, "and no more are tried");
});

test("polling's cursor serves the WebSocket too, and connect tries it at once", async () => {
  const world = await polling();
  world.client.connect();
  assert.equal(world.sockets.length, 2);
  world.hello({ rev: 30 });
  assert.equal(world.lastSent.since, "e1:12");
});

test("once a WebSocket has worked, one failed attempt is no reason to go down", async () => {
  const world = new World({ transports: ALL });
  world.client.connect();
  world.hello();
  world.socket.onclose({ code: 1006, reason: "" });
  world.advance(500);
  world.socket.onclose({ code: 1006, reason: "" });
  await world.settle();
  assert.deepEqual([world.requests.length, world.last("connection").state], [0, "waiting"]);
  world.advance(1000);
  world.socket.onclose({ code: 1006, reason: "" });
  await world.request("api/v1/chains");
});

test("where nothing answers at all it waits, and starts with the WebSocket again", async () => {
  const world = new World({ transports: ALL });
  world.client.connect();
  world.socket.onclose({ code: 1006, reason: "" });
  (await world.request("api/v1/chains")).fail();
  await world.settle();
  assert.equal(world.last("connection").state, "waiting");
  assert.equal(world.requests.length, 1);
  world.advance(500);
  assert.equal(world.sockets.length, 2);
});

for (const [code, state] of [[4001, "closed"], [4003, "closed"], [4100, "waiting"], [4111, "waiting"]]) {
  test(`close ${code} before the greeting is the server's word: no other transport is tried`, async () => {
    const world = new World({ transports: ALL });
    world.client.connect();
    world.socket.onclose({ code, reason: "because" });
    await world.settle();
    assert.deepEqual([world.last("connection").state, world.requests.length], [state, 0]);
  });
}

test("a token goes in a header, and a 401 is 4001 before it was good and 4101 after", async () => {
  const world = await blocked({ token: "secret" });
  const request = await world.request(stream(A));
  assert.equal(request.headers.Authorization, "Bearer secret");
  assert.ok(!request.path.includes("secret"));
  request.answer(401, { error: "not good", code: "unauthorized" });
  await world.settle();
  assert.deepEqual([world.last("connection").state, world.last("connection").code], ["closed", 4001]);

  const tokens = ["one", "two"];
  const later = await blocked({ token: () => tokens.shift() });
  const open = await later.request(stream(A));
  assert.equal(open.headers.Authorization, "Bearer one");
  open.stream();
  open.say(event({ type: "ok", wallets: [A], failed: [] }) + event({ type: "error", code: "unauthorized", message: "the token has ended" }));
  await later.settle();
  assert.deepEqual([later.last("connection").state, later.last("connection").code], ["waiting", 4101]);
  assert.deepEqual(later.last("auth"), { state: "expired" });
  later.advance(500);
  (await later.request("api/v1/chains")).answer(401, {});
  assert.equal((await later.request(stream(A))).headers.Authorization, "Bearer two");
});

test("a refused wallet is told, the others stay", async () => {
  const { world } = await streaming();
  world.client.subscribe({ wallets: [B] });
  (await world.request(stream(B))).answer(400, { error: "not served here", code: "chain_unsupported" });
  await world.settle();
  assert.deepEqual(world.last("refused"), { key: B, code: "chain_unsupported", message: "not served here" });
  assert.deepEqual([...world.client.state.wallets.keys()], [A]);
  assert.equal(world.client.transport, "sse");
});

test("a full server says when to come back", async () => {
  const world = await blocked();
  (await world.request(stream(A))).answer(503, { error: "full", code: "too_many_connections" }, { "Retry-After": "7" });
  await world.settle();
  assert.equal(world.last("connection").retryAt - world.now, 7000);
});

test("drain is announced on a stream as on a WebSocket", async () => {
  const { world, request } = await streaming();
  request.say(event({ type: "reconnect", reason: "drain", retry_ms: 3172 }));
  await world.settle();
  request.end();
  await world.settle();
  assert.equal(world.last("connection").retryAt - world.now, 3172);
});

test("prices of one wallet's stream are not another's", async () => {
  const { world } = await streaming();
  const C = "ETH:0x" + "c".repeat(40);
  world.client.subscribe({ wallets: [C] });
  const second = await world.request(stream(C));
  second.stream();
  second.say(event(snapshot(C)) + event(price("9", 40)));
  await world.settle();
  assert.equal(world.client.state.wallets.get(C).rows.get(T).price_usd, "9");
  assert.equal(world.client.state.wallets.get(A).rows.get(T).price_usd, "2");
});

test("a browser's six connections are not used up: the fifth wallet goes round", async () => {
  const world = await blocked();
  const wallets = [1, 2, 3, 4, 5].map((digit) => `ETH:0x${String(digit).repeat(40)}`);
  world.client.subscribe({ wallets });
  await world.settle();
  const held = () => world.requests.filter(({ open, path }) => open && path.endsWith("/stream")).length;
  assert.equal(held(), 4);
  const poll = await world.request(changes(wallets[3]));
  assert.equal(poll.path, `${changes(wallets[3])}?wait=0`);
  poll.answer(200, { epoch: "e1", rev: 5, changes: [snapshot(wallets[3])] });
  const next = await world.request(changes(wallets[4]));
  next.answer(200, { epoch: "e1", rev: 5, changes: [snapshot(wallets[4])] });
  await world.settle();
  assert.equal(world.client.state.wallets.get(wallets[4]).rows.size, 1);
  world.client.unsubscribe({ wallets: [A] });
  await world.settle();
  assert.equal(held(), 4, "the next takes the place that is free");
  world.advance(5_000);
  assert.match((await world.request(changes(wallets[4]))).path, /since=e1%3A5/);
});

test("ops go as calls", async () => {
  const { world } = await streaming();
  const refresh = world.client.refresh(A);
  (await world.request(`api/v1/wallets/${encodeURIComponent(A)}/refresh_balances`)).answer(429, { error: "wait", code: "cooldown" }, { "Retry-After": "6" });
  await assert.rejects(refresh, { code: "cooldown", retryMs: 6000 });
  const get = world.client.get(B);
  const { type, part, parts, ...body } = snapshot(B);
  (await world.request(`api/v1/wallets/${encodeURIComponent(B)}/balances`)).answer(200, body);
  assert.equal((await get).tokens.length, 1);
  assert.deepEqual((await world.client.list()).wallets, [A]);
  const ping = world.client.ping();
  world.now += 40;
  (await world.request("healthz")).answer(200, {});
  assert.equal(await ping, 40);
  assert.deepEqual([world.client.health.latencyMs, world.client.health.lagMs], [40, null]);
  const visible = world.client.setVisible(A, T, false);
  const patch = await world.request(`api/v1/wallets/${encodeURIComponent(A)}/tokens/native`);
  assert.deepEqual([patch.method, patch.body], ["PATCH", '{"is_visible":false}']);
  patch.answer(200, { token: T, visible: false, rev: 30 });
  await visible;
  assert.equal(world.client.state.wallets.get(A).rows.get(T).visible, false);
});

test("a deleted wallet's stream may end", async () => {
  const { world, request } = await streaming();
  request.say(event({ type: "status", wallet: A, state: "deleted" }));
  await world.settle();
  request.end();
  await world.settle();
  assert.deepEqual(world.last("deleted"), { wallet: A });
  assert.equal(world.client.transport, "sse");
});

test("silence ends a stream", async () => {
  const { world } = await streaming();
  world.advance(55_000);
  await world.settle();
  assert.equal(world.last("connection").state, "waiting");
  assert.equal(world.last("connection").reason, "no sign of life");
});

for (const [name, make] of [["a stream", async () => (await streaming()).world], ["polling", polling]]) {
  test(`close ends everything of ${name}: requests, timers, the WebSocket tried beside it`, async () => {
    const world = await make();
    world.advance(15_000);
    world.client.close();
    await world.settle();
    assert.equal(world.timers, 0);
    assert.deepEqual(world.requests.filter(({ open }) => open).map(({ path }) => path), []);
    assert.equal(world.socket.closed, 1000);
    const { length } = world.requests;
    world.advance(600_000);
    await world.settle();
    assert.deepEqual([world.requests.length, world.client.connected], [length, false]);
  });
}

test("a connection that waits is closed for good too", async () => {
  const { world, request } = await streaming();
  request.end();
  await world.settle();
  assert.equal(world.last("connection").state, "waiting");
  world.client.close();
  assert.equal(world.timers, 0);
});

test("what worked last comes first, until it fails twice: then the WebSocket again", async () => {
  const { world, request } = await streaming();
  request.end();
  await world.settle();
  for (const sockets of [1, 2]) {
    world.advance(30_000);
    await world.settle();
    assert.equal(world.sockets.length, sockets);
    if (sockets === 1) (await world.request("api/v1/chains")).fail();
    await world.settle();
  }
});

test("a stream that was held back is not tried before polling, when that is lost for a moment", async () => {
  const world = await blocked();
  (await world.request(stream(A))).answer(404, null);
  (await world.request("api/v1/chains")).answer(200, {});
  (await world.request(changes(A))).fail();
  await world.settle();
  world.advance(500);
  (await world.request("api/v1/chains")).answer(200, {});
  await world.request(changes(A));
  assert.deepEqual([world.client.transport, world.requests.filter(({ path }) => path === stream(A)).length], ["polling", 1]);
});

test("a get leaves what the wallet's stream has brought", async () => {
  const { world, request } = await streaming();
  request.say(event(price("7", 20), "e1:20"));
  await world.settle();
  const get = world.client.get(A);
  (await world.request(`api/v1/wallets/${encodeURIComponent(A)}/balances`)).answer(200, snapshot(A));
  assert.equal((await get).tokens[0].price_usd, "2");
  assert.equal(world.client.state.wallets.get(A).rows.get(T).price_usd, "7");
});

test("a transport nobody has is refused; without WebSockets the others serve", async () => {
  assert.throws(() => new World({ transports: ["pigeons"] }), TypeError);
});
