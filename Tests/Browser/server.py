"""The demo under test, and a proxy before it that can refuse WebSockets or cut every connection."""

import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "web-client-sample"
PROGRAM = Path(os.environ.get("WALLETPUSH", ROOT / ".build/release/walletpush")).resolve()
START_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    """`walletpush demo` with this repository's page. It can be started again on the same port."""

    def __init__(self, *options):
        self.port = free_port()
        self.options = options
        self.process = None
        self.log = tempfile.TemporaryFile("a+")
        self.wallet = None
        self.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/"

    @property
    def is_running(self):
        return self.process.poll() is None

    def start(self):
        before = len(self.said())
        environment = {name: text for name, text in os.environ.items() if not name.startswith("WALLETPUSH")}
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--port", str(self.port), "--http-web-root", PAGE, *self.options],
            stdout=self.log, stderr=self.log, env=environment)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_running:
            found = re.search(r"A wallet to try: (\S+)", self.said()[before:])
            if found:
                self.wallet = found[1]
                return
            time.sleep(0.05)
        raise RuntimeError(f"the demo does not start:\n{self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:
            return json.load(answer)

    def has(self, path):
        """Whether there is such an address: anything but a 404."""
        try:
            urllib.request.urlopen(self.address + path, timeout=30).close()
        except urllib.error.HTTPError as error:
            return error.code != 404
        return True

    def stop(self):
        """As a crash would: nobody is told."""
        self.process.kill()
        self.process.wait()

    def close(self):
        self.stop()
        self.log.close()


class Proxy:
    """Passes bytes on to a port. `refuse` names what is answered with 403 ("websocket", "stream"); `cut` ends what is open."""

    SIGNS = {"websocket": re.compile(rb"\r\nupgrade: *websocket", re.I), "stream": re.compile(rb"^GET [^ ]*/stream[ ?]")}

    def __init__(self, port):
        self.target = port
        self.refuse = set()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listening.getsockname()[1]
        self.open = set()
        self.passing = True
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}/"

    def cut(self):
        for one in list(self.open):
            _shut(one)

    def close(self):
        self.passing = False
        _shut(self.listening)
        self.listening.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        if not self.passing:
            return client.close()
        self.open.add(client)
        server = None
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open.add(server)
            back = threading.Thread(target=_pass, args=(server, client), daemon=True)
            back.start()
            # A browser sends a request at once, and the next on the same connection after the answer.
            while data := client.recv(65536):
                if any(self.SIGNS[sign].search(data) for sign in self.refuse):
                    client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    break
                server.sendall(data)
            _shut(server)
            back.join()
        except OSError:
            pass
        finally:
            for one in (client, server):
                if one is not None:
                    self.open.discard(one)
                    one.close()


def _pass(source, goal):
    try:
        while data := source.recv(65536):
            goal.sendall(data)
    except OSError:
        pass
    _shut(goal)
    _shut(source)


def _shut(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
