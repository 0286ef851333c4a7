"""The Swift client library as Apple's systems have it, against the demo. .ci/test-urlsession builds the program and gives
its path."""

import subprocess
import sys
import tempfile

from demo import WAIT, Demo

with tempfile.TemporaryDirectory() as folder, Demo(folder) as demo:
    demo.await_fresh()
    raise SystemExit(subprocess.run([sys.argv[1], str(demo.port), demo.wallet], timeout=WAIT).returncode)
