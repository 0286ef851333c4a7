// One WebSocket, as it is: no coming back, no retries. What happens is told.

export const SUBPROTOCOL = "walletpush.v1";

/** Sub-protocols may hold no other characters (RFC 9110 §5.6.2). */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

export function mayTravel(token) {
  return TOKEN.test(token);
}

export class Socket {
  #socket = null;
  #on;

  /** `on`: `state("connecting" | "open" | "closed")`, `frame(text)`, `ended(code, reason)`. */
  constructor(on) {
    this.#on = on;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect(url, token) {
    this.close();
    const protocols = token === null ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${token}`];
    const socket = new WebSocket(url, protocols);
    this.#socket = socket;
    this.#on.state("connecting");
    socket.addEventListener("open", () => this.#mine(socket) && this.#on.state("open"));
    socket.addEventListener("message", ({ data }) => this.#mine(socket) && this.#on.frame(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      if (!this.#mine(socket)) return;
      this.#socket = null;
      this.#on.state("closed");
      this.#on.ended(code, reason);
    });
  }

  #mine(socket) {
    return this.#socket === socket;
  }

  send(text) {
    this.#socket?.send(text);
  }

  close() {
    this.#socket?.close(1000);
  }
}
