"""What docker/ describes, checked against the server: metrics by name and label, limits, version; and by each tool's own check."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile

import dockerfile
from demo import HERE, Demo, expect, program
from websocket import WebSocket

DOCKER = os.path.join(HERE, "docker")
# Not there before the first of them happens.
LATER = {
    "walletpush_refresh_endpoint_failures_total": "a request to an endpoint fails",
    "walletpush_tls_certificate_expires_seconds": "TLS is on",
}
# What Prometheus adds by itself.
OWN = {"up"}
OWN_LABELS = {"instance", "job"}


def read(*path):
    return open(os.path.join(DOCKER, *path)).read()


def expressions():
    """(where, expression) of the dashboard and the alerts."""
    for panel in json.loads(read("grafana", "dashboards", "walletpush.json"))["panels"]:
        for target in panel.get("targets", []):
            yield f"dashboard, {panel['title']}", target["expr"]
    # YAML as it is written there: one line, or folded with >- below it.
    for name, rest in re.findall(r"- alert: (\w+)\n(.*?)(?=\n\s*- alert:|\Z)", read("prometheus", "alerts.yml"), re.S):
        yield name, re.search(r"expr: (?:>-\n)?(.*?)\n\s*(?:for|labels):", rest, re.S)[1]


def served(text):
    """Metric → labels, of the text format. A histogram has three names."""
    metrics = {}
    for line in text.splitlines():
        match = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
        if match:
            metrics.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return metrics


def names(expression):
    return set(re.findall(r"\b(?:walletpush|process)_[a-z_]+\b", expression)) | (OWN & set(re.findall(r"\b\w+\b", expression)))


def check_metrics():
    print("Metrics of the dashboard and the alerts", flush=True)
    with tempfile.TemporaryDirectory(prefix="walletpush-") as folder, Demo(folder) as demo:
        demo.await_fresh()
        with WebSocket("127.0.0.1", demo.port, f"/ws?wallet={demo.wallet}", seconds=120) as client:
            client.until(lambda frame: frame["type"] == "price")
            client.until(lambda frame: frame["type"] in ("balance", "token"))
            connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=60)
            connection.request("GET", "/metrics")
            metrics = served(connection.getresponse().read().decode())
        found, wrong = set(), []
        for where, expression in expressions():
            mentioned = names(expression)
            found |= mentioned
            wrong += [f"{where}: {name} is not served" for name in mentioned - OWN - LATER.keys() if name not in metrics]
            labels = set().union(*(metrics.get(name, set()) for name in mentioned)) | OWN_LABELS
            if mentioned & LATER.keys():
                continue
            asked = {label for group in re.findall(r"(?:by|on) ?\(([^)]*)\)", expression) for label in re.findall(r"\w+", group)}
            asked |= set(re.findall(r"(\w+)(?:=~|!~|=|!=)\"", expression))
            wrong += [f"{where}: {label} is no label of {sorted(mentioned)}" for label in asked - labels]
        expect(not wrong, f"{len(found)} names, each served with its labels" if not wrong else "; ".join(wrong))
        stale = sorted(name for name in LATER if name in metrics or name not in found)
        expect(not stale, f"those that come later do: {', '.join(sorted(LATER))}" if not stale else f"not later: {stale}")
        sources = subprocess.check_output(["grep", "-rhoE", r'"[a-z_]+(_total|_seconds)"', os.path.join(HERE, "Sources")], text=True)
        for name in LATER:
            expect(f'"{name.removeprefix("walletpush_")}"' in sources, f"{name} is in the sources")
        targets = re.findall(r"targets: \[\"(\w+):(\d+)\"\]", read("prometheus", "prometheus.yml"))
        expect(targets == [("walletpush", "8080")], "Prometheus asks the server of the compose file")
        # The label `job` of our metrics would else be overwritten by Prometheus's own.
        expect("honor_labels: true" in read("prometheus", "prometheus.yml"), "and keeps the server's label `job`")
    page = open(os.path.join(HERE, "Sources/Server/Server.docc/Operating.md")).read()
    alerts = re.findall(r"- alert: (\w+)", read("prometheus", "alerts.yml"))
    missing = [alert for alert in alerts if f"`{alert}`" not in page]
    expect(not missing, f"Operating.md says what to do about each of {len(alerts)} alerts {missing or ''}")


def check_tools():
    print("Each tool's own check", flush=True)

    def passes(what, *argv):
        run = subprocess.run(argv, capture_output=True, text=True)
        expect(run.returncode == 0, what if run.returncode == 0 else f"{what}:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    passes("promtool: configuration and alerts", os.environ["PROMTOOL"], "check", "config", f"{DOCKER}/prometheus/prometheus.yml")
    passes("promtool: alerts fire when they should, and only then", os.environ["PROMTOOL"], "test", "rules",
           os.path.join(os.path.dirname(__file__), "alerts.test.yml"))
    passes("the compose file by its schema", "check-jsonschema", "--builtin-schema", "vendor.compose-spec", f"{DOCKER}/compose.yaml")
    passes("hadolint: the Dockerfile", "hadolint", f"{DOCKER}/Dockerfile")
    if not shutil.which("systemd-analyze"):
        print("  skip the unit: no systemd-analyze on this machine", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        unit = os.path.join(folder, "walletpush.service")
        with open(unit, "w") as file:
            file.write(read("systemd", "walletpush.service").replace("/usr/local/bin/walletpush", program()))
        passes("systemd-analyze verify", "systemd-analyze", "verify", unit)
        passes("systemd-analyze security: exposure of 1.5 at most", "systemd-analyze", "security", "--offline=true",
               "--threshold=15", unit)


def check_agreement():
    print("What is said twice", flush=True)
    unit, compose = read("systemd", "walletpush.service"), read("compose.yaml")
    stages = dockerfile.parse(os.path.join(DOCKER, "Dockerfile"))
    descriptors = re.search(r"LimitNOFILE=(\d+)", unit)[1]
    expect(re.findall(r"(?:soft|hard): (\d+)", compose) == [descriptors] * 2, f"descriptors: {descriptors}")
    settings = json.loads(subprocess.check_output([program(), "check-config"], text=True))
    expect(int(descriptors) >= settings["limits"]["connections"] + 1_024, "enough for limits.connections")
    drain = settings["limits"]["drainSeconds"]
    waits = int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]), int(re.search(r"stop_grace_period: (\d+)s", compose)[1])
    expect(min(waits) > drain * 2, f"a stop may take {waits} seconds, a drain takes {drain}")
    label = re.search(r'image.version="([^"]+)"', read("Dockerfile"))[1]
    said = subprocess.check_output([program(), "--version"], text=True).split()[-1]
    expect(label == said, f"the image's version is the program's, {said}")
    images = re.findall(r"image: (\S+)", compose)
    expect(all(":" in image for image in images if image != "walletpush"), f"versions of images: {', '.join(images)}")
    context = set(dockerfile.context(HERE))
    for stage in stages:
        for keyword, rest in stage.instructions:
            options, sources, _ = dockerfile.copy_arguments(rest) if keyword == "COPY" else ({"from": ""}, [], "")
            for source in sources if "from" not in options else []:
                expect(any(path == source or path.startswith(source + "/") for path in context), f"the context holds {source}")
    other = [path for path in context if path.startswith(".") or path.endswith((".sqlite", ".pem"))]
    expect(not other, f"and no history, databases or keys {other or ''}")


if __name__ == "__main__":
    check_metrics()
    check_tools()
    check_agreement()
