import assert from "node:assert/strict";
import test from "node:test";
import { A, B, T, World, snapshot } from "./support/world.mjs";

test("wishes are sent after hello, with the connection's settings", () => {
  const world = new World({ settings: { batch: true } });
  world.client.subscribe({ wallets: [A] });
  world.client.connect();
  assert.deepEqual(world.socket.protocols, ["walletpush.v1"]);
  assert.deepEqual(world.socket.sent, []);
  world.hello();
  assert.deepEqual(world.socket.sent, [{ op: "subscribe", batch: true, wallets: [A], id: 1 }]);
  assert.equal(world.last("connection").state, "live");
});

test("a typed address keeps its letter case on its way, and is canonical in the state", () => {
  const world = new World();
  world.client.connect();
  world.hello();
  world.client.subscribe({ wallets: ["eth:0x" + "aA".repeat(20)] });
  assert.deepEqual(world.lastSent.wallets, ["eth:0x" + "aA".repeat(20)]);
  assert.ok(world.client.state.wallets.has(A));
});

test("what is no key is refused here, what the server refuses is forgotten", async () => {
  const world = new World();
  world.client.connect();
  world.hello();
  world.client.subscribe({ wallets: ["ETH:0x12", A], tokens: ["ETH:ether"] });
  assert.deepEqual(world.events.filter(([type]) => type === "refused").map(([, { code }]) => code), ["bad_wallet", "bad_token"]);
  assert.equal(world.socket.sent.length, 1);
  world.say({ type: "ok", id: world.lastSent.id, wallets: [], failed: [{ wallet: A, code: "too_many_wallets", message: "full" }] });
  await world.settle();
  assert.deepEqual(world.last("refused"), { key: A, code: "too_many_wallets", message: "full" });
  assert.equal(world.client.state.wallets.size, 0);
});

test("resumes with since, and starts over in a foreign epoch", async () => {
  const world = World.live();
  world.say({ type: "price", token: T, price_usd: "3", price_state: "fresh", rev: 14 });
  world.socket.onclose({ code: 1006, reason: "" });
  world.advance(500);
  world.hello({ rev: 30 });
  assert.equal(world.lastSent.since, "e1:14");
  world.say({ type: "ok", id: world.lastSent.id, wallets: [A], failed: [], resumed: true, changed: 3 });
  await world.settle();
  assert.deepEqual(world.last("resumed"), { resumed: true, changed: 3 });
  assert.equal(world.client.state.wallets.get(A).rows.size, 1, "rows stay");
  world.socket.onclose({ code: 1001, reason: "going away" });
  world.advance(1_000);
  world.hello({ epoch: "e2" });
  assert.equal(world.lastSent.since, undefined);
});

for (const [code, comesBack] of [
  [1000, true], [1001, true], [1006, true], [1009, true], [4000, false], [4001, false], [4002, false], [4003, false],
  [4099, false], [4100, true], [4101, true], [4108, true], [4109, true], [4111, true], [4199, true],
]) {
  test(`close ${code} ${comesBack ? "comes back" : "stays away"}`, () => {
    const world = World.live();
    world.socket.onclose({ code, reason: "because" });
    assert.equal(world.last("connection").state, comesBack ? "waiting" : "closed");
    assert.equal(world.last("connection").reason, "because");
    world.advance(120_000);
    assert.equal(world.sockets.length > 1, comesBack);
  });
}

test("a closed client comes back when told", () => {
  const world = World.live();
  world.socket.onclose({ code: 4001, reason: "unauthorized" });
  world.client.setToken("t");
  world.client.connect();
  world.hello();
  assert.deepEqual(world.lastSent, { op: "auth", token: "t", id: 2 });
});

test("the back-off doubles up to a cap, and starts afresh after a steady connection", () => {
  const world = World.live();
  world.advance(10_000);
  const delays = [];
  for (let i = 0; i < 9; i += 1) {
    world.socket.onclose({ code: 1006, reason: "" });
    delays.push(world.last("connection").retryAt - world.now);
    world.advance(delays.at(-1) - 1);
    assert.equal(world.sockets.length, i + 1);
    world.advance(1);
    assert.equal(world.sockets.length, i + 2);
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  world.hello();
  world.advance(9_999);
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.last("connection").retryAt - world.now, 30000);
  world.client.connect();
  world.hello();
  world.advance(10_000);
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.last("connection").retryAt - world.now, 500);
});

test("the server's retry_ms counts for the close that follows, and only for it", () => {
  const world = World.live();
  world.say({ type: "reconnect", reason: "drain", retry_ms: 3172 });
  world.socket.onclose({ code: 4100, reason: "drain" });
  assert.equal(world.last("connection").retryAt - world.now, 3172);
  world.advance(3172);
  assert.equal(world.sockets.length, 2);
  world.hello();
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.last("connection").retryAt - world.now, 1000);
});

test("silence is asked, then given up", () => {
  const world = World.live();
  world.advance(29_000);
  assert.equal(world.lastSent.op, "subscribe");
  world.advance(5_000);
  assert.deepEqual(world.lastSent, { op: "ping" });
  world.advance(15_000);
  assert.equal(world.sockets.length, 1);
  world.advance(10_000);
  assert.equal(world.sockets[0].closed, 0);
  assert.equal(world.last("connection").state === "waiting" || world.sockets.length === 2, true);
  assert.equal(world.sockets[0].onmessage, null, "a late frame of the dead socket is not heard");
});

test("heartbeats keep it alive", () => {
  const world = World.live();
  for (let i = 0; i < 20; i += 1) {
    world.advance(25_000);
    world.say({ type: "heartbeat", epoch: "e1", rev: 12 });
  }
  assert.equal(world.sockets.length, 1);
  assert.equal(world.socket.sent.length, 1);
});

test("a page that slept is given a moment", () => {
  const world = World.live();
  world.now += 3_600_000;
  world.advance(2_500);
  assert.equal(world.sockets.length, 1);
  world.say({ type: "pong" });
  world.advance(20_000);
  assert.equal(world.sockets.length, 1);
});

test("a server that does not say hello is left", () => {
  const world = new World();
  world.client.connect();
  world.advance(10_000);
  assert.equal(world.last("connection").state, "waiting");
});

test("replies find their op; errors carry retry_ms", async () => {
  const world = World.live();
  const refresh = world.client.refresh(A);
  const list = world.client.list();
  const [first, second] = world.socket.sent.slice(-2);
  world.say({ type: "ok", id: second.id, wallets: [A], tokens: [] }, { type: "error", id: first.id, code: "cooldown", message: "refreshed 4 s ago", retry_ms: 6000 });
  await assert.rejects(refresh, { code: "cooldown", retryMs: 6000, message: "refreshed 4 s ago" });
  assert.deepEqual((await list).wallets, [A]);
  const lost = world.client.refresh(A);
  world.socket.onclose({ code: 1006, reason: "" });
  await assert.rejects(lost, { code: "disconnected" });
  await assert.rejects(world.client.refresh(A), { code: "disconnected" });
});

test("get joins the parts and leaves the subscriptions alone", async () => {
  const world = World.live();
  const one = world.client.get(B);
  const two = world.client.get(B);
  world.say(
    { type: "ok", id: world.lastSent.id - 1 }, { type: "ok", id: world.lastSent.id },
    snapshot(B, { parts: 2, tokens: [{ token: "BSC:native" }] }),
    snapshot(B, { part: 2, parts: 2, tokens: [{ token: "BSC:0x1" }], total_usd: "1.00" }));
  assert.deepEqual((await one).tokens.map(({ token }) => token), ["BSC:native", "BSC:0x1"]);
  assert.equal((await two).total_usd, "1.00");
  assert.equal(world.client.state.wallets.has(B), false);
  const refused = world.client.get("XYZ:0x1");
  world.say({ type: "error", id: world.lastSent.id, code: "bad_wallet", message: "no" });
  await assert.rejects(refused, { code: "bad_wallet" });
});

test("a rate-limited subscribe is asked again, for what is still wished", async () => {
  const world = new World();
  world.client.connect();
  world.hello();
  world.client.subscribe({ wallets: [A, B] });
  world.say({ type: "error", id: world.lastSent.id, code: "rate_limited", message: "slow down", retry_ms: 700 });
  await world.settle();
  world.client.unsubscribe({ wallets: [B] });
  world.advance(700);
  assert.deepEqual([world.lastSent.op, world.lastSent.wallets], ["subscribe", [A]]);
});

test("what waits to be asked again ends with its connection", async () => {
  const world = new World();
  world.client.connect();
  world.hello();
  world.client.subscribe({ wallets: [A] });
  world.say({ type: "error", id: world.lastSent.id, code: "rate_limited", message: "slow down", retry_ms: 700_000 });
  await world.settle();
  world.client.close();
  assert.equal(world.timers, 0);
});

test("with a token, auth comes first; a refusal is told", async () => {
  const world = new World({ token: "secret" });
  world.client.subscribe({ wallets: [A] });
  world.client.connect();
  world.hello();
  assert.deepEqual(world.socket.sent.map(({ op }) => op), ["auth"]);
  world.say({ type: "ok", id: world.lastSent.id });
  await world.settle();
  assert.deepEqual(world.socket.sent.map(({ op }) => op), ["auth", "subscribe"]);
  world.say({ type: "status", auth: "expiring", at: 9 });
  assert.deepEqual(world.last("auth"), { state: "expiring", at: 9 });
  world.client.setToken("better");
  world.say({ type: "error", id: world.lastSent.id, code: "unauthorized", message: "no" });
  await world.settle();
  assert.deepEqual(world.last("auth"), { state: "refused", code: "unauthorized", message: "no" });
});

test("a newer token is told of, and what it does not grant is forgotten", async () => {
  const world = new World({ token: "first" });
  world.client.subscribe({ wallets: [A, B] });
  world.client.connect();
  world.hello();
  world.say({ type: "ok", id: world.lastSent.id });
  await world.settle();
  assert.deepEqual(world.last("auth"), { state: "accepted" });
  world.say({ type: "ok", id: world.lastSent.id, wallets: [A, B], failed: [] });
  await world.settle();
  world.client.setToken("second");
  world.say({ type: "ok", id: world.lastSent.id }, { type: "status", wallet: B, state: "forbidden" });
  await world.settle();
  assert.deepEqual([world.last("refused").key, world.last("refused").code], [B, "forbidden"]);
  assert.deepEqual([...world.client.state.wallets.keys()], [A]);
  world.socket.onclose({ code: 4101, reason: "expired" });
  world.advance(500);
  world.hello();
  world.say({ type: "ok", id: world.lastSent.id });
  await world.settle();
  assert.deepEqual([world.lastSent.op, world.lastSent.wallets], ["subscribe", [A]]);
});

test("a deleted wallet is not subscribed again", () => {
  const world = World.live();
  world.say({ type: "status", wallet: A, state: "deleted" });
  assert.deepEqual(world.last("deleted"), { wallet: A });
  world.socket.onclose({ code: 1006, reason: "" });
  world.advance(500);
  world.hello();
  assert.deepEqual(world.socket.sent, []);
});

test("noise does no harm", () => {
  const world = World.live();
  world.say("{", "null", "5", "[]", '"x"', "{}", { type: "later invention" }, { type: "error", code: "bad_json", message: "?" }, { type: "ok", id: 99 });
  assert.deepEqual(world.last("problem"), { code: "bad_json", message: "?" });
  assert.equal(world.client.connected, true);
});

test("close stays away", () => {
  const world = World.live();
  world.client.close();
  assert.equal(world.sockets[0].closed, 1000);
  world.advance(100_000);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.last("connection").state, "closed");
});

test("a function is asked for the token: at first, before it ends, and after", async () => {
  const asked = [];
  const world = new World({ token: async (why) => asked.push(why) && `token ${asked.length}` });
  world.client.subscribe({ wallets: [A] });
  world.client.connect();
  world.hello();
  await world.settle();
  assert.deepEqual([world.lastSent.op, world.lastSent.token], ["auth", "token 1"]);
  world.say({ type: "ok", id: world.lastSent.id });
  await world.settle();
  world.say({ type: "status", auth: "expiring", at: 9 });
  await world.settle();
  assert.deepEqual([world.lastSent.op, world.lastSent.token], ["auth", "token 2"]);
  world.socket.onclose({ code: 4101, reason: "the token has ended" });
  assert.deepEqual(world.last("auth"), { state: "expired" });
  world.advance(500);
  world.hello();
  await world.settle();
  assert.deepEqual([world.lastSent.op, world.lastSent.token], ["auth", "token 3"]);
  assert.deepEqual(asked, ["connect", "expiring", "expired"]);
});

test("a token that is not to be had: it waits and asks again", async () => {
  const answers = [() => Promise.reject(new Error("signed out")), () => "good"];
  const world = new World({ token: () => answers.shift()() });
  world.client.connect();
  world.hello();
  await world.settle();
  assert.deepEqual(world.last("auth"), { state: "refused", code: "no_token", message: "signed out" });
  assert.equal(world.last("connection").state, "waiting");
  world.advance(500);
  world.hello();
  await world.settle();
  assert.equal(world.lastSent.token, "good");
});

test("null says that no token is needed", async () => {
  const world = new World({ token: () => null });
  world.client.subscribe({ wallets: [A] });
  world.client.connect();
  world.hello();
  await world.settle();
  assert.deepEqual(world.socket.sent.map(({ op }) => op), ["subscribe"]);
});

test("ping measures the way and, by the server's clock, how late prices come", async () => {
  const world = World.live();
  await world.settle();
  const ping = world.client.ping();
  world.now += 60;
  world.say({ type: "pong", id: world.lastSent.id, time: world.now - 30 + 5_000 });
  assert.equal(await ping, 60);
  world.say({ type: "price", token: T, price_usd: "3", price_state: "fresh", price_at: world.now + 5_000 - 12, rev: 14 });
  assert.deepEqual([world.client.health.latencyMs, world.client.health.lagMs], [60, 12]);
  world.client.subscribe({ wallets: [B] });
  world.say({ type: "ok", id: world.lastSent.id, wallets: [B], failed: [] }, { type: "price", token: T, price_usd: "3", price_at: 1, rev: 3 });
  assert.equal(world.client.health.lagMs, 12, "a catch-up is old by its nature");
});
