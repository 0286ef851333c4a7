"""docker/prove: what the Dockerfile and the README say, done in bare Debian 12 roots. Needs root and debootstrap, not Docker.

  image     goes through docker/Dockerfile, instruction by instruction, then runs what came out as an engine would: as
            its user and process 1, its root read-only, on a network of its own; asks the health check, watches a wallet
            move, and stops it
  systemd   boots Debian's systemd in namespaces of its own, installs the image's program as Operating.md says, starts,
            reloads, kills and stops it; after `image`
  readme    the README's two commands on a machine that has a Swift toolchain and nothing else: minutes to a moving wallet

  --again         in the roots of the run before: what is compiled stays compiled, as with an engine's cache
  --jobs N        compiler jobs at once (2)
  --prefix WORDS  put before the build, to queue for the processor
  --work DIR      where roots are kept (~/.cache/walletpush/prove); debootstrap runs once
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import container
import dockerfile
import machine
from demo import HERE, expect, fences
from roots import Roots, call

BEGAN = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


def toolchain():
    """The folder that holds usr/bin/swift."""
    swift = shutil.which("swift")
    if not swift:
        raise SystemExit("there is no Swift toolchain on this machine to lend to the roots")
    return os.path.realpath(swift).partition("/usr/bin/")[0] or "/"


class Builder:
    """Goes through the instructions of a Dockerfile."""

    def __init__(self, roots, options):
        self.roots, self.options, self.stages = roots, options, {}

    def build(self, path):
        root = configuration = None
        for number, stage in enumerate(dockerfile.parse(path)):
            root, configuration = self.base(stage, number), container.Configuration()
            say(f"FROM {stage.image}")
            shell, directory, arguments = ["/bin/sh", "-c"], "/", {}
            for keyword, rest in stage.instructions:
                if keyword == "SHELL":
                    shell = dockerfile.words(rest)
                elif keyword == "WORKDIR":
                    directory = configuration.directory = os.path.join(directory, rest)
                    os.makedirs(root.at(directory), exist_ok=True)
                elif keyword == "ARG":
                    arguments.update(dockerfile.assignments(rest))
                    arguments.update({"BUILD_FLAGS": f"-j {self.options.jobs}"} if "BUILD_FLAGS" in arguments else {})
                elif keyword == "COPY":
                    self.copy(root, directory, rest)
                elif keyword == "RUN":
                    say("RUN " + re.sub(r"\s+", " ", rest))
                    self.run(root, shell + [rest], directory, arguments)
                else:
                    configuration.take(keyword, rest)
            self.stages[stage.name or str(number)] = root
        return root, configuration

    def base(self, stage, number):
        if stage.image == "scratch":
            return self.roots.empty("image.root")
        if stage.image.startswith("swift:"):
            return self.roots.with_toolchain(f"stage{number}", toolchain(), keeps=self.options.again)
        raise SystemExit(f"no root stands for {stage.image}")

    def run(self, root, argv, directory, arguments):
        """A build queues for the processor, where that was asked for."""
        if self.options.prefix and "swift build" in argv[-1]:
            # Outside, around a chroot: the queue is none of the root's.
            words = self.options.prefix.split() + ["chroot", root.path, "/usr/bin/env", "-C", directory, *argv]
            call(*words, env={**root.environment, **arguments})
        else:
            root.run(argv, cwd=directory, environment=arguments)

    def copy(self, root, directory, rest):
        options, sources, target = dockerfile.copy_arguments(rest)
        target = os.path.join(directory, target) + ("/" if target.endswith("/") else "")
        say(f"COPY {rest}")
        if "from" in options:
            for source in sources:
                self.copy_path(self.stages[options["from"]].at(source), root.at(target), options.get("chown"))
            return
        allowed = list(dockerfile.context(HERE))
        for source in sources:
            found = [path for path in allowed if path == source or path.startswith(source + "/")]
            if not found:
                raise SystemExit(f"COPY {source}: .dockerignore leaves nothing of it")
            for path in found:
                inside = os.path.relpath(path, source) if path != source else (
                    os.path.basename(path) if target.endswith("/") else "")
                # As engines do: of a folder, what is in it.
                place = os.path.normpath(os.path.join(root.at(target), inside))
                os.makedirs(os.path.dirname(place), exist_ok=True)
                shutil.copy2(os.path.join(HERE, path), place)

    @staticmethod
    def copy_path(source, target, owner):
        """Of a folder what is in it; the owner becomes that of what is copied, not of the folder it is copied to."""
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(source):
            call("cp", "-a", os.path.join(source, name), target)
            if owner:
                call("chown", "-R", owner, os.path.join(target, name))


def prove_image(roots, options):
    root, configuration = Builder(roots, options).build(os.path.join(HERE, "docker/Dockerfile"))
    size = int(subprocess.check_output(["du", "-s", "--block-size=1", "--apparent-size", root.path]).split()[0])
    packed = subprocess.run(["bash", "-c", f"tar -C {root.path} -c . | gzip -6 | wc -c"], capture_output=True, text=True)
    say(f"the image: {size / 1e6:.1f} MB, {int(packed.stdout) / 1e6:.1f} MB to pull")
    # On a network of its own, where no port is taken.
    call("unshare", "--net", sys.executable, os.path.join(os.path.dirname(__file__), "container.py"), root.path,
         configuration.text())
    say("image: all as it should be")


def prove_systemd(roots, options):
    program = os.path.join(roots.work, "image.root/usr/bin/walletpush")
    if not os.path.exists(program):
        raise SystemExit("the program comes from the image: docker/prove image systemd")
    root = roots.overlay("machine", roots.debian())
    machine.prepare(root)
    checkout = root.at("root/walletpush")
    for folder in ("docker/systemd", "web-client-sample"):
        shutil.copytree(os.path.join(HERE, folder), os.path.join(checkout, folder))
    os.makedirs(os.path.join(checkout, ".build/release"))
    shutil.copy(program, os.path.join(checkout, ".build/release"))
    page = os.path.join(HERE, "Sources/Server/Server.docc/Operating.md")
    commands = next(block for block in fences(page, "sh") if "systemctl enable" in block)
    say("systemd boots")
    machine.check(root, os.path.join(roots.work, "machine.log"), commands, expect)
    say("systemd: all as it should be")


def prove_readme(roots, options):
    """Everything here is what the README says, and no more."""
    root = roots.with_toolchain("newcomer", toolchain(), keeps=False)
    text = open(os.path.join(HERE, "README.md")).read()
    if not re.search(r"```sh\nmake run ", text):
        raise SystemExit("README.md does not say `make run` first")
    if "(and `make`)" not in text:
        raise SystemExit("README.md does not say that make is needed")
    root.install("make")
    # A clone: what is committed, with what is not committed yet in the working copy.
    files = subprocess.check_output(["git", "-C", HERE, "ls-files", "-z", "-co", "--exclude-standard"]).decode()
    for path in filter(None, files.split("\0")):
        if os.path.isfile(os.path.join(HERE, path)):
            place = root.at(os.path.join("home/walletpush", path))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copy2(os.path.join(HERE, path), place)
    say("the newcomer types: make run")
    words = options.prefix.split() + ["unshare", "--kill-child", "--pid", "--fork", "--mount-proc=" + root.at("proc"),
                                      "chroot", root.path, "/usr/bin/env", "-C", "/home/walletpush", "make", "run",
                                      f"PORT={options.port}"]
    log = open(os.path.join(roots.work, "readme.log"), "w+")
    process = subprocess.Popen(words, env=root.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        # Not the time in the queue.
        container.await_line(log.name, r".", process, seconds=7200)
        began = time.monotonic()
        wallet = container.await_line(log.name, r"A wallet to try: (\S+)", process, seconds=3600)
        container.await_movement(options.port, wallet)
        minutes = (time.monotonic() - began) / 60
        page = container.get(options.port, "/")
        if page.status != 200 or b"<html" not in page.body:
            raise SystemExit(f"the page is answered with {page.status}")
        say(f"readme: {minutes:.1f} minutes from `make run` to a moving wallet, on {os.cpu_count()} processors")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", default=[], metavar="image|systemd|readme")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--port", type=int, default=18765)
    parser.add_argument("--work", default=os.path.expanduser("~/.cache/walletpush/prove"))
    options = parser.parse_args()
    known = {"image": prove_image, "systemd": prove_systemd, "readme": prove_readme}
    for proof in options.proofs or known:
        if proof not in known:
            parser.error(f"there are image, systemd and readme, not {proof}")
        known[proof](Roots(options.work), options)


if __name__ == "__main__":
    main()
