"""A machine that runs systemd, in namespaces of its own: for looking at a unit where there is nothing but this kernel."""

import os
import subprocess
import time

from roots import call

PACKAGES = ["systemd", "systemd-sysv", "dbus", "procps"]
# Where systemd finds what it expects, as container managers prepare it (systemd.io/CONTAINER_INTERFACE).
BOOT = r"""
set -e
root=$1 group=$2
echo $$ >"$group/cgroup.procs"
exec unshare --mount --pid --fork --net --uts --ipc --cgroup --kill-child bash -c '
  set -e
  mount --make-rprivate /
  cd "$1"
  mount --bind . . && cd "$1"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t tmpfs tmpfs sys/fs/cgroup && mount -t cgroup2 cgroup2 sys/fs/cgroup
  for folder in run tmp; do mount -t tmpfs tmpfs $folder; done
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
  mkdir dev/shm dev/pts && mount -t tmpfs tmpfs dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts && ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  mkdir -p old && pivot_root . old && umount -l old
  hostname machine
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=0
' boot "$root"
"""


class Machine:
    def __init__(self, root, log):
        self.group = os.path.join(self.hierarchy(), "walletpush-prove")
        os.makedirs(self.group, exist_ok=True)
        self.process = subprocess.Popen(["bash", "-c", BOOT, "boot", root.path, self.group], stdin=subprocess.DEVNULL,
                                        stdout=open(log, "w"), stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 120
        # `degraded` is up as well, with some unit of Debian's that misses a terminal.
        while self.run("systemctl is-system-running")[1].strip() not in ("running", "degraded"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit("systemd does not start:\n" + open(log).read())
            time.sleep(0.2)

    @staticmethod
    def hierarchy():
        for line in open("/proc/self/mountinfo"):
            words = line.split()
            if words[words.index("-") + 1] == "cgroup2":
                return words[4]
        raise SystemExit("this kernel has no cgroup2 mounted")

    def first(self):
        """systemd's number, outside; 0 before there is one."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read().split()
        return int(children[0]) if children else 0

    def run(self, command, cwd="/"):
        """(exit code, what it said) of a line of shell inside."""
        if not self.first():
            return 1, ""
        run = subprocess.run(["nsenter", "-t", str(self.first()), "-a", "/usr/bin/env", "-i", "-C", cwd,
                              "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "/bin/bash", "-euo",
                              "pipefail", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return run.returncode, run.stdout

    def show(self, *properties):
        """Of the unit, as text."""
        said = self.run("systemctl show walletpush " + " ".join(f"-p {name}" for name in properties))[1]
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        return [found.get(name, "") for name in properties]

    def await_show(self, condition, *properties):
        deadline = time.monotonic() + 120
        while not condition(*self.show(*properties)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.show(*properties)

    def end(self):
        self.process.kill()
        self.process.wait()
        # Its processes go with process 1; their groups a moment later.
        for _ in range(100):
            for parent, folders, _files in os.walk(self.group, topdown=False):
                try:
                    os.rmdir(parent)
                except OSError:
                    pass
            if not os.path.exists(self.group):
                return
            time.sleep(0.1)


def check(root, log, commands, expect):
    """What Operating.md says of systemd. commands: its lines that install."""
    machine = Machine(root, log)
    try:
        code, said = machine.run(commands, cwd="/root/walletpush")
        said += machine.run("journalctl --no-pager -q -u walletpush")[1] if code else ""
        expect(code == 0, f"the page's lines install and start it{': ' + said if code else ''}")
        state, main, text = machine.show("ActiveState", "MainPID", "StatusText")
        expect(state == "active", f"it is active when systemctl returns ({text})")
        healthy = "walletpush health --config /etc/walletpush/config.json"
        expect(machine.run(healthy)[0] == 0, "and alive")
        status = machine.run(f"cat /proc/{main}/status /proc/{main}/limits /proc/{main}/mountinfo")[1]
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        expect(fields["Uid"].split()[0] != "0" and int(fields["CapEff"], 16) == 0, "a user without capabilities")
        expect(fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1", "with a filter of system calls")
        # systemd gives what it may itself, where this machine allows less than the unit asks for.
        most = machine.run("awk '/open files/ {print $5}' /proc/1/limits")[1].strip()
        descriptors = next(line for line in status.splitlines() if "open files" in line).split()[4]
        expect(descriptors in ("262144", most), f"{descriptors} descriptors")
        expect(any(line.split()[4] == "/" and line.split()[5].startswith("ro") for line in status.splitlines()
                   if " - " in line), "a read-only system")
        expect(machine.run("stat -c %U:%a /var/lib/walletpush/walletpush.sqlite")[1].strip() == "walletpush:600",
               "its database is its own")
        code, said = machine.run("systemctl reload walletpush || { journalctl --no-pager -q -u walletpush; false; }")
        expect(code == 0, f"reload{said}")
        expect(machine.await_show(lambda state: state == "active", "ActiveState") == ["active"], "active after it")
        machine.run(f"kill -9 {main}")
        again = machine.await_show(lambda state, pid: state == "active" and pid not in (main, "0"), "ActiveState", "MainPID")
        expect(again[0] == "active" and again[1] != main, "a crash is begun anew")
        expect(machine.run("systemctl stop walletpush")[0] == 0, "stop")
        expect(machine.show("Result", "ExecMainStatus") == ["success", "0"], "it ended with 0")
        machine.run("""echo '{"http": {"port": "many"}}' >/etc/walletpush/config.json""")
        expect(machine.run("systemctl start walletpush")[0] != 0, "wrong settings: the start fails")
        expect(machine.show("ExecMainStatus", "NRestarts")[0] == "2" and machine.show("ActiveState") == ["failed"],
               "with 2, and is not tried again")
    finally:
        machine.end()


def prepare(root):
    """What a Debian that runs on its own has, and what Operating.md says the program needs."""
    root.mount_system()
    root.install(*PACKAGES, "libssl3", "libsqlite3-0", "ca-certificates")
    call("umount", "--recursive", root.at("dev"))
    call("umount", root.at("proc"))
