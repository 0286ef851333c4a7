import assert from "node:assert/strict";
import test from "node:test";
import { EventStreamParser } from "../event-stream.js";

const event = (data, members = {}) => ({ event: "message", data, id: null, ...members });

/** Fed whole, letter by letter, and with more behind it: always the same events. */
for (const [name, text, expected] of [
  ["one line", "data: a\n\n", [event("a")]],
  ["type and id", "event: price\nid: e1:5\ndata: {}\n\n", [event("{}", { event: "price", id: "e1:5" })]],
  ["an id is the event's own, not the next one's", "id: 1\ndata: a\n\ndata: b\n\n", [event("a", { id: "1" }), event("b")]],
  ["several data lines", "data: a\ndata: b\n\n", [event("a\nb")]],
  ["no blank, one blank, two", "data:a\n\ndata: b\n\ndata:  c\n\n", [event("a"), event("b"), event(" c")]],
  ["CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", [event("a"), event("b")]],
  ["CR", "data: a\r\rdata: b\r\r:", [event("a"), event("b")]],
  ["comments", ": hello\n\n:\ndata: a\n:x\n\n", [event("a")]],
  ["no data, no event", "event: x\nid: 4\n\ndata: a\n\n", [event("a")]],
  ["empty data", "data\n\ndata:\n\n", [event(""), event("")]],
  ["unknown fields", "color: red\ndata: a\n\n", [event("a")]],
  ["an id with a NUL is none", "id: a\0b\ndata: a\n\n", [event("a")]],
  ["a byte order mark", "\uFEFFdata: a\n\n", [event("a")]],
  ["what is not complete", "data: a\n\ndata: b\n", [event("a")]],
]) {
  test(name, () => {
    const whole = new EventStreamParser();
    assert.deepEqual(whole.push(text), expected);
    const slow = new EventStreamParser();
    assert.deepEqual([...text].flatMap((letter) => slow.push(letter)), expected);
    const trailing = new EventStreamParser();
    assert.deepEqual([...trailing.push(`${text}\n\ndata: ta`), ...trailing.push("il\n\n")].slice(0, expected.length), expected);
  });
}

test("retry is kept, where it is a number", () => {
  const parser = new EventStreamParser();
  assert.equal(parser.retryMs, null);
  parser.push("retry: 1500\n\nretry: soon\n\nretry: 99999999999\n\n");
  assert.equal(parser.retryMs, 1500);
});

test("an event beyond all measure ends it, in one line or in many", () => {
  assert.throws(() => new EventStreamParser().push(`data: ${"x".repeat(5 << 20)}`), RangeError);
  const parser = new EventStreamParser();
  assert.throws(() => {
    for (let i = 0; i < 5000; i += 1) parser.push(`data: ${"x".repeat(1000)}\n`);
  }, RangeError);
});
