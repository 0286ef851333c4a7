"""nginx and Caddy in front of the demo, configured by what Operating.md says: .ci/test-proxies runs it.

The pages' blocks are taken as they stand, but for ports, the certificate's paths and where a program of nobody's in
particular may write. Everything is on loopback; clients come from 127.0.0.2 and 127.0.0.3, the proxy from 127.0.0.1.
"""

import http.client
import os
import re
import shlex
import ssl
import subprocess
import sys
import tempfile

from demo import HERE, Demo, Program, expect, fences, free_port
from websocket import Closed, Refused, WebSocket

PAGE = os.path.join(HERE, "Sources/Server/Server.docc/Operating.md")
NAME = "app.example"


def certificate(folder):
    """Self-signed, for the name that the page's examples use."""
    paths = os.path.join(folder, "fullchain.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-out", paths[0], "-keyout", paths[1]],
                   check=True, stderr=subprocess.DEVNULL)
    return paths


def replaced(text, *pairs):
    """Each must be there: or the page has changed, and the test no longer tests it."""
    for old, new in pairs:
        if not re.search(old, text):
            raise SystemExit(f"Operating.md: no /{old}/ in:\n{text}")
        text = re.sub(old, new, text)
    return text


class Nginx(Program):
    def __init__(self, folder, demo, port, plain):
        cert, key = certificate(folder)
        site = "".join(fences(PAGE, "nginx"))
        site = replaced(
            site, (r"listen 443 ", f"listen {port} "), (r"listen \[::\]:443 .*", ""), (r"listen 80;", f"listen {plain};"),
            (r"listen \[::\]:80;", ""), (r"127\.0\.0\.1:8080", f"127.0.0.1:{demo.port}"),
            (r"/etc/ssl/walletpush/fullchain.pem", cert), (r"/etc/ssl/walletpush/key.pem", key),
            (r"https://\$host\$", f"https://$host:{port}$"))
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in names)
        with open(os.path.join(folder, "nginx.conf"), "w") as file:
            file.write(f"daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
                       f"http {{\naccess_log off;\n{temporary}{site}}}\n")
        super().__init__([os.environ["NGINX"], "-e", "stderr", "-p", folder, "-c", file.name], os.path.join(folder, "nginx.log"))
        self.await_port(port)


class Caddy(Program):
    def __init__(self, folder, demo, port, plain):
        cert, key = certificate(folder)
        site = replaced(
            "".join(fences(PAGE, "caddyfile")), (rf"^{NAME} ", f"{NAME}:{port} "), (r"127\.0\.0\.1:8080", f"127.0.0.1:{demo.port}"),
            (r"/etc/ssl/walletpush/fullchain.pem", cert), (r"/etc/ssl/walletpush/key.pem", key))
        with open(os.path.join(folder, "Caddyfile"), "w") as file:
            file.write(f"{{\nadmin off\nhttp_port {plain}\nhttps_port {port}\n}}\n" + site)
        super().__init__([os.environ["CADDY"], "run", "--adapter", "caddyfile", "--config", file.name], os.path.join(folder, "caddy.log"),
                         env={**os.environ, "HOME": folder, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder})
        self.await_port(port)


class Site:
    """What is behind the proxy, as a client sees it."""

    def __init__(self, folder, port):
        self.port, self.trust = port, os.path.join(folder, "fullchain.pem")

    def get(self, path, name=NAME, **headers):
        context = ssl.create_default_context(cafile=self.trust)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        # The name of the certificate and of the request, at loopback's address.
        connection.sock = context.wrap_socket(connection._create_connection(("127.0.0.1", self.port), 60), server_hostname=NAME)
        connection.request("GET", path, headers={"Host": name, **headers})
        response = connection.getresponse()
        response.connection = connection
        return response

    def socket(self, path, **options):
        return WebSocket("127.0.0.1", self.port, path, name=NAME, trust=self.trust, seconds=120, **options)


def check_http(site, demo):
    page = site.get("/")
    expect(page.status == 200 and b"<html" in page.read(), "the page, with TLS ending at the proxy")
    expect(site.get(f"/api/v1/wallets/{demo.wallet}/balances").status == 200, "the API")
    # As a browser would ask; the proxy may answer for itself.
    other = site.get("/api/v1/chains", name="evil.example", **{"Accept-Encoding": "gzip"})
    expect(other.status != 200 or not other.read(), f"another name gets nothing ({other.status})")


def check_socket(site, demo):
    with site.socket(f"/ws?wallet={demo.wallet}", deflate=True, headers=[("Origin", f"https://{NAME}")]) as client:
        expect(client.deflates, "a WebSocket from the own page, with permessage-deflate")
        client.until(lambda frame: frame["type"] == "snapshot")
        expect(client.compressed_frames > 0, "compressed frames")
        client.until(lambda frame: frame["type"] in ("balance", "token"))
        expect(True, "live frames")
        client.send({"op": "ping", "id": 1})
        client.until(lambda frame: frame["type"] == "pong" and frame["id"] == 1)
        expect(True, "what the client says arrives")
    try:
        site.socket("/ws", headers=[("Origin", "https://evil.example")]).close()
        refused = None
    except Refused as error:
        refused = error.status
    expect(refused == 403, "a WebSocket from another page is refused with 403")


def check_addresses(site):
    """limits.connectionsPerAddress is 2: it must count clients, not the proxy."""
    def greeted(client):
        return client.until(lambda frame: frame["type"] == "hello")

    # What a client claims stands left of what the proxy saw.
    forged = [("X-Forwarded-For", "192.0.2.7")]
    first = site.socket("/ws", source="127.0.0.2")
    second = site.socket("/ws", source="127.0.0.2", headers=forged)
    greeted(first), greeted(second)
    code = None
    try:
        with site.socket("/ws", source="127.0.0.2", headers=[("X-Forwarded-For", "192.0.2.8")]) as third:
            third.until(lambda frame: False)
    except Closed as closed:
        code = closed.code
    expect(code == 4111, f"a third connection of one client is closed with 4111 ({code})")
    with site.socket("/ws", source="127.0.0.3") as another:
        greeted(another)
    expect(True, "another client is served")
    first.close(), second.close()


def check_stream(site, demo):
    """A stream of small frames: nothing else follows that could push them out of a proxy's buffer."""
    response = site.get(f"/api/v1/wallets/{demo.wallet}/stream")
    if response.status == 404:
        print("  skip Server-Sent Events: this server answers 404 there", flush=True)
        return
    expect(response.status == 200 and response.getheader("Content-Type", "").startswith("text/event-stream"),
           "Server-Sent Events")
    seen = []
    while not ("snapshot" in seen and {"balance", "token"} & set(seen)):
        line = response.readline().decode()
        if not line:
            break
        if line.startswith("event:"):
            seen.append(line[len("event:"):].strip())
    expect("snapshot" in seen and bool({"balance", "token"} & set(seen)), "events as they happen")
    response.connection.close()


def check_direct(demo):
    """The names that the page has the server allow, without a proxy between."""
    for name, status in ((NAME, 200), ("evil.example", 421)):
        connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=60)
        connection.request("GET", "/api/v1/chains", headers={"Host": name, "Accept-Encoding": "gzip"})
        expect(connection.getresponse().status == status, f"at the server itself, {name} gets {status}")


def check_redirect(plain, port):
    connection = http.client.HTTPConnection("127.0.0.1", plain, timeout=60)
    connection.request("GET", "/x?y=1", headers={"Host": NAME})
    response = connection.getresponse()
    # A port other than https's stands in the address where the proxy was told so.
    target = response.getheader("Location", "")
    expect(response.status in (301, 308) and re.fullmatch(rf"https://{NAME}(:{port})?/x\?y=1", target) is not None,
           f"plain HTTP is sent to {target}")


def options():
    """What the page has one start the server with."""
    line = [line for block in fences(PAGE, "sh") for line in block.splitlines() if "--http-trusted-proxies" in line]
    return shlex.split(line[0].partition("walletpush serve ")[2])


def main():
    for proxy in (Nginx, Caddy):
        print(proxy.__name__, flush=True)
        with tempfile.TemporaryDirectory(prefix="walletpush-") as folder:
            with Demo(folder, "--ticks", "0", "--limits-connections-per-address", "2", *options()) as demo:
                port, plain = free_port(), free_port()
                with proxy(folder, demo, port, plain):
                    site = Site(folder, port)
                    check_http(site, demo)
                    check_socket(site, demo)
                    check_addresses(site)
                    check_stream(site, demo)
                    check_redirect(plain, port)
                check_direct(demo)
                expect(demo.stop() == 0, "the server ends with 0")


if __name__ == "__main__":
    sys.exit(main())
