#!/usr/bin/env python3
"""A Grid of ten Agents that is not left in peace: members are killed, stopped, woken and started
again, strangers knock, certificates are read again, everybody is asked and told things. For builds
with sanitizers: in the end each Agent must say BYE and end with 0, none may have grown descriptors,
and none may have been taken for dead that was not.

    FAYMORA=build/asan/faymora tests/soak/grid.py [SECONDS]     300 unless said
"""
import os
import pathlib
import random
import signal
import socket
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support import grid  # noqa: E402

AGENTS = 10
LIMIT_S = 120
GRACE_S = 3  # who wakes as he is taken for dead needs a moment to refute it
DESCRIPTORS_MORE = 16  # links differ from time to time


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


class Soak:
    def __init__(self, g, seed):
        self.g, self.prng = g, random.Random(seed)

    def some(self):
        return self.prng.choice(self.g.up())

    def kill_and_restart(self):
        agent, peer = self.some(), self.some()
        if agent is peer:
            return
        self.g.kill(agent)
        time.sleep(self.prng.random() * 3)
        self.g.restart(agent, peer)
        self.g.wait_ready([agent])

    def stop_and_wake(self):
        agent = self.some()
        self.g.freeze(agent)
        time.sleep(self.prng.random() * 9)
        self.g.wake(agent)

    def stranger(self):
        host, port = self.some().address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as knock:
            knock.sendall(self.prng.choice([b"", b"f", b"GET / HTTP/1.0\r\n\r\n",
                                            b"faymora\x01\x01" + bytes(23),
                                            self.prng.randbytes(500)]))
            time.sleep(self.prng.random() / 10)

    def ask(self):
        self.some().call(*self.prng.choice([["nodes"], ["doctor"], ["event", "x", "y"],
                                            ["weight", self.some().name, "2"]]))

    def reload(self):
        self.some().signal(signal.SIGHUP)

    def one(self):
        self.prng.choice([self.kill_and_restart, self.stop_and_wake, self.stranger, self.stranger,
                          self.ask, self.ask, self.reload])()


def problems(g, since):
    for agent in g.members.values():
        if "Sanitizer" in agent.said() or "runtime error" in agent.said():
            yield f"{agent.name}: {agent.said()[-3000:]}"
    for entry in g.false_deaths(since):
        if not any(name == entry.node and begin <= entry.at < end + GRACE_S
                   for name, begin, end in g.harm):
            yield f"{entry.observer} took {entry.node} for dead, and it was not"


def end_all(g):
    for agent in g.up():
        agent.signal(signal.SIGTERM)
    for agent in g.up():
        code = agent.process.wait(LIMIT_S)
        if code != 0:
            yield f"{agent.name} ended with {code}: {agent.said()[-3000:]}"


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(os.environ.get("SOAK_SEED", random.randrange(1 << 30)))
    print(f"SOAK_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as work, grid.Grid(work) as g:
        first, *others = g.add(AGENTS)
        g.begin(first, others)
        g.watch()
        names = list(g.members)
        g.wait_listed(names, "alive", LIMIT_S)
        since, before = time.time(), {a.name: descriptors(a) for a in g.up()}
        soak, turns = Soak(g, seed), 0
        while time.time() < since + seconds:
            soak.one()
            turns += 1
        g.watch()
        g.wait_listed(names, "alive", LIMIT_S)
        time.sleep(10)  # links that nobody wishes any more are closed by then
        wrong = [f"{a.name}: {before[a.name]} descriptors, then {descriptors(a)}" for a in g.up()
                 if descriptors(a) > before[a.name] + DESCRIPTORS_MORE]
        wrong += [*end_all(g), *problems(g, since)]
    print("\n".join(wrong) or f"{turns} things have happened in {seconds:g} s: clean")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
