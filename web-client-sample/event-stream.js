// Server-Sent Events from text (HTML Living Standard §9.2.6, "Interpreting an event stream"). Pure: text in,
// events out. Unlike EventSource it can be fed from `fetch`, which can send a token in a header.

/** A snapshot comes in parts of 64 KiB; nothing the server sends is near this. */
const EVENT_LENGTH_MAX = 4 << 20;

export class EventStreamParser {
  /** How long to wait after the end of the stream, in milliseconds, by its last `retry`; else null. */
  retryMs = null;

  #rest = "";
  #fresh = true;
  #data = [];
  #dataLength = 0;
  #event = "";
  #id = null;

  /**
   * Takes the next piece of decoded text and answers the events it completes: `{event, data, id}`, `id` null
   * where this very event carries none. Throws a RangeError for an event beyond all measure.
   */
  push(text) {
    if (text === "") return [];
    let rest = this.#rest + text;
    if (this.#fresh && rest.startsWith("\uFEFF")) rest = rest.slice(1);
    this.#fresh = false;
    const events = [];
    let start = 0;
    for (;;) {
      const end = lineEnd(rest, start);
      if (end === null) break;
      this.#line(rest.slice(start, end.at), events);
      start = end.next;
    }
    this.#rest = rest.slice(start);
    if (this.#rest.length + this.#dataLength > EVENT_LENGTH_MAX) throw new RangeError("an event is too long");
    return events;
  }

  #line(line, events) {
    if (line === "") return this.#dispatch(events);
    const colon = line.indexOf(":");
    if (colon === 0) return; // A comment keeps the connection alive.
    const field = colon < 0 ? line : line.slice(0, colon);
    const text = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    switch (field) {
      case "data":
        this.#data.push(text);
        this.#dataLength += text.length;
        return;
      case "event": this.#event = text; return;
      case "retry": if (/^\d{1,9}$/.test(text)) this.retryMs = Number(text); return;
      case "id": if (!text.includes("\0")) this.#id = text; return;
    }
  }

  #dispatch(events) {
    if (this.#data.length > 0) {
      events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#data = [];
    this.#dataLength = 0;
    this.#event = "";
    this.#id = null;
  }
}

/** Lines end with CR LF, LF or CR; a CR at the end of what is here may be half of a pair. */
function lineEnd(text, start) {
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\n") return { at, next: at + 1 };
    if (letter !== "\r") continue;
    if (at + 1 === text.length) return null;
    return { at, next: text[at + 1] === "\n" ? at + 2 : at + 1 };
  }
  return null;
}
