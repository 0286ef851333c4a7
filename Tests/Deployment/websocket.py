"""A WebSocket client for tests: RFC 6455 over a socket of one's own, permessage-deflate (RFC 7692) where it is asked for."""

import base64
import json
import os
import socket
import ssl
import struct
import time
import zlib


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"the handshake is answered with {status}: {body[:200]!r}")
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"closed with {code} {reason}")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, host, port, path, name=None, headers=(), deflate=False, trust=None, source=None, seconds=30):
        """name: what is asked for (Host, SNI), host if left out. trust: a PEM file; then TLS is spoken. source: the
        address to come from."""
        name = name or host
        self.deadline = time.monotonic() + seconds
        self.socket = socket.create_connection((host, port), seconds, (source, 0) if source else None)
        if trust:
            context = ssl.create_default_context(cafile=trust)
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.data = b""
        self.compressed_frames = 0
        self.inflate = None
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {name}:{port}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
        ]
        lines += [f"{key}: {value}" for key, value in headers]
        if deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        first, *rest = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest}
        if self.status != 101:
            raise Refused(self.status, self.headers, self._rest(int(self.headers.get("content-length", 0))))
        self.deflates = "permessage-deflate" in self.headers.get("sec-websocket-extensions", "")

    def _rest(self, length):
        while len(self.data) < length:
            self._more()
        return self.data[:length]

    def _more(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server says nothing more")
        self.socket.settimeout(left)
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError("the connection ended")
        self.data += chunk

    def _take(self, count):
        while len(self.data) < count:
            self._more()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def send(self, message):
        """A dictionary, as one masked text frame."""
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        head = struct.pack("!BB", 0x81, 0x80 | len(payload)) if len(payload) < 126 else struct.pack(
            "!BBH", 0x81, 0x80 | 126, len(payload))
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def receive(self):
        """The next text message, parsed. Messages of the server come in one frame each."""
        while True:
            first, second = self._take(2)
            length = second & 127
            if length == 126:
                length = struct.unpack("!H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self._take(8))[0]
            payload = self._take(length)
            if first & 0x0F == 8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(code, payload[2:].decode())
            if first & 0x0F != 1:
                continue
            if first & 0x40:
                self.compressed_frames += 1
                payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
            return json.loads(payload)

    def until(self, condition):
        """The first message that meets the condition; those before it are passed over."""
        while True:
            message = self.receive()
            if condition(message):
                return message

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
