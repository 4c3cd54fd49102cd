#!/usr/bin/env python3
"""Ten Agents on hosts of their own, whose network fails: a cable is pulled and plugged in, the
network falls into two and is one again, some hear only one way, packets are lost. Who is cut off is
found out and welcome again; nobody else is taken for dead."""
import pathlib
import socket
import subprocess
import sys
import time

import faytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support import grid, hosts  # noqa: E402

AGENTS = 10
LIMIT_S = faytest.LIMIT_S
FAULT_S = 10  # longer than it takes to find out that somebody is dead

ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 9))
print("ready", flush=True)
while True:
    s.sendto(*s.recvfrom(99))
"""


class Cuts(faytest.Case):
    def setUp(self):
        super().setUp()
        place = hosts.Hosts(AGENTS)
        self.addCleanup(place.close)
        self.hosts = place.list

    def begin(self):
        self.grid = g = grid.Grid(self.work, self.env, self.hosts)
        self.addCleanup(g.close)
        seed, *others = g.add(AGENTS)
        g.begin(seed, others)
        g.watch()
        self.all_alive()
        return g

    def all_alive(self):
        self.grid.wait_listed(list(self.grid.members), "alive", LIMIT_S)

    def test_the_hosts(self):
        """A cut is a cut, else all the others prove nothing."""
        host = self.hosts[0]
        echo = self.start_inside(host, ECHO, host.address)
        self.assertEqual(echo.stdout.readline(), b"ready\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.settimeout(0.2)

            def answers(count=1):
                found = 0
                for _ in range(count):
                    here.sendto(b"x", (host.address, 9))
                    try:
                        found += len(here.recv(9))
                    except TimeoutError:
                        pass
                return found

            faytest.wait_for(answers, "an answer")
            host.cut()
            self.assertEqual(answers(), 0)
            host.mend()
            faytest.wait_for(answers, "an answer again")
            host.lose(0.5)
            self.assertIn(answers(40), range(4, 37))
            host.lose(0)
            self.assertEqual(answers(5), 5)

            this = type("", (), {"address": hosts.HERE})
            host.deafen(this)
            self.assertEqual(answers(), 0)
            host.hear(this)
            self.assertEqual(answers(), 1)

    def start_inside(self, host, text, *args):
        process = subprocess.Popen([*host.inside, sys.executable, "-c", text, *args], env=self.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_a_cable(self):
        g = self.begin()
        alone = g.members["n4"]
        others = [name for name in g.members if name != alone.name]
        alone.host.cut()
        g.wait_listed([alone.name], "dead", LIMIT_S, by=others)
        g.wait_listed(others, "dead", LIMIT_S, by=[alone.name])
        alone.host.mend()
        self.all_alive()

    def test_two_halves(self):
        g = self.begin()
        names = list(g.members)
        halves = names[:5], names[5:]
        self.separate(halves, "deafen")
        for here, there in (halves, halves[::-1]):
            g.wait_listed(there, "dead", LIMIT_S, by=here)
            g.wait_listed(here, "alive", LIMIT_S, by=here)
        self.separate(halves, "hear")
        self.all_alive()

    def separate(self, halves, how):
        for here, there in (halves, halves[::-1]):
            for name in here:
                host = self.grid.members[name].host
                getattr(host, how)(*[self.grid.members[other].host for other in there])

    def test_one_way(self):
        """Each does not hear the next one; all others hear both."""
        g = self.begin()
        since = time.time()
        pairs = list(zip(self.hosts, [*self.hosts[1:], self.hosts[0]]))
        for deaf, other in pairs[::2]:
            deaf.deafen(other)
        time.sleep(FAULT_S)  # so long it lasts
        for deaf, other in pairs[::2]:
            deaf.hear(other)
        self.all_alive()
        self.assertEqual(g.false_deaths(since), [])

    def test_loss(self):
        g = self.begin()
        since = time.time()
        for host in self.hosts:
            host.lose(0.3)
        time.sleep(1)  # so long it lasts
        for host in self.hosts:
            host.lose(0)
        time.sleep(FAULT_S)  # so long whoever is accused in vain may take to die
        self.all_alive()
        self.assertEqual(g.false_deaths(since), [])


if __name__ == "__main__":
    if hosts.able() is not None:
        print(f"skipped: {hosts.able()}")
        sys.exit(77)
    hosts.enter()
    faytest.main()
