"""Starts programs for tests, waits for what they print, and ends them."""

import http.client
import json
import os
import re
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAIT = 120


def program():
    return os.path.abspath(os.environ.get("WALLETPUSH") or os.path.join(HERE, ".build/release/walletpush"))


def free_port():
    """Of the kernel's choice, free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A process whose standard error and output go to a file."""

    def __init__(self, argv, log, **options):
        self.log = log
        with open(log, "w") as file:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **options)

    def said(self):
        return open(self.log, errors="replace").read()

    def await_line(self, expression):
        """What the expression's group holds, once a line matches."""
        return self.await_true(lambda: (match := re.search(expression, self.said())) and match[match.re.groups],
                               f"no line /{expression}/")

    def await_port(self, port):
        def is_open():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        self.await_true(is_open, f"nobody listens on port {port}")

    def await_true(self, condition, complaint):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.process.kill()
        raise SystemExit(f"{self.process.args[0]}: {complaint}; it said:\n{self.said()[-4000:]}")

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Demo(Program):
    """`walletpush demo` on a free port, ready, with the settings that are given."""

    def __init__(self, folder, *settings):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("WALLETPUSH_")}
        super().__init__([program(), "demo", "--port", "0", "--http-web-root", os.path.join(HERE, "web-client-sample"),
                          *settings], os.path.join(folder, "demo.log"), env=environment)
        self.wallet = self.await_line(r"A wallet to try: (\S+)")
        self.port = int(self.await_line(r"listening on https?://[^ ]*:(\d+)"))

    def await_fresh(self):
        """The wallet to try has been read from the chain."""
        def is_fresh():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
            connection.request("GET", f"/api/v1/wallets/{self.wallet}/balances")
            return json.load(connection.getresponse()).get("state") == "fresh"
        self.await_true(is_fresh, "the wallet is not read")


def expect(condition, what):
    """A line for each thing that was looked at; the end at the first that isn't so."""
    print(f"  {'ok  ' if condition else 'NOT '} {what}", flush=True)
    if not condition:
        raise SystemExit(1)


def fences(path, *languages):
    """The code blocks of a Markdown file that are in one of these languages."""
    return re.findall(r"^```(?:" + "|".join(languages) + r")\n(.*?)^```$", open(path).read(), re.M | re.S)
