"""Runs a folder as a container's engine would run an image, and looks whether the server in it behaves."""

import http.client
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field

import dockerfile
from demo import expect
from roots import Root, call
from websocket import WebSocket

WAIT = 120


@dataclass
class Configuration:
    """What a Dockerfile says of running its image."""
    directory: str = "/"
    user: str = "0:0"
    volumes: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    port: int = 0
    health: list = field(default_factory=list)
    stop: str = "SIGTERM"
    entrypoint: list = field(default_factory=list)
    command: list = field(default_factory=list)

    def take(self, keyword, rest):
        if keyword == "USER":
            self.user = rest
        elif keyword == "VOLUME":
            self.volumes += dockerfile.words(rest)
        elif keyword == "ENV":
            self.environment.update(dockerfile.assignments(rest))
        elif keyword == "EXPOSE":
            self.port = int(rest)
        elif keyword == "HEALTHCHECK":
            self.health = dockerfile.words(rest.partition("CMD ")[2])
        elif keyword == "STOPSIGNAL":
            self.stop = rest
        elif keyword == "ENTRYPOINT":
            self.entrypoint = dockerfile.words(rest)
        elif keyword == "CMD":
            self.command = dockerfile.words(rest)

    def text(self):
        return json.dumps(asdict(self))


@dataclass
class Answer:
    status: int
    body: bytes


def get(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    connection.request(method, path)
    response = connection.getresponse()
    return Answer(response.status, response.read())


def await_line(path, expression, process, seconds=WAIT):
    """What the expression's group holds in the first line of a growing file that matches."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        match = re.search(expression, open(path, errors="replace").read())
        if match:
            return match[1] if match.groups() else match[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"no line /{expression}/ in:\n" + open(path, errors="replace").read()[-5000:])


def await_movement(port, wallet):
    """Subscribes, and sees a snapshot and then the wallet's price and balance move."""
    with WebSocket("127.0.0.1", port, f"/ws?wallet={wallet}", deflate=True, seconds=WAIT) as client:
        client.until(lambda frame: frame["type"] == "snapshot")
        client.until(lambda frame: frame["type"] == "price")
        client.until(lambda frame: frame["type"] in ("balance", "token"))


class Container:
    """One run: process 1 of a namespace of its own, its root read-only but for the volumes and /tmp."""

    def __init__(self, root, configuration, arguments, log):
        self.root, self.configuration, self.log = root, configuration, log
        self.user = tuple(int(word) for word in configuration.user.split(":"))
        argv = configuration.entrypoint + arguments
        script = f"exec unshare --pid --fork --kill-child --root={root.path} --mount-proc --wd={configuration.directory} " \
                 f'--setgid {self.user[1]} --setuid {self.user[0]} "$@"'
        self.process = subprocess.Popen(["bash", "-c", script, "run", *argv], env=configuration.environment,
                                        stdin=subprocess.DEVNULL, stderr=open(log, "w"), stdout=subprocess.DEVNULL)

    def await_line(self, expression):
        return await_line(self.log, expression, self.process)

    def health(self):
        return self.root.start(self.configuration.health, cwd=self.configuration.directory, user=self.user,
                               environment=self.configuration.environment).wait()

    def main(self):
        """Process 1 inside, by its number outside."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        return int(children[0])

    def stop(self):
        """The exit code, and the seconds it took."""
        began = time.monotonic()
        os.kill(self.main(), getattr(signal, self.configuration.stop))
        return self.process.wait(timeout=WAIT), time.monotonic() - began


def lift_loopback():
    """`ip link set lo up`: in a new network namespace it is down."""
    with socket.socket() as anything:
        import fcntl
        fcntl.ioctl(anything, 0x8914, struct.pack("16sh", b"lo", 1 | 64))


def volumes(root, configuration):
    """As engines make them: a new volume begins with what the image has there, its owner included."""
    for path in configuration.volumes:
        state = os.stat(root.at(path))
        call("mount", "-t", "tmpfs", "-o", f"uid={state.st_uid},gid={state.st_gid},mode={state.st_mode & 0o7777:o}",
             "tmpfs", root.at(path))


def mount(path, configuration):
    """What engines add to an image's files: /proc (where Swift finds its arguments), a few devices, volumes, /tmp."""
    call("mount", "--bind", path, path)
    root = Root(path)
    root.environment = {}
    for folder in ("proc", "dev"):
        os.makedirs(root.at(folder), exist_ok=True)
    volumes(root, configuration)
    for folder, mode in (("tmp", "1777"), ("dev", "755")):
        call("mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", root.at(folder))
    for device in ("null", "zero", "full", "random", "urandom"):
        open(root.at(f"dev/{device}"), "w").close()
        call("mount", "--bind", f"/dev/{device}", root.at(f"dev/{device}"))
    call("mount", "-t", "proc", "proc", root.at("proc"))
    call("mount", "-o", "remount,bind,ro", path)
    return root


def check(path, configuration):
    root = mount(path, configuration)
    log = os.path.join(os.path.dirname(path), "container.log")

    expect(not os.path.exists(root.at("bin/sh")) and not os.path.exists(root.at("usr/bin/sh")), "there is no shell")
    server = Container(root, configuration, configuration.command, log)
    server.await_line("listening on")
    expect(server.health() == 0, "`serve`: the health check says healthy")
    expect(get(configuration.port, "/readyz").status == 200, "it is ready: the volume takes its database")
    expect(b"<html" in get(configuration.port, "/").body, "it serves the page")
    status = open(f"/proc/{server.main()}/status").read()
    expect(f"Uid:\t{server.user[0]}" in status and server.user[0] > 0, f"it runs as user {server.user[0]}")
    expect(re.search(r"NSpid:\t\d+\t1$", status, re.M) is not None, "it is process 1")
    key = "ETH:0x506596089a3a1e05888f921b36d448c1e23c238e"
    expect(get(configuration.port, f"/api/v1/wallets/{key}").status == 200, "it registers a wallet")
    epoch = json.loads(get(configuration.port, "/api/v1/stats").body)["epoch"]
    code, seconds = server.stop()
    expect(code == 0, f"{configuration.stop} ends it with 0 ({seconds:.1f} s)")
    expect(server.health() == 1, "the health check says that nobody is there")

    server = Container(root, configuration, configuration.command, log)
    server.await_line("listening on")
    stats = json.loads(get(configuration.port, "/api/v1/stats").body)
    expect(stats["epoch"] == epoch and stats["wallets"] == 1, "the next run goes on with the volume's wallet and epoch")
    server.stop()

    server = Container(root, configuration, ["demo"], log)
    wallet = server.await_line(r"A wallet to try: (\S+)")
    await_movement(configuration.port, wallet)
    expect(server.health() == 0, "`demo`: a wallet moves, and it is healthy")
    expect(server.stop()[0] == 0, f"{configuration.stop} ends it with 0")


if __name__ == "__main__":
    lift_loopback()
    check(sys.argv[1], Configuration(**json.loads(sys.argv[2])))
