"""The fuzzing client and the fuzzing server of autobahntestsuite, on loopback, with results as lines.

    fuzz.py client ws://127.0.0.1:PORT RESULTS CASES...    plays the cases against an echo server
    fuzz.py server PORT RESULTS CASES...                   plays them against a client that asks for them

RESULTS gets a line for each case when it has ended: its id, the behaviour, the behaviour in closing, milliseconds.
CASES are patterns such as 1.* and 6.4.2.
"""
import binascii
import re
import sys

from twisted.internet import epollreactor

epollreactor.install()

from twisted.internet import reactor  # noqa: E402

plain_hexlify = binascii.b2a_hex


def hexlify(data, *rest):
    """Some cases name themselves after their payload, a str of bytes."""
    if isinstance(data, str):
        return plain_hexlify(data.encode("latin-1"), *rest).decode("ascii")
    return plain_hexlify(data, *rest)


binascii.b2a_hex = hexlify

from autobahntestsuite import fuzzing  # noqa: E402
from autobahntestsuite.case import Case, Cases  # noqa: E402

# Two pickles of equal values can differ in Python 3: they tell which strings are one object.
Case.compare = lambda self, received, expected: received == expected
# For the detailed reports, which are not written.
fuzzing.asciiLogData = lambda data, *rest, **options: repr(data[:64])


def octets(text):
    return text.encode("latin-1") if isinstance(text, str) else text


class Octets:
    """Between the cases, to whom a byte string is a str, and a protocol that speaks bytes."""

    # For the detailed reports too.
    def logRxOctets(self, data):
        pass

    def logTxOctets(self, data, sync):
        pass

    def logRxFrame(self, header, payload):
        self.rxFrameStats[header.opcode] = self.rxFrameStats.get(header.opcode, 0) + 1

    def logTxFrame(self, header, payload, repeatLength, chopsize, sync):
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def sendFrame(self, opcode, payload=b"", fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
        payload = octets(payload)
        if payload_len is not None:
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        super().sendFrame(opcode, payload, fin, rsv, octets(mask), None, chopsize, sync)

    def sendMessage(self, payload, *rest, **options):
        super().sendMessage(octets(payload), *rest, **options)

    def sendMessageFrame(self, payload, *rest, **options):
        return super().sendMessageFrame(octets(payload), *rest, **options)

    def sendMessageFrameData(self, payload, *rest, **options):
        return super().sendMessageFrameData(octets(payload), *rest, **options)

    def sendPing(self, payload=None):
        super().sendPing(octets(payload))

    def sendPong(self, payload=None):
        super().sendPong(octets(payload))

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code=code, reasonUtf8=octets(reasonUtf8), isReply=isReply)

    def onMessage(self, payload, isBinary):
        # The cases with test data of their own compare bytes.
        if not hasattr(self.runCase, "TESTDATA"):
            payload = bytes(payload).decode("latin-1")
        super().onMessage(payload, isBinary)

    def onPong(self, payload):
        super().onPong(bytes(payload).decode("latin-1"))


class Results:
    """What replaces the reports."""

    file = None

    def logCase(self, result):
        line = "%s\t%s\t%s\t%d" % (result["id"], result["behavior"], result["behaviorClose"], result["duration"])
        with open(Results.file, "a", encoding="utf-8") as out:
            print(line, file=out)

    def createReports(self):
        pass


class ClientProtocol(Octets, fuzzing.FuzzingClientProtocol):
    pass


class ServerProtocol(Octets, fuzzing.FuzzingServerProtocol):
    pass


class ClientFactory(Results, fuzzing.FuzzingClientFactory):
    pass


class ServerFactory(Results, fuzzing.FuzzingServerFactory):
    protocol = ServerProtocol


# Its factory makes what this name stands for.
fuzzing.FuzzingClientProtocol = ClientProtocol


def chosen(patterns):
    """The ids that a pattern matches to their end: the suite itself takes 12.1.10 for 12.*.1."""
    pattern = re.compile("|".join(re.escape(pattern).replace(r"\*", ".*") for pattern in patterns))
    ids = [".".join(case.__name__.removeprefix("Case").split("_")) for case in Cases]
    return [id for id in ids if pattern.fullmatch(id)]


def main(role, where, results, *patterns):
    Results.file = results
    spec = {"cases": chosen(patterns), "exclude-cases": [], "exclude-agent-cases": {}}
    if role == "client":
        spec["servers"] = [{"agent": "server", "url": where}]
        ClientFactory(spec)
    else:
        spec["url"] = "ws://127.0.0.1:" + where
        reactor.listenTCP(int(where), ServerFactory(spec), interface="127.0.0.1")
        print("listening", flush=True)
    reactor.run()


main(*sys.argv[1:])
