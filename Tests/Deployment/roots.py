"""Bare Debian 12 roots, in a mount namespace of one's own: made once by debootstrap, then used through overlays."""

import os
import shutil
import subprocess

# What https://www.swift.org/install/linux/ lists for Debian 12, and the official image holds.
SWIFT_PACKAGES = """binutils-gold gcc git libcurl4-openssl-dev libedit-dev libicu-dev libncurses-dev libpython3-dev
libsqlite3-dev libstdc++-12-dev libxml2-dev pkg-config tzdata uuid-dev zlib1g-dev""".split()

# Those of Debian's own image.
SOURCES = ["debian bookworm", "debian bookworm-updates", "debian-security bookworm-security"]


def call(*argv, **options):
    subprocess.run(argv, check=True, **options)


def clear(folder):
    """Removes it; not what is mounted in it, such as this machine's devices."""
    inside = os.path.realpath(folder) + "/"
    for line in open("/proc/self/mountinfo"):
        if (line.split()[4] + "/").startswith(inside):
            raise RuntimeError(f"something is mounted at {line.split()[4]}")
    shutil.rmtree(folder, ignore_errors=True)


class Root:
    """A folder that programs take for their root."""

    def __init__(self, path):
        self.path = path
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                            "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}

    def at(self, path):
        """Outside, the path that is so called inside."""
        return os.path.join(self.path, path.lstrip("/"))

    def start(self, argv, cwd="/", environment=None, user=None, **options):
        """argv[0] is absolute. user: (uid, gid)."""
        def enter():
            os.chroot(self.path)
            os.chdir(cwd)
            if user:
                os.setgroups([])
                os.setgid(user[1])
                os.setuid(user[0])
        return subprocess.Popen(argv, env={**self.environment, **(environment or {})}, preexec_fn=enter,
                                stdin=subprocess.DEVNULL, **options)

    def run(self, argv, **options):
        process = self.start(argv, **options)
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, argv)

    def install(self, *packages):
        self.run(["/usr/bin/apt-get", "update", "-q=2"])
        self.run(["/usr/bin/apt-get", "install", "-y", "-q=2", "--no-install-recommends", *packages],
                 stdout=subprocess.DEVNULL)

    def bind(self, source, target, read_only=True):
        os.makedirs(self.at(target), exist_ok=True)
        call("mount", "--rbind", source, self.at(target))
        if read_only:
            call("mount", "-o", "remount,bind,ro", self.at(target))

    def mount_system(self):
        """What a container's engine mounts, and the way to names."""
        call("mount", "-t", "proc", "proc", self.at("proc"))
        self.bind("/dev", "/dev", read_only=False)
        shutil.copy("/etc/resolv.conf", self.at("etc/resolv.conf"))


class Roots:
    def __init__(self, work):
        self.work = work
        os.makedirs(work, exist_ok=True)

    def debian(self):
        """Made once: what `debootstrap --variant=minbase` makes, as Debian's image is made."""
        base = os.path.join(self.work, "debian-12")
        if not os.path.exists(base):
            clear(base + ".new")
            call("debootstrap", "--variant=minbase", "bookworm", base + ".new", "http://deb.debian.org/debian",
                 stdout=subprocess.DEVNULL)
            os.rename(base + ".new", base)
        with open(os.path.join(base, "etc/apt/sources.list"), "w") as file:
            file.write("".join(f"deb http://deb.debian.org/{place} main\n" for place in SOURCES))
        return base

    def swift(self):
        """What stands for the official Swift image: Debian 12, the packages a toolchain needs, and this machine's toolchain.

        Also a machine of somebody who has followed swift.org.
        """
        root = self.overlay("swift-packages", self.debian(), keeps=True)
        root.mount_system()
        done = root.at("var/lib/swift-packages")
        if not os.path.exists(done):
            root.install("ca-certificates", *SWIFT_PACKAGES)
            open(done, "w").close()
        self.release(root)
        return [os.path.join(self.work, "swift-packages.upper"), self.debian()]

    def overlay(self, name, *lower, keeps=False):
        """A root that begins as the lower ones and whose changes are its own."""
        upper, scratch, path = (os.path.join(self.work, f"{name}.{part}") for part in ("upper", "scratch", "root"))
        for folder in [scratch, path] if keeps else [upper, scratch, path]:
            clear(folder)
        for folder in (upper, scratch, path):
            os.makedirs(folder, exist_ok=True)
        call("mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={':'.join(lower)},upperdir={upper},workdir={scratch}", path)
        return Root(path)

    def empty(self, name):
        path = os.path.join(self.work, name)
        clear(path)
        os.makedirs(path)
        return Root(path)

    @staticmethod
    def release(root):
        call("umount", "--recursive", root.path)

    def with_toolchain(self, name, toolchain, keeps):
        root = self.overlay(name, *self.swift(), keeps=keeps)
        root.mount_system()
        root.bind(toolchain, toolchain)
        root.environment["PATH"] = f"{toolchain}/usr/bin:" + root.environment["PATH"]
        self.bind_packages(root)
        return root

    @staticmethod
    def bind_packages(root):
        """Where git on this machine reads repositories from a folder instead of the network, it does so inside as well."""
        found = subprocess.run(["git", "config", "--get-regexp", r"^url\..*\.insteadof$"],
                               capture_output=True, text=True).stdout
        lines = []
        for line in found.splitlines():
            key, prefix = line.split(" ", 1)
            folder = key[len("url."):-len(".insteadof")]
            if os.path.isdir(folder):
                if not os.path.ismount(root.at(folder)):
                    root.bind(folder, folder)
                lines.append(f'[url "{folder}"]\n  insteadOf = {prefix}\n')
        with open(root.at("root/.gitconfig"), "w") as file:
            # The folders belong to somebody else.
            file.write("[safe]\n  directory = *\n" + "".join(lines))
