"""What Operating.md promises, done: backup while the server runs, restore, exit codes, health, what systemd is told."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from demo import HERE, WAIT, Program, expect, fences, free_port, program
from websocket import WebSocket

PAGE = os.path.join(HERE, "Sources/Server/Server.docc/Operating.md")


class Serve(Program):
    """`walletpush serve` with one chain that nobody answers for: what it stores are registered wallets."""

    def __init__(self, folder, port, *settings, **environment):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("WALLETPUSH_")}
        super().__init__(
            [program(), "serve", "--http-port", str(port), "--chains-enabled", "ETH", "--chains-eth-rpc",
             "http://127.0.0.1:9", "--limits-drain-seconds", "1", *settings],
            os.path.join(folder, "serve.log"), env={**clean, **environment}, cwd=folder)
        self.port = port

    def ready(self):
        self.await_line("listening on")
        return self

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        connection.request(method, path, body and json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def register(self, number):
        status, _ = self.ask("POST", "/api/v1/wallets", {"chain": "ETH", "address": f"0x{number:040x}"})
        return status in (200, 201)

    def stats(self):
        return self.ask("GET", "/api/v1/stats")[1]


def block(containing):
    """The lines of the page's shell block that holds this."""
    found = [text for text in fences(PAGE, "sh") if containing in text]
    if len(found) != 1:
        raise SystemExit(f"Operating.md has {len(found)} blocks with {containing}")
    return found[0]


def shell(text, folder):
    path = os.path.dirname(os.environ["SQLITE"]) + ":" + os.environ["PATH"]
    return subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env={**os.environ, "PATH": path}, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def check_backup():
    print("Backup and restore", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        port = free_port()
        with Serve(folder, port).ready() as server:
            before = [server.register(number) for number in range(1, 51)]
            expect(all(before), "50 wallets are registered")
            # And more while the copy is made.
            stop, more = threading.Event(), []

            def go_on():
                # One at least.
                while True:
                    more.append(server.register(1_000 + len(more)))
                    if stop.is_set():
                        return
            writing = threading.Thread(target=go_on)
            writing.start()
            try:
                said = shell(block(".backup backup.sqlite"), folder)
                shell(block("VACUUM INTO"), folder)
            finally:
                stop.set()
                writing.join()
            expect(said.strip().endswith("ok"), "a backup is made while it writes, and is whole")
            expect(more and all(more), f"the server registered {len(more)} wallets meanwhile")
            epoch, all_wallets = server.stats()["epoch"], server.stats()["wallets"]
            expect(server.stop() == 0, "it stops")
        for copy in ("backup.sqlite", "small.sqlite"):
            shell(block("rm -f walletpush.sqlite-wal").replace("backup.sqlite", copy), folder)
            with Serve(folder, port).ready() as server:
                stats = server.stats()
                expect(50 <= stats["wallets"] <= all_wallets, f"{copy}: {stats['wallets']} wallets are there again")
                expect(stats["epoch"] != epoch, f"{copy}: with a new epoch")
                expect(server.ask("GET", f"/api/v1/wallets/ETH:0x{7:040x}")[0] == 200, f"{copy}: wallets can be asked for")
                expect(server.register(77_777), f"{copy}: it takes new ones")
                server.stop()


def check_exits():
    print("Exit codes and health", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        port = free_port()

        def health(*settings, port=port):
            run = subprocess.run([program(), "health", "--http-port", str(port), *settings], stderr=subprocess.PIPE)
            said.append(run.stderr.decode())
            return run.returncode
        said = []
        expect(health() == 1 and "refused" in said[-1], "health: 1 where nobody listens")
        with Serve(folder, port).ready() as server:
            expect(health() == 0, "health: 0 where the server does")
            with Serve(os.path.join(folder), port, "--storage-path", "other.sqlite") as second:
                expect(second.process.wait(WAIT) == 1, "a port that is taken: 1")
            with Serve(folder, free_port()) as second:
                expect(second.process.wait(WAIT) == 1, "a database that another server has: 1")
            with Serve(folder, free_port(), "--http-port", "many") as second:
                expect(second.process.wait(WAIT) == 2, "wrong settings: 2")
            expect(health("--http-loops", "-1") == 2, "health, wrong settings: 2")
            expect(server.stop() == 0, "SIGTERM: 0")
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            expect(health(port=deaf.getsockname()[1]) == 1 and "nothing for 3 seconds" in said[-1], "health: 1 where nobody answers")
        with Serve(folder, port).ready() as server:
            server.process.send_signal(signal.SIGINT)
            expect(server.process.wait(WAIT) == 0, "SIGINT: 0")


def check_import():
    print("Importing wallets", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        port = free_port()
        path = os.path.join(folder, "wallets.csv")

        def imported(*options, lines):
            with open(path, "w") as file:
                file.write("".join(line + "\n" for line in lines))
            environment = {**os.environ, "WALLETPUSH_HTTP_PORT": str(port)}
            run = subprocess.run([program(), "wallets", "import", "--quiet", path, *options], capture_output=True, text=True, env=environment)
            return run.returncode, run.stdout + run.stderr
        good = ["chain,address,label", *(f"ETH,0x{number:040x},number {number}" for number in range(1, 501))]
        code, said = imported(lines=good)
        expect(code == 1 and "no server answers" in said, "1 where there is no server")
        expect(imported("--check", lines=good) == (0, "500 wallets\n"), "--check needs none")
        with Serve(folder, port).ready() as server:
            code, said = imported(lines=[*good, "ETH,0x12,short"])
            expect(code == 2 and "wallets.csv, line 502: " in said, "2 for a wrong line, by its number")
            expect(server.stats()["wallets"] == 0, "and then nothing is registered")
            expect(imported(lines=good) == (0, "registered 500, known already 0, refused 0\n"), "all are registered")
            expect(imported(lines=good) == (0, "registered 0, known already 500, refused 0\n"), "again: all are known")
            code, said = imported(lines=["XYZ:0x" + "1" * 40])
            expect(code == 1 and "chain XYZ is not served" in said, "1 for one that is refused")
            expect(server.stats()["wallets"] == 500, "the server has them")


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{folder}/key.pem", "-out",
                    f"{folder}/cert.pem"], check=True, stderr=subprocess.DEVNULL)


def check_tls():
    print("Certificates", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        port = free_port()
        make_certificate(folder, "first.example")
        files = ("--http-tls-certificate", f"{folder}/cert.pem", "--http-tls-key", f"{folder}/key.pem")

        def connect(name):
            return WebSocket("127.0.0.1", port, "/ws", name=name, trust=f"{folder}/cert.pem", seconds=WAIT)

        def answers(client):
            client.send({"op": "ping", "id": 1})
            return client.until(lambda frame: frame["type"] == "pong")
        with Serve(folder, port, *files).ready() as server:
            run = subprocess.run([program(), "health", "--http-port", str(port), *files])
            expect(run.returncode == 0, "health: 0, whatever the certificate's name")
            with connect("first.example") as client:
                make_certificate(folder, "second.example")
                server.process.send_signal(signal.SIGHUP)
                server.await_line("reloaded the certificate")
                with connect("second.example") as newer:
                    expect(answers(newer), "renewed: a new connection sees the new one")
                expect(answers(client), "and the one that was open stays")
                shutil.copy(f"{folder}/cert.pem", f"{folder}/good.pem")
                with open(f"{folder}/cert.pem", "w") as file:
                    file.write("no certificate")
                server.process.send_signal(signal.SIGHUP)
                server.await_line("certificate not reloaded")
                shutil.copy(f"{folder}/good.pem", f"{folder}/cert.pem")
                with connect("second.example") as newer:
                    expect(answers(newer) and answers(client), "a bad one leaves all as it is")
            expect(server.stop() == 0, "it ends with 0")


def check_notify():
    print("systemd is told", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        for name in (os.path.join(folder, "notify"), f"@walletpush-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(name.replace("@", "\0"))
                manager.settimeout(WAIT)
                with Serve(folder, free_port(), NOTIFY_SOCKET=name).ready() as server:
                    expect(manager.recv(4096).startswith(b"READY=1"), f"that it is ready ({'path' if name[0] == '/' else 'abstract'})")
                    server.process.send_signal(signal.SIGHUP)
                    expect(re.match(rb"RELOADING=1\nMONOTONIC_USEC=\d+$", manager.recv(4096)), "that it reloads")
                    expect(manager.recv(4096).startswith(b"READY=1"), "that it has")
                    server.process.terminate()
                    expect(manager.recv(4096).startswith(b"STOPPING=1"), "that it drains")
                    expect(server.process.wait(WAIT) == 0, "and it ends with 0")


def check_configuration():
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        with open(os.path.join(folder, "config.json"), "w") as file:
            file.write('{"http": {"port": 8080}}')
        text = block("check-config").replace("walletpush check-config", f"{program()} check-config")
        expect('"port": 8080' in shell(text, folder), "check-config prints the settings in force")
        [behind_a_proxy] = fences(PAGE, "json")
        with open(os.path.join(folder, "config.json"), "w") as file:
            file.write(behind_a_proxy)
        with open(os.path.join(folder, "jwks.json"), "w") as file:
            json.dump({"keys": [{"kty": "oct", "kid": "mine", "alg": "HS256", "k": "A" * 43}]}, file)
        expect('"allowedHosts": ["app.example"]' in shell(text, folder), "and takes those of a server behind a proxy")


def check_files():
    print("Files that settings name", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        for setting in ("http-tls-certificate", "auth-keys", "chains-eth-token-lists", "storage-path", "http-web-root"):
            path = os.path.join(folder, "gone", "file")
            settings = [f"--{setting}", path] + (["--http-tls-key", path] if "tls" in setting else [])
            checked = subprocess.run([program(), "check-config", "--chains-enabled", "ETH", *settings], cwd=folder,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            with Serve(folder, free_port(), *settings) as server:
                code = server.process.wait(WAIT)
                said = server.said()
            expect(checked.returncode == code == 2 and checked.stderr == said and path in said and said.count("\n") == 1,
                   f"{setting}, not there: check-config and serve say the same line, and end with 2")


def check_demo():
    print("The demo", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
        with Program([program(), "demo", "--port", "0", "--wallets", "20000"], os.path.join(folder, "demo.log")) as demo:
            port = int(demo.await_line(r"listening on http://[^ ]*:(\d+)"))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
            connection.request("GET", "/api/v1/wallets?after=19999")
            wallets = json.load(connection.getresponse())["wallets"]
            expect(len(wallets) == 1, "its wallets are there when it says where it listens")


if __name__ == "__main__":
    check_backup()
    check_exits()
    check_import()
    check_tls()
    check_notify()
    check_configuration()
    check_files()
    check_demo()
