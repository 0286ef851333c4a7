import assert from "node:assert/strict";
import test from "node:test";
import { ResumeTracker } from "../resume.js";

const A = "ETH:0xa", B = "ETH:0xb", T = "ETH:native";

const heartbeat = (rev) => ({ type: "heartbeat", epoch: "e1", rev });
const price = (rev) => ({ type: "price", token: T, price_usd: "1", rev });
const snapshot = (wallet, rev, members = {}) => ({ type: "snapshot", wallet, rev, part: 1, parts: 1, state: "fresh", tokens: [], ...members });

/** A tracker on a connection of epoch e1, with `wallets` subscribed and answered. */
function subscribed(...wallets) {
  const tracker = new ResumeTracker();
  for (const wallet of wallets) tracker.add("wallets", wallet);
  tracker.connected("e1");
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets });
  return tracker;
}

/** What a reconnect into `epoch` would subscribe, as `[[keys, since], …]`. */
function replan(tracker, epoch = "e1") {
  tracker.disconnected();
  tracker.connected(epoch);
  return tracker.plan().map(({ wallets, tokens, since }) => [[...wallets, ...tokens], since]);
}

function feed(tracker, ...frames) {
  for (const frame of frames) tracker.receive(frame);
  return tracker;
}

for (const [name, frames, since] of [
  ["nothing came", [], undefined],
  ["a snapshot without its heartbeat", [snapshot(A, 10)], undefined],
  ["a heartbeat without a snapshot", [heartbeat(9)], undefined],
  ["snapshot, heartbeat", [snapshot(A, 10), heartbeat(12)], "e1:12"],
  ["a data frame after the heartbeat", [snapshot(A, 10), heartbeat(12), price(15)], "e1:15"],
  ["a batch after the heartbeat", [snapshot(A, 10), heartbeat(12), { type: "batch", frames: [price(15), price(17), null] }], "e1:17"],
  ["a data frame before the heartbeat only", [snapshot(A, 10), price(15), heartbeat(12)], "e1:12"],
  ["an older data frame", [snapshot(A, 10), heartbeat(12), price(15), price(3)], "e1:15"],
  ["later heartbeats", [snapshot(A, 10), heartbeat(12), price(15), heartbeat(40)], "e1:40"],
  ["conflated frames", [snapshot(A, 10), heartbeat(12), { type: "lag", rev: 12 }, price(30)], "e1:12"],
  ["after the lag", [snapshot(A, 10), heartbeat(12), { type: "lag", rev: 12 }, price(30), heartbeat(31), price(33)], "e1:33"],
  ["loading", [snapshot(A, 10, { state: "loading" }), heartbeat(12)], undefined],
  ["loading, later data", [snapshot(A, 10, { state: "loading" }), heartbeat(12), price(15), heartbeat(20)], undefined],
  ["loading, then full", [snapshot(A, 10, { state: "loading" }), heartbeat(12), snapshot(A, 20), heartbeat(21)], "e1:21"],
  ["loading, then full, no heartbeat", [snapshot(A, 10, { state: "loading" }), heartbeat(12), snapshot(A, 20)], undefined],
  ["unknown is complete", [snapshot(A, 10, { state: "unknown" }), heartbeat(12)], "e1:12"],
  ["part 1 of 2", [snapshot(A, 10, { parts: 2 }), heartbeat(12)], undefined],
  ["all parts", [snapshot(A, 10, { parts: 2 }), price(11), snapshot(A, 10, { part: 2, parts: 2 }), heartbeat(12)], "e1:12"],
  ["a second snapshot under way", [snapshot(A, 10), heartbeat(12), snapshot(A, 20, { parts: 2 })], undefined],
  ["a snapshot's rev does not count", [snapshot(A, 10), heartbeat(12), snapshot(B, 90)], "e1:12"],
  ["unknown types", [snapshot(A, 10), heartbeat(12), { type: "later invention", rev: 99 }, { type: "heartbeat" }], "e1:12"],
]) {
  test(`resume after: ${name}`, () => {
    assert.deepEqual(replan(feed(subscribed(A), ...frames)), [[[A], since]]);
  });
}

test("a foreign epoch starts over", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  assert.deepEqual(replan(tracker, "e2"), [[[A], undefined]]);
});

test("a foreign epoch voids the cursor for good", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  replan(tracker, "e2");
  assert.deepEqual(replan(tracker, "e1"), [[[A], undefined]]);
});

test("a connection that failed before its catch-up ended keeps the older cursor", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  assert.deepEqual(replan(tracker), [[[A], "e1:12"]]);
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [A], resumed: true, changed: 2 });
  feed(tracker, price(20));
  assert.deepEqual(replan(tracker), [[[A], "e1:12"]], "price(20) was catch-up");
  assert.deepEqual(replan(tracker), [[[A], "e1:12"]], "nor does a connection without any answer");
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [A], resumed: true, changed: 1 });
  feed(tracker, price(20), heartbeat(21), price(22));
  assert.deepEqual(replan(tracker), [[[A], "e1:22"]]);
});

test("resumed:false means new", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  replan(tracker);
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [A], resumed: false });
  assert.deepEqual(replan(tracker), [[[A], undefined]]);
});

test("a resumed wallet that gets a snapshot needs it whole, with its heartbeat", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  replan(tracker);
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [A], resumed: true });
  feed(tracker, snapshot(A, 30));
  assert.deepEqual(replan(tracker), [[[A], undefined]]);
});

test("those that may resume and those that may not go apart, resuming ones first", () => {
  const tracker = feed(subscribed(A, B), snapshot(A, 10), snapshot(B, 11, { state: "loading" }), heartbeat(12));
  assert.deepEqual(replan(tracker), [[[A], "e1:12"], [[B], undefined]]);
});

test("a wallet subscribed later holds the cursor still until its heartbeat", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12), price(13));
  tracker.add("wallets", B);
  tracker.subscribeSent();
  feed(tracker, price(14));
  tracker.subscribeAnswered({ wallets: [B] });
  feed(tracker, price(90), snapshot(B, 20));
  assert.deepEqual(replan(tracker), [[[A], "e1:13"], [[B], undefined]]);
});

test("a refused subscribe lets the cursor go on", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  tracker.subscribeSent();
  tracker.subscribeRefused();
  feed(tracker, price(14));
  assert.deepEqual(replan(tracker), [[[A], "e1:14"]]);
});

test("cursors of different connections: the oldest serves all", () => {
  const tracker = feed(subscribed(A), snapshot(A, 10), heartbeat(12));
  replan(tracker);
  // B becomes live on the next connection; A's subscribe gets no answer there and keeps 12.
  tracker.add("wallets", B);
  tracker.subscribeSent();
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [B] });
  feed(tracker, snapshot(B, 40), heartbeat(41));
  assert.deepEqual(replan(tracker), [[[A, B], "e1:12"]]);
});

test("unsubscribing and subscribing again is a break", () => {
  const tracker = feed(subscribed(A, B), snapshot(A, 10), snapshot(B, 10), heartbeat(12));
  tracker.remove("wallets", A);
  tracker.add("wallets", A);
  assert.deepEqual(replan(tracker), [[[B], "e1:12"], [[A], undefined]]);
});

test("what was not confirmed is not resumed", () => {
  const tracker = new ResumeTracker();
  tracker.add("wallets", A);
  tracker.add("wallets", B);
  tracker.connected("e1");
  tracker.subscribeSent();
  tracker.subscribeAnswered({ wallets: [A], failed: [{ wallet: B, code: "bad_wallet" }] });
  feed(tracker, snapshot(A, 10), heartbeat(12));
  assert.deepEqual(replan(tracker), [[[A], "e1:12"], [[B], undefined]]);
});

test("tokens need no snapshot, only the heartbeat", () => {
  const tracker = new ResumeTracker();
  tracker.add("tokens", T);
  tracker.connected("e1");
  tracker.subscribeSent();
  tracker.subscribeAnswered({ tokens: [T] });
  feed(tracker, price(3));
  assert.deepEqual(replan(tracker), [[[T], undefined]]);
  tracker.subscribeSent();
  tracker.subscribeAnswered({ tokens: [T] });
  feed(tracker, price(3), heartbeat(12));
  assert.deepEqual(replan(tracker), [[[T], "e1:12"]]);
});

test("wallets and tokens of the same text are apart, long lists are cut", () => {
  const tracker = new ResumeTracker();
  tracker.add("wallets", A);
  tracker.add("tokens", A);
  for (let i = 0; i < 600; i += 1) tracker.add("tokens", `ETH:${i}`);
  tracker.connected("e1");
  assert.deepEqual(tracker.plan().map(({ wallets, tokens }) => [wallets.length, tokens.length]), [[1, 0], [0, 500], [0, 101]]);
});

test("a wallet's own stream brings its cursor, once its snapshot is complete", () => {
  const tracker = new ResumeTracker();
  tracker.add("wallets", A);
  tracker.add("wallets", B);
  tracker.add("tokens", T);
  tracker.connected(null);
  for (const wallets of [[A], [B]]) {
    tracker.subscribeSent();
    tracker.subscribeAnswered({ wallets });
  }
  tracker.receiveFrom(A, snapshot(A, 10, { state: "loading" }), null);
  tracker.receiveFrom(A, heartbeat(11), "e1:11");
  assert.deepEqual(tracker.planEach().map(({ since }) => since), [undefined, undefined, undefined]);
  tracker.receiveFrom(A, snapshot(A, 12), null);
  tracker.receiveFrom(A, heartbeat(13), "e1:13");
  tracker.receiveFrom(A, price(14), null);
  tracker.receiveFrom(B, snapshot(B, 12), null);
  tracker.receiveFrom(B, price(20), "e1:20");
  tracker.receiveFrom(B, price(21), "nonsense");
  tracker.disconnected();
  tracker.connected(null);
  assert.deepEqual(tracker.planEach().map(({ wallets, since }) => [wallets[0], since]), [[A, "e1:13"], [B, undefined], [undefined, undefined]]);
  assert.deepEqual(replan(tracker), [[[A], "e1:13"], [[B, T], undefined]].flatMap(([keys, since]) => (since ? [[keys, since]] : [[[B], since], [[T], since]])));
});
