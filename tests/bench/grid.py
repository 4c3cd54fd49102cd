"""Membership on real processes, over mutual TLS: how soon all know what has happened to one, and
what it costs when nothing happens. Beside Serf, in the same run, as far as Serf does the same.

All times are those at which members say they learnt it (Agents in their events, Serf in its log),
after the moment just before the process was started or the signal sent. A figure is the slowest
member's. All is in a network of its own, so that nobody else's packets are counted.

What has not happened in time is shown with the time that was waited, and a note says who missed it.
"""
import math
import pathlib
import random
import statistics
import time

import serf
from harness import Broken, LeftOut, Row
from support import grid as agents
from support import hosts
from support.timeline import Late

NODES = 100
STORM_S = 80
NOTICED_S = 30
HEARD_S = 5
HOSTS_MAX = 40  # more, each with six links, overflow the kernel's one table of ARP entries (1024)
GAP_S = 0.05  # between the starts of Serf agents that shall find each other
SETTLE_S = 5
HEADER_BYTES = {"tcp": 52, "udp": 28}  # of a packet, IP's included
PROBE_S = 0.25
LOSS, LOSS_S, WATCH_S, CUT_S = 0.3, 1, 15, 60

# name: what, unit, what is allowed
GOALS = {
    "storm": ("{n} started at once, all know all", "s", 5),
    "kill p50": ("kill -9, all list it dead, p50", "s", 0.7),
    "kill max": ("kill -9, all list it dead, max", "s", 1.5),
    "restart": ("restart, alive everywhere, max", "s", 1),
    "stop": ("SIGSTOP, all list it dead, max", "s", 7),
    "wake": ("SIGCONT, alive everywhere, max", "s", 1),
    "event p50": ("event to all, p50", "ms", None),
    "event p99": ("event to all, p99", "ms", 50),
    "join": ("join of one, all know, max", "s", 0.3),
    "cpu": ("CPU of an idle one", "%", 0.15),
    "pss": ("PSS of an idle one", "MiB", 5),
    "payload": ("payload sent by an idle one", "B/s", 1000),
    "half whole": ("half killed at once, one component", "s", 6),
    "half dead": ("half killed at once, all dead", "s", 10),
    "one left": ("all but one of 2 to 10 killed", "s", 10),
    "loss": ("false deaths, 30 % loss for 1 s", "", 0),
    "cuts": ("false deaths, 60 s of one-way cuts", "", 0),
}


class Sheet:
    """The figures of one kind of cluster, by name: (value, whether it was not so in time)."""

    def __init__(self, b, who):
        self.b, self.who = b, who
        self.figures = {}

    def put(self, name, value):
        self.figures[name] = value, False

    def times(self, limit, measure, *names_of):
        """`measure` gives a list of seconds; each (name, what to make of them)."""
        try:
            values = measure()
        except Late as why:
            for name, _ in names_of:
                self.figures[name] = limit, True
            self.b.note(f"{self.who}, {names_of[0][0]}: {why}")
            return
        for name, make in names_of:
            self.put(name, make(values))


def p99(values):
    return sorted(values)[math.ceil(len(values) * 0.99) - 1]


# ---- what is done to a cluster -----------------------------------------------------------------

def begin(b, sheet, cluster, count):
    """Gives the seed; None: they have not found each other."""
    seed, *others = cluster.add(count)
    since = cluster.begin(seed, others)
    time.sleep(GOALS["storm"][2])  # who is watched meanwhile shares the processors with watchers
    cluster.watch()
    sheet.times(STORM_S, lambda: [cluster.when_all_know_all(since, STORM_S)], ("storm", max))
    return None if sheet.figures["storm"][1] else seed


def victims(cluster, seed, count):
    return random.Random(count).sample([m for m in cluster.up() if m is not seed], count)


def kills(b, cluster, seed):
    """[(until all list it dead, until it is alive again everywhere) of each]"""
    found = []
    for victim in victims(cluster, seed, b.pick(10, 2)):
        since = cluster.kill(victim)
        dead = max(cluster.when_listed(victim.name, "dead", since, NOTICED_S))
        since = cluster.restart(victim, seed)
        found.append((dead, max(cluster.when_listed(victim.name, "alive", since, NOTICED_S))))
        cluster.watch(victim)
    return found


def stops(b, cluster, seed):
    found = []
    for victim in victims(cluster, seed, b.pick(3, 1)):
        since = cluster.freeze(victim)
        dead = max(cluster.when_listed(victim.name, "dead", since, NOTICED_S))
        since = cluster.wake(victim)
        found.append((dead, max(cluster.when_listed(victim.name, "alive", since, NOTICED_S))))
    return found


def events(b, cluster):
    chance = random.Random(1)
    found = []
    for number in range(b.pick(100, 5)):
        name = f"bench{number}"
        since = cluster.shout(chance.choice(cluster.up()), name)
        found.append(max(cluster.when_heard(name, since, HEARD_S)) * 1e3)
    return found


def joins(b, cluster, seed):
    found = []
    for member in cluster.add(b.pick(5, 1)):
        since = cluster.start(member, seed)
        found.append(max(cluster.when_listed(member.name, "alive", since, NOTICED_S)))
        cluster.watch(member)
    return found


def idle(b, sheet, cluster):
    cluster.unwatch()  # those who follow events are no part of the cluster
    time.sleep(b.pick(SETTLE_S, 1))
    members = cluster.up()
    before = sum(cpu_s(m.pid) for m in members), payload(), time.monotonic()
    time.sleep(b.pick(30, 3))
    after = sum(cpu_s(m.pid) for m in members), payload(), time.monotonic()
    cpu, sent, seconds = (b - a for a, b in zip(before, after))
    sheet.put("cpu", 100 * cpu / seconds / len(members))
    sheet.put("payload", sent / seconds / len(members))
    sheet.put("pss", statistics.mean(pss_mib(m.pid) for m in members))
    cluster.watch()


def cpu_s(pid):
    """Of all its threads."""
    return sum(int(path.read_text().split()[0])
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def pss_mib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def payload():
    """Bytes that were sent in this network so far, without the headers of their packets."""
    counters = {}
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        with open(path) as file:
            for names, values in zip(file, file):
                kind, *names = names.split()
                counters.update(zip((kind + name for name in names), values.split()[1:]))
    return (int(counters["IpExt:OutOctets"])
            - HEADER_BYTES["tcp"] * int(counters["Tcp:OutSegs"])
            - HEADER_BYTES["udp"] * int(counters["Udp:OutDatagrams"]))


def rest(b, sheet, cluster, seed):
    """All that is measured of ours and of Serf's once they know each other."""
    idle(b, sheet, cluster)
    cluster.wait_listed([member.name for member in cluster.up()], "alive", NOTICED_S)
    sheet.times(HEARD_S * 1e3, lambda: events(b, cluster),
                ("event p50", statistics.median), ("event p99", p99))
    sheet.times(NOTICED_S, lambda: kills(b, cluster, seed),
                ("kill p50", lambda found: statistics.median(dead for dead, _ in found)),
                ("kill max", lambda found: max(dead for dead, _ in found)),
                ("restart", lambda found: max(back for _, back in found)))
    sheet.times(NOTICED_S, lambda: stops(b, cluster, seed),
                ("stop", lambda found: max(dead for dead, _ in found)),
                ("wake", lambda found: max(back for _, back in found)))
    sheet.times(NOTICED_S, lambda: joins(b, cluster, seed), ("join", max))


# ---- ours --------------------------------------------------------------------------------------

def half(sheet, cluster):
    """Half of all are killed at once. It's one component again from the first event on that all
    who are left hear of, as of all later ones."""
    chance = random.Random(2)
    everybody = cluster.up()
    killed = chance.sample(everybody, len(everybody) // 2)
    names = [member.name for member in killed]
    since = cluster.kill(*killed)
    speaker = chance.choice(cluster.up())
    probes = []
    while time.time() < since + GOALS["half whole"][2] + 1:
        probes.append((f"probe{len(probes)}", time.time() - since))
        cluster.shout(speaker, probes[-1][0])
        time.sleep(PROBE_S)

    def dead():
        cluster.wait_listed(names, "dead", NOTICED_S)
        firsts = [cluster.timeline.firsts(name, "dead", since) for name in names]
        return [at - since for found in firsts for at in found.values()]

    def whole():
        cluster.when_heard(probes[-1][0], since, HEARD_S)
        at = probes[-1][1]
        for name, sent in reversed(probes):
            if set(cluster.observers()) - set(cluster.timeline.heard.get(name, {})):
                break
            at = sent
        return [at]

    sheet.times(NOTICED_S, dead, ("half dead", max))
    sheet.times(NOTICED_S, whole, ("half whole", max))


def one_left(b, sheet):
    """Grids of 2 to 10, of each all but one are killed at once."""
    some = []
    try:
        for count in range(2, 11):
            some.append(agents.Grid(b.work / f"few{count}", b.env))
            seed, *others = some[-1].add(count)
            some[-1].begin(seed, others)
            some[-1].watch(random.Random(count).choice(others))  # who will be left
        for one in some:
            one.wait_listed([m.name for m in one.up()], "alive", NOTICED_S)
        time.sleep(b.pick(SETTLE_S, 1))
        killed = [[m for m in one.up() if m.name not in one.timeline.views] for one in some]
        since = [one.kill(*members) for one, members in zip(some, killed)]

        def dead():
            return [max(one.when_listed(m.name, "dead", from_s, NOTICED_S))
                    for one, members, from_s in zip(some, killed, since) for m in members]

        sheet.times(NOTICED_S, dead, ("one left", max))
    finally:
        for one in some:
            one.close()


def faults(b, sheet, count):
    """Hosts whose packets are lost, then some that do not hear each other though others do."""
    if hosts.able() is not None:
        raise LeftOut(hosts.able())
    with hosts.Hosts(count) as some, agents.Grid(b.work / "hosts", b.env, some) as cluster:
        seed, *others = cluster.add(count)
        cluster.begin(seed, others)
        cluster.watch()
        cluster.wait_listed([m.name for m in cluster.up()], "alive", STORM_S)
        time.sleep(b.pick(SETTLE_S, 1))

        since = time.time()
        for _ in range(b.pick(3, 1)):
            for host in some:
                host.lose(LOSS)
            time.sleep(LOSS_S)
            for host in some:
                host.lose(0)
            time.sleep(b.pick(WATCH_S, 5))
        count_false(b, sheet, cluster, "loss", since)

        since = time.time()
        pairs = linked(cluster)
        if not pairs:
            raise Late("no Agent has a connection to another one")
        chosen = random.Random(3).sample(pairs, max(1, len(pairs) // 10))
        for deaf, other in chosen:
            deaf.host.deafen(other.host)
        time.sleep(b.pick(CUT_S, 10))
        for deaf, other in chosen:
            deaf.host.hear(other.host)
        time.sleep(b.pick(WATCH_S, 5))
        b.note(f"one-way cuts: of {len(pairs)} links, {len(chosen)} heard one way alone")
        count_false(b, sheet, cluster, "cuts", since)


def count_false(b, sheet, cluster, name, since):
    false = cluster.false_deaths(since)
    sheet.put(name, len({(entry.node, entry.observer) for entry in false}))
    for entry in false[:3]:
        b.note(f"{name}: {entry.observer} lists {entry.node} dead after {entry.at - since:.2f} s")


def linked(cluster):
    """Pairs of Agents with a connection between them, in an order that means nothing."""
    by_host = {member.address.partition(":")[0]: member for member in cluster.members.values()}
    found = set()
    for member in cluster.up():
        told = member.host.run("ss", "-Htn", "state", "established", capture_output=True, text=True)
        for line in told.stdout.splitlines():
            other = by_host.get(line.split()[3].rpartition(":")[0])
            if other is not None and other is not member:
                found.add(tuple(sorted((member.name, other.name))))
    return [(cluster.members[a], cluster.members[b]) for a, b in sorted(found)]


# ---- the table ---------------------------------------------------------------------------------

def measure_serf(b, count):
    sheet = Sheet(b, serf.version())
    with serf.Serf(b.work / "serf", b.env) as cluster:
        seed = begin(b, sheet, cluster, count)
        if seed is not None:
            rest(b, sheet, cluster, seed)
            return sheet
    with serf.Serf(b.work / "serf-apart", b.env) as cluster:
        seed, *others = cluster.add(count)
        cluster.begin(seed, others, GAP_S)
        cluster.wait_listed([member.name for member in cluster.up()], "alive", STORM_S)
        rest(b, sheet, cluster, seed)
    return sheet


def measure_ours(b, count, sheet):
    """Stops after each part, so that its rows are printed."""
    with agents.Grid(b.work / "grid", b.env) as cluster:
        seed = begin(b, sheet, cluster, count)
        yield
        if seed is None:
            raise Broken("the Agents have not found each other")
        rest(b, sheet, cluster, seed)
        yield
        half(sheet, cluster)
        yield
    one_left(b, sheet)
    yield
    faults(b, sheet, min(count, HOSTS_MAX))
    yield


def rows_of(name, count, ours, peer):
    what, unit, allowed = GOALS[name]
    what, value = what.format(n=count), ours.figures[name][0]
    if allowed is not None:
        ratio, goal = (value / allowed, 1.0) if allowed > 0 else (value, 0.0)
        yield Row(what, value, allowed, unit, "is allowed", ("<=", goal), ratio)
    if peer is not None and name in peer.figures:
        other, late = peer.figures[name]
        yield Row(what, value, other, unit, f"{peer.who}{', and not yet' if late else ''}")


def grid(b):
    count = b.nodes or b.pick(NODES, 5)
    ours, peer, shown = Sheet(b, "ours"), None, set()
    try:
        peer = measure_serf(b, count)
    except (LeftOut, Late) as why:
        b.note(f"left out: Serf: {why}")
    try:
        for _ in measure_ours(b, count, ours):
            for name in GOALS:
                if name in ours.figures and name not in shown:
                    shown.add(name)
                    yield from rows_of(name, count, ours, peer)
    except Late as why:
        raise Broken(str(why)) from None
