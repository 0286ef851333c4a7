"""Does with the documentation's commands what a reader does: pastes them into a shell. .ci/test-docs runs it.

Every line of a `sh` block that calls websocat or curl is run as it stands, but for the port. One that goes on by itself
must print what it promises, and end with 0 when the server sends it away; another must end with 0 and print no error.
Lines for `https:` and `wss:` go to a demo with the certificate that the README's openssl line makes.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from demo import HERE, WAIT, Demo, expect, fences

PAGES = ["README.md", "Sources/Server/Server.docc/Protocol.md"]
ACCESS = "Sources/Server/Server.docc/Access.md"


def commands(block):
    """Lines, continued ones joined; without comments."""
    for line in re.sub(r"\\\n", " ", block).splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def calls(line, program):
    return re.search(rf"(^|[|;&(]\s*|\s){program}\s", line) is not None


class Pasted:
    """A command under way. Its standard input stays open, as a terminal's does."""

    def __init__(self, line, port, folder, environment=None):
        self.line = line
        descriptor, self.output = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        stdin, self.input = os.pipe()
        # Apart: curl tells of its progress between the pieces of what it prints.
        with open(self.output, "w") as file, open(self.output + ".errors", "w") as errors:
            self.process = subprocess.Popen(
                ["bash", "-c", re.sub(r"\b(127\.0\.0\.1|localhost):8080\b", rf"\g<1>:{port}", line)], stdin=stdin,
                stdout=file, stderr=errors, cwd=folder, env={**os.environ, **(environment or {})}, start_new_session=True)
        os.close(stdin)

    def said(self):
        return open(self.output, errors="replace").read()

    def complained(self):
        return open(self.output + ".errors", errors="replace").read()

    def await_true(self, condition, what):
        deadline = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > deadline or (self.process.poll() not in (None, 0)):
                self.kill()
                expect(False, f"{what}: {self.line}\n{self.said()[-2000:]}{self.complained()}")
            time.sleep(0.05)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self):
        """Ctrl-D, which websocat waits for though the connection is gone; the exit code."""
        os.close(self.input)
        return self.process.wait(timeout=WAIT)


class Socket(Pasted):
    """websocat: a line a frame, `hello` first, then what was asked for."""

    def frames(self):
        return [json.loads(line) for line in self.said().splitlines(keepends=True) if line.endswith("\n")]

    def check(self):
        # An answer, and where something is followed, its value too.
        follows = "wallet=" in self.line or '"subscribe"' in self.line or '"get"' in self.line
        wanted = {"snapshot", "price", "batch"} if follows else {"ok", "pong"}
        self.await_true(lambda: wanted & {frame["type"] for frame in self.frames()}, f"prints one of {sorted(wanted)}")
        expect(self.frames()[0]["type"] == "hello" and not [f for f in self.frames() if f["type"] == "error"], self.line)

    def check_end(self):
        self.await_true(lambda: any(frame["type"] == "reconnect" for frame in self.frames()), "prints why it is sent away")
        expect(self.end() == 0, f"ends with 0 when it has been sent away: {self.line}")


class Stream(Pasted):
    """curl -N: events, until the server ends them."""

    def check(self):
        self.await_true(lambda: re.search(r"^data: ?\{.*\}$", self.said(), re.M), "prints an event")
        expect(True, self.line)

    def check_end(self):
        self.end()


class Request(Pasted):
    """curl: one answer."""

    def check(self):
        code, said = self.end(), self.said()
        body = said[said.index("{"):] if "{" in said else ""
        expect(code == 0 and body and "error" not in json.loads(body), self.line if code == 0 else f"{self.line}\n{said}{self.complained()}")

    def check_end(self):
        pass


def kind(line):
    if calls(line, "websocat"):
        return Socket
    if calls(line, "curl"):
        return Stream if re.search(r"curl\s+(-\w*N|--no-buffer)", line) else Request
    return None


def run(lines, port, folder, environment=None):
    """All at once; the streams among them are left running."""
    running = [kind(line)(line, port, folder, environment) for line in lines]
    try:
        for command in running:
            command.check()
    except BaseException:
        for command in running:
            command.kill()
        raise
    return running


def finish(demo, running):
    expect(demo.stop() == 0, "the demo ends with 0")
    for command in running:
        command.check_end()


def pages():
    lines, recipe = [], None
    for page in PAGES:
        for block in fences(os.path.join(HERE, page), "sh"):
            found = list(commands(block))
            recipe = recipe or next((line for line in found if line.startswith("openssl req")), None)
            lines += [line for line in found if kind(line)]
    expect(recipe is not None and len(lines) >= 4, f"{len(lines)} lines to paste, and one that makes a certificate")
    # Once, where two pages say the same.
    lines = list(dict.fromkeys(lines))
    secure = [line for line in lines if "https://" in line or "wss://" in line]
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        with Demo(folder) as demo:
            # Its rows can be spoken of.
            demo.await_fresh()
            finish(demo, run([line for line in lines if line not in secure], demo.port, folder))
        subprocess.run(["bash", "-c", recipe], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        with Demo(folder, "--tls-certificate", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem") as demo:
            finish(demo, run(secure, demo.port, folder))


def access():
    """The page makes a key set and a token by shell commands, and then uses it."""
    recipe, lines = [], []
    for block in fences(os.path.join(HERE, ACCESS), "sh"):
        for line in commands(block):
            if kind(line):
                lines.append(line)
            elif not line.startswith("walletpush serve"):
                recipe.append(line)
    expect(recipe and lines, f"{ACCESS}: a recipe of {len(recipe)} lines, and {len(lines)} that use it")
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        shown = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(recipe) + '\necho "$token $wallet"'], cwd=folder,
                               check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        environment = {"token": shown[0], "wallet": shown[1]}
        with Demo(folder, "--auth-keys", f"{folder}/jwks.json") as demo:
            expect(subprocess.run(["curl", "-sf", f"http://127.0.0.1:{demo.port}/api/v1/wallets/{shown[1]}/balances"],
                                  stdout=subprocess.DEVNULL).returncode == 22, "without the token curl gets a 401")
            finish(demo, run(lines, demo.port, folder, environment))


if __name__ == "__main__":
    pages()
    access()
