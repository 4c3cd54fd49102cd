"""Machines that are none: network namespaces on one bridge, whose links can be cut, made deaf to
each other, lossy or slow. Needs no root, but iproute2 and nftables.

    hosts.enter()                        first of all: this program again, in a network of its own
    with hosts.Hosts(3) as (a, b, c):
        a.deafen(b)                      what b sends does not reach a; b still hears a

    host 1  10.77.0.1 --veth--.
    host 2  10.77.0.2 --veth--+-- bridge 10.77.255.254, where this program is
    host 3  10.77.0.3 --veth--'

A host ends with the program. It has a loopback of its own, which no cut touches.
"""
import os
import shutil
import subprocess
import sys
import time

from support.cluster import TOGETHER

MARK = "FAYMORA_OWN_NETWORK"
LIMIT_S = 10
HERE = "10.77.255.254"


def able():
    """What is missing; None: all is there."""
    for program in ("unshare", "nsenter", "ip", "tc", "nft"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if subprocess.run(["unshare", "-Urn", "true"], capture_output=True).returncode != 0:
        return "no network namespace may be made here"
    return None


def enter():
    """Runs this program again in a user and network namespace of its own, once. There are no other
    connections than its own, and it may do to its network what it likes."""
    if os.environ.get(MARK) is None:
        os.environ[MARK] = "1"
        sys.stdout.flush()
        os.execvp("unshare", ["unshare", "-Urn", "--", sys.executable, *sys.argv])
    ip("link set lo up")


def ip(commands, inside=()):
    subprocess.run([*inside, "ip", "-batch", "-"], input=commands + "\n", text=True, check=True)


class Host:
    def __init__(self, number):
        self.number = number
        self.address = f"10.77.{number // 250}.{number % 250 + 1}"
        self.deaf_to, self.loses = set(), 0
        # It only keeps the namespace open.
        self.holder = subprocess.Popen([*TOGETHER, "unshare", "-n", "sleep", "infinity"],
                                       stdin=subprocess.DEVNULL)
        self.inside = ["nsenter", "-t", str(self.holder.pid), "-n", "--"]

    def is_apart(self):
        namespace = f"/proc/{self.holder.pid}/ns/net"
        return os.readlink(namespace) != os.readlink("/proc/self/ns/net")

    def end(self):
        self.holder.kill()
        self.holder.wait()

    def run(self, *argv, **more):
        return subprocess.run([*self.inside, *argv], check=True, **more)

    # ---- its link ------------------------------------------------------------------------------

    def cut(self):
        """Nothing reaches it, nothing leaves it; nobody is told."""
        ip(f"link set h{self.number} down")

    def mend(self):
        ip(f"link set h{self.number} up")

    def deafen(self, *others):
        """What these send does not reach it."""
        self.deaf_to |= {other.address for other in others}
        self.filter()

    def hear(self, *others):
        """It does again."""
        self.deaf_to -= {other.address for other in others}
        self.filter()

    def lose(self, share):
        """So many of the packets that come, by chance; 0 to 1."""
        self.loses = share
        self.filter()

    def slow(self, rate):
        """What it sends: "1mbit", say; None: as fast as can be."""
        if rate is None:
            self.run("tc", "qdisc", "del", "dev", "eth0", "root")
        else:
            self.run("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst",
                     "16kb", "latency", "200ms")

    def filter(self):
        rules = []
        if self.deaf_to:
            rules.append(f"ip saddr {{ {', '.join(sorted(self.deaf_to))} }} drop")
        if self.loses:
            rules.append(f"numgen random mod 1000 < {round(self.loses * 1000)} drop")
        rules = "\n".join(f'iifname "eth0" {rule}' for rule in rules)
        self.run("nft", "-f", "-", text=True, input=(
            "table inet cuts\ndelete table inet cuts\ntable inet cuts {\nchain in {\n"
            f"type filter hook input priority 0\n{rules}\n}}\n}}\n"))


class Hosts:
    def __init__(self, count):
        self.list = []
        try:
            ip("link add bridge type bridge forward_delay 0\n"
               f"addr add {HERE}/16 dev bridge\nlink set bridge up")
            self.list = [Host(number) for number in range(count)]
            for host in self.list:
                self.connect(host)
        except BaseException:
            self.close()
            raise

    def connect(self, host):
        end = time.monotonic() + LIMIT_S
        while not host.is_apart():
            if host.holder.poll() is not None or time.monotonic() > end:
                raise RuntimeError("a network namespace cannot be made")
            time.sleep(0.001)
        name = f"h{host.number}"
        ip(f"link add {name} type veth peer name eth0 netns {host.holder.pid}\n"
           f"link set {name} master bridge up")
        ip(f"addr add {host.address}/16 dev eth0\nlink set eth0 up\nlink set lo up", host.inside)

    def __enter__(self):
        return self.list

    def __exit__(self, *_):
        self.close()

    def close(self):
        names = ["bridge", *(f"h{host.number}" for host in self.list)]
        for name in names:  # the kernel would do so itself, but some time later
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL)
        for host in self.list:
            host.end()
