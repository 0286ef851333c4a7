"""A server that serves the page and says what a test wants: states that the demo never gets into."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from server import PAGE

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css", "svg": "image/svg+xml"}
WALLET = "ETH:0x" + "a1" * 20
DOT = "data:image/svg+xml," + "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='teal'/%3E%3C/svg%3E"


def row(token, symbol, **members):
    return {
        "token": "ETH:" + token, "symbol": symbol, "name": f"The {symbol}", "decimals": 18, "logo": None, "listed": True,
        "visible": True, "balance": str(3 * 10**18), "balance_state": "fresh", "price_usd": "2.5", "change_24h": "1.00",
        "price_state": "fresh", "price_at": 1763805600000, "rev": 1, **members}


def snapshot(rows, **members):
    return {"type": "snapshot", "wallet": WALLET, "epoch": "e1", "rev": 5, "part": 1, "parts": 1, "state": "fresh", "block": 21000000,
            "as_of": 1763805600000, "tokens": rows, **members}


class Quiet(ThreadingHTTPServer):
    """A browser ends connections as it likes: that is no news."""

    def handle_error(self, request, client_address):
        pass


class Scripted:
    """`say(frame…)` goes to the event streams that are open and, in the same order, to those that open later."""

    def __init__(self, token=None):
        self.token = token
        self.said = []
        self.streams = set()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def close(self):
        with self.lock:
            for one in self.streams:
                one.put(None)
        self.server.shutdown()
        self.server.server_close()

    def say(self, *frames):
        with self.lock:
            self.said.extend(frames)
            for one in self.streams:
                for frame in frames:
                    one.put(frame)

    def answer(self, request):
        path = request.path.split("?")[0].lstrip("/") or "index.html"
        if path.startswith("api/") and self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return send(request, 401, b'{"error":"no good token","code":"unauthorized"}', "application/json")
        if path.endswith("/stream"):
            return self.stream(request)
        if path == "healthz" or path.startswith("api/v1/chains"):
            return send(request, 200, b"{}", "application/json")
        if path.startswith("api/v1/wallets"):
            return send(request, 200, b'{"wallets":[]}', "application/json")
        file = PAGE / path
        if path == "ws" or not file.is_file():
            return send(request, 404, b"", "text/plain")
        send(request, 200, file.read_bytes(), TYPES.get(file.suffix[1:], "text/plain"))

    def stream(self, request):
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.send_header("Connection", "close")
        request.end_headers()
        mine = queue.Queue()
        with self.lock:
            for frame in [{"type": "hello", "ping_s": 25}, {"type": "ok", "wallets": [WALLET], "failed": []}, *self.said]:
                mine.put(frame)
            self.streams.add(mine)
        try:
            while (frame := mine.get()) is not None:
                request.wfile.write(f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode())
                request.wfile.flush()
        except OSError:
            pass
        finally:
            with self.lock:
                self.streams.discard(mine)


def send(request, status, body, content_type):
    request.send_response(status)
    request.send_header("Content-Type", content_type)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
