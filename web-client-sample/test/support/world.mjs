// What the client's tests have in common: sockets, requests, timers and a clock of our own.

import { WalletPushClient } from "../../walletpush.js";

export const A = "ETH:0x" + "a".repeat(40), B = "BSC:0x" + "b".repeat(40), T = "ETH:native";

/** A client on sockets and timers of our own, with the clock in our hand. */
export class World {
  now = 1_000_000;
  sockets = [];
  events = [];
  #timers = new Map();
  #nextTimer = 1;

  requests = [];

  constructor(options = {}) {
    this.client = new WalletPushClient("ws://test/base/ws", {
      transports: ["websocket"],
      ...options,
      environment: {
        open: (url, protocols) => this.#socket(url, protocols),
        fetch: (url, request) => this.#fetch(url, request),
        setTimeout: (job, ms) => {
          this.#timers.set(this.#nextTimer, { job, at: this.now + ms });
          return this.#nextTimer++;
        },
        clearTimeout: (timer) => this.#timers.delete(timer),
        now: () => this.now,
        random: () => 1,
      },
    });
    for (const type of ["connection", "resumed", "refused", "deleted", "auth", "problem"]) {
      this.client.addEventListener(type, ({ detail }) => this.events.push([type, detail]));
    }
  }

  #socket(url, protocols) {
    const socket = {
      url, protocols, sent: [], closed: null,
      send: (text) => socket.sent.push(JSON.parse(text)),
      close: (code) => { socket.closed = code ?? 0; },
    };
    this.sockets.push(socket);
    return socket;
  }

  /** How many timers run. */
  get timers() { return this.#timers.size; }

  #fetch(url, { method, headers, body, signal }) {
    const request = { method, path: url.replace("http://test/base/", ""), headers, body, signal, open: true };
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        request.open = false;
        reject(signal.reason);
      });
      request.fail = () => {
        request.open = false;
        reject(new TypeError("nobody there"));
      };
      request.answer = (status, object, more = {}) => {
        request.open = false;
        resolve(new Response(object === null ? null : JSON.stringify(object), { status, headers: more }));
      };
      request.stream = () => {
        const encoder = new TextEncoder();
        const stream = new ReadableStream({
          start: (controller) => { request.controller = controller; },
          cancel: () => { request.open = false; },
        });
        request.say = (text) => request.controller.enqueue(encoder.encode(text));
        request.end = () => {
          request.open = false;
          request.controller.close();
        };
        resolve(new Response(stream, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } }));
      };
    });
  }

  /** The newest open request whose path begins so, once it is there. */
  async request(path) {
    for (let i = 0; i < 200; i += 1) {
      const found = this.requests.filter((request) => request.open && request.path.startsWith(path)).at(-1);
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`no request of ${path}; there were ${this.requests.map((request) => request.path)}`);
  }

  get socket() { return this.sockets.at(-1); }
  get lastSent() { return this.socket.sent.at(-1); }
  last(type) { return this.events.filter(([name]) => name === type).at(-1)?.[1]; }

  say(...frames) {
    for (const frame of frames) {
      this.socket.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    }
  }

  /** Lets promises settle. */
  async settle() {
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  advance(ms) {
    const end = this.now + ms;
    for (;;) {
      const [id, timer] = [...this.#timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
      if (timer === undefined || timer.at > end) break;
      this.#timers.delete(id);
      this.now = Math.max(this.now, timer.at);
      timer.job();
    }
    this.now = end;
  }

  hello(members = {}) {
    this.say({ type: "hello", protocol: "walletpush.v1", epoch: "e1", rev: 5, ping_s: 25, limits: { wallets: 100 }, ...members });
  }

  /** Connected, subscribed to A, snapshot and heartbeat (rev 12) received. */
  static live(options) {
    const world = new World(options);
    world.client.subscribe({ wallets: [A] });
    world.client.connect();
    world.hello();
    world.say({ type: "ok", id: world.lastSent.id, wallets: [A], failed: [] }, snapshot(A), { type: "heartbeat", epoch: "e1", rev: 12 });
    return world;
  }
}

export function snapshot(wallet, members = {}) {
  return {
    type: "snapshot", wallet, epoch: "e1", rev: 10, part: 1, parts: 1, state: "fresh", block: 1, as_of: 1,
    tokens: [{ token: T, symbol: "ETH", decimals: 18, listed: true, visible: true, balance: "1", balance_state: "fresh", price_usd: "2", price_state: "fresh", rev: 9 }],
    ...members,
  };
}
