"""A cluster of real processes on this machine that find each other: started, killed, stopped, woken
and watched through a Timeline. What is the same for all kinds of them; grid.py has those of ours.

Each process is ended with the one that has started it, whatever happens to that.
"""
import math
import random
import signal
import socket
import subprocess
import time

from support.timeline import Late, Timeline

TOGETHER = ["setpriv", "--pdeathsig", "KILL", "--"]  # ends with us
MEMBERS_MAX = 250  # a /24 of addresses


def claim_network(port):
    """A /24 of loopback addresses that nobody else uses: its prefix, and the socket that says so
    while it is open."""
    for _ in range(1000):
        prefix = f"127.{random.randrange(1, 255)}.{random.randrange(255)}"
        holder = socket.socket()
        try:
            holder.bind((f"{prefix}.254", port))
        except OSError:
            holder.close()
            continue
        return prefix, holder
    raise RuntimeError("no free network of loopback addresses")


class Member:
    """One process. Signals go to what was started here, never to a later process of its number."""

    def __init__(self, name, address, place, env, host=None):
        self.name, self.address, self.place, self.env, self.host = name, address, place, env, host
        self.process = None
        place.mkdir(parents=True, exist_ok=True)

    def launch(self, argv, **streams):
        """Gives the time just before."""
        inside = [] if self.host is None else self.host.inside
        began = time.time()
        self.process = subprocess.Popen([*inside, *TOGETHER, *map(str, argv)], cwd=self.place,
                                        env=self.env, stdin=subprocess.DEVNULL, **streams)
        return began

    @property
    def pid(self):
        return self.process.pid

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        """Gives the time just before."""
        at = time.time()
        self.process.send_signal(number)
        return at

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()


class Cluster:
    """Subclasses have: parse(line, now), make(number), start(member, peer) -> when, and
    shout(member, name) -> when. Members are watched while they are in timeline.views."""

    def __init__(self, work, env, prefix):
        self.work, self.env, self.prefix = work, env, prefix
        self.members = {}
        self.harm = []  # [name, since when it is killed or stopped, until when]
        self.timeline = Timeline(self.parse)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for member in self.members.values():
            member.end()
        self.timeline.close()

    def add(self, count):
        made = [self.make(len(self.members) + n + 1) for n in range(count)]
        self.members.update((member.name, member) for member in made)
        if len(self.members) > MEMBERS_MAX:
            raise ValueError(f"more than {MEMBERS_MAX} members")
        return made

    # ---- what happens to members ---------------------------------------------------------------

    def kill(self, *members):
        """Gives the time just before the first."""
        began = time.time()
        for member in members:
            self.harmed(member, member.signal(signal.SIGKILL))
        for member in members:
            member.process.wait()
            self.timeline.drop(member.name)
        return began

    def freeze(self, member):
        return self.harmed(member, member.signal(signal.SIGSTOP))

    def wake(self, member):
        return self.healed(member, member.signal(signal.SIGCONT))

    def restart(self, member, peer):
        return self.healed(member, self.start(member, peer))

    def harmed(self, member, at):
        self.harm.append([member.name, at, math.inf])
        return at

    def healed(self, member, at):
        for harm in self.harm:
            if harm[0] == member.name and harm[2] == math.inf:
                harm[2] = at
        return at

    def is_down(self, name, at=None):
        at = time.time() if at is None else at
        return any(harmed == name and since <= at < until for harmed, since, until in self.harm)

    # ---- what they list ------------------------------------------------------------------------

    def up(self):
        return [member for member in self.members.values()
                if member.is_up() and not self.is_down(member.name)]

    def observers(self, but=()):
        """Those that are watched, not harmed, and not of these."""
        return [name for name in self.timeline.views if not self.is_down(name) and name not in but]

    def unlisted(self, nodes, state, by=None):
        """(observer, node) of each that does not list that one so; by these, or by all."""
        return [(observer, node) for observer in by or self.observers() for node in nodes
                if node != observer and self.timeline.views[observer].get(node) != state]

    def wait_listed(self, nodes, state, limit, by=None):
        """Until each that is watched lists them so, but itself."""
        if not self.timeline.wait(lambda: not self.unlisted(nodes, state, by), limit):
            missing = self.unlisted(nodes, state, by)
            some = ", ".join(f"{observer}: {node} is {self.timeline.views[observer].get(node)}"
                             for observer, node in missing[:5])
            raise Late(f"after {limit:g} s {len(missing)} of "
                       f"{len(by or self.observers()) * len(nodes)} do not list {state} what is: "
                       f"{some}")

    def when_listed(self, node, state, since, limit):
        """Waits likewise; gives how many seconds after `since` each of them has first done so."""
        self.wait_listed([node], state, limit)
        found = self.timeline.firsts(node, state, since)
        return [found[observer] - since for observer in self.observers(but=[node])]

    def when_all_know_all(self, since, limit):
        """Seconds after `since` until the last has heard of the last."""
        nodes = [member.name for member in self.up()]
        self.wait_listed(nodes, "alive", limit)
        firsts = [self.timeline.firsts(node, "alive", since) for node in nodes]
        return max(at for found in firsts for at in found.values()) - since

    def when_heard(self, name, since, limit):
        """Seconds until each has heard of a user event."""
        def missing():
            return [observer for observer in self.observers()
                    if observer not in self.timeline.heard.get(name, {})]

        if not self.timeline.wait(lambda: not missing(), limit):
            raise Late(f"after {limit:g} s {len(missing())} of {len(self.observers())} have not "
                       f"heard {name}: {' '.join(missing()[:10])}")
        heard = self.timeline.heard[name]
        return [heard[observer] - since for observer in self.observers()]

    def false_deaths(self, since):
        """Entries that call dead who is not down."""
        with self.timeline.news:
            return [entry for entry in self.timeline.entries
                    if entry.event == "member" and entry.what == "dead" and entry.at >= since
                    and not self.is_down(entry.node, entry.at)]
