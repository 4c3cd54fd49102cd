"""A Grid of real Agents on this machine, over mutual TLS, and what each of them tells.

    with grid.Grid(work) as g:
        n1, *others = g.add(20)
        g.begin(n1, others)                       others find the Grid by n1
        g.watch()                                 `faymora events -f --json` of each
        g.wait_listed([a.name for a in g.up()], "alive", limit=30)
        since = g.kill(others[3])
        print(max(g.when_listed(others[3].name, "dead", since, limit=10)))

FAYMORA names the program. Each Agent has a loopback address, or a host (hosts.py), a key and a
certificate, and a directory with its state, its control socket and its log.
"""
import datetime
import json
import os
import pathlib
import socket
import subprocess
import time

from support.cluster import TOGETHER, Cluster, Member, claim_network
from support.timeline import Late

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FAYMORA = os.environ.get("FAYMORA", str(SOURCE / "build/release/faymora"))
PORT = 7331
CALL_S = 30


def clean(env):
    """Whatever is set around us must not change what is tried."""
    return {name: value for name, value in env.items()
            if not name.startswith(("FAYMORA", "RAKTR")) and name != "XDG_RUNTIME_DIR"}


class Authority:
    """A CA in a directory, and identities of it."""

    def __init__(self, directory, env):
        self.directory, self.env = pathlib.Path(directory), env
        self.call("init", "--name", "ca")

    def call(self, *args):
        subprocess.run([FAYMORA, "cert", *args, "--tls-dir", self.directory, "-q"], check=True,
                       env=self.env, stdin=subprocess.DEVNULL)

    def host(self, name, *more):
        """The directory of its identity."""
        self.call("host", name, *more)
        return self.directory / "hosts" / name


class Agent(Member):
    """`verb`: agent or node. `flags`: more of its own."""

    def __init__(self, name, address, place, env, tls, host=None, verb="agent", flags=()):
        super().__init__(name, f"{address}:{PORT}", place, env, host)
        self.tls, self.verb, self.flags = tls, verb, list(flags)
        self.log = place / "log"
        self.watcher = None

    def start(self, *peers):
        peers = [word for peer in peers for word in ("--peer", peer.address)]
        with open(self.log, "ab") as log:
            return self.launch([FAYMORA, self.verb, "--name", self.name, "--listen", self.address,
                                *peers, "--tls-dir", self.tls, "--state-dir", self.place,
                                *self.flags], stdout=log, stderr=log)

    def call(self, *args, limit=CALL_S):
        """`faymora ARGS`, asked of this Agent by its control socket."""
        return subprocess.run([FAYMORA, *map(str, args)], env=self.near(), cwd=self.place,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=limit)

    def near(self):
        return {**self.env, "FAYMORA_STATE_DIR": str(self.place)}

    def is_ready(self):
        """Whether its control socket is there, and not only that of an earlier life."""
        with socket.socket(socket.AF_UNIX) as control:
            try:
                control.connect(str(self.place / f"{self.name}.sock"))
            except OSError:
                return False
        return True

    def nodes(self):
        """{name: state} as it lists them; None: it does not answer."""
        done = self.call("nodes", "--json")
        if done.returncode != 0:
            return None
        return {node["name"]: node["state"] for node in json.loads(done.stdout)["nodes"]}

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def end(self):
        super().end()
        self.unwatch()

    def unwatch(self):
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher.wait()
            self.watcher = None


class Grid(Cluster):
    """`hosts`: where the Agents live, one each; else on loopback addresses."""

    def __init__(self, work, env=None, hosts=None, authority=None):
        env = clean(os.environ if env is None else env)
        self.claim = None
        if hosts is None:
            prefix, self.claim = claim_network(PORT)
        super().__init__(pathlib.Path(work), env, None if hosts is not None else prefix)
        self.hosts = hosts
        self.authority = authority or Authority(self.work / "tls", env)

    def close(self):
        super().close()
        if self.claim is not None:
            self.claim.close()

    def make(self, number):
        name = f"n{number}"
        host = None if self.hosts is None else self.hosts[number - 1]
        address = f"{self.prefix}.{number}" if host is None else host.address
        tls = self.authority.host(name)
        return Agent(name, address, self.work / name, self.env, tls, host)

    def start(self, agent, peer):
        return agent.start(*[peer] if peer is not None else [])

    def begin(self, seed, others, limit=CALL_S):
        """The seed, and when it is ready the others, all at once. Gives the time just before
        these."""
        seed.start()
        self.wait_ready([seed], limit)
        began = time.time()
        for agent in others:
            agent.start(seed)
        return began

    def wait_ready(self, agents, limit=CALL_S):
        end = time.monotonic() + limit
        for agent in agents:
            while not agent.is_ready():
                if not agent.is_up() or time.monotonic() > end:
                    raise Late(f"{agent.name} is not ready: {agent.said()[-2000:]}")
                time.sleep(0.01)

    # ---- what they tell ------------------------------------------------------------------------

    def watch(self, *agents):
        """Follows the events of these, or of all that are up, from their first one on."""
        agents = agents or self.up()
        self.wait_ready(agents)
        for agent in agents:
            agent.unwatch()
            with open(agent.log, "ab") as log:
                agent.watcher = subprocess.Popen(
                    [*TOGETHER, FAYMORA, "events", "-f", "--json", "--since", "1d"],
                    env=agent.near(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
            self.timeline.add(agent.name, agent.watcher.stdout)

    def unwatch(self):
        for agent in self.members.values():
            agent.unwatch()
            self.timeline.drop(agent.name)

    def parse(self, line, now):
        told = json.loads(line)
        if told["event"] not in ("member", "user"):
            return None
        what = told["state" if told["event"] == "member" else "name"]
        return seconds_of(told["time"]), told["event"], told["node"], what

    def shout(self, agent, name):
        """A user event. Gives the time just before its command is started."""
        began = time.time()
        done = agent.call("event", name)
        if done.returncode != 0:
            raise Late(f"{agent.name} takes no event: {done.stderr}")
        return began


def seconds_of(text):
    """2026-11-24T21:13:00.123456Z, since 1970"""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
