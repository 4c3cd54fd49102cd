"""A cluster of Serf agents on loopback addresses, watched by what they log: the peer of the Grid's
bench. Profile lan, without encryption, as Serf is started where nothing is said."""
import subprocess
import time

from harness import need
from support.cluster import Cluster, Member, claim_network
from support.timeline import Late

PORT, RPC_PORT = 7946, 7373
START_S = 10
EVENTS = {b"EventMemberJoin: ": "alive", b"EventMemberFailed: ": "dead",
          b"EventMemberLeave: ": "left"}
USER = b"Received event: user-event: "


def version():
    """Of the package: `serf version` says that of the sources which were packaged."""
    told = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "serf"], capture_output=True,
                          text=True)
    return f"Serf {told.stdout.partition('~')[0]}" if told.returncode == 0 else "Serf"


class Serf(Cluster):
    def __init__(self, work, env):
        self.program = need("serf")
        prefix, self.claim = claim_network(PORT)
        super().__init__(work, env, prefix)

    def close(self):
        super().close()
        self.claim.close()

    def make(self, number):
        name = f"n{number}"
        return Member(name, f"{self.prefix}.{number}", self.work / name, self.env)

    def start(self, member, peer):
        address = member.address
        argv = [self.program, "agent", f"-node={member.name}", f"-bind={address}:{PORT}",
                f"-rpc-addr={address}:{RPC_PORT}", "-log-level=info", "-profile=lan"]
        if peer is not None:
            argv.append(f"-join={peer.address}:{PORT}")
        began = member.launch(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.timeline.add(member.name, member.process.stdout)
        return began

    def begin(self, seed, others, gap=0):
        """The seed, then the others: at once, or so many seconds apart. Gives the time just before
        these."""
        self.start(seed, None)
        if not self.timeline.wait(lambda: seed.name in self.timeline.views[seed.name], START_S):
            raise Late("the first Serf agent does not start")
        began = time.time()
        for number, member in enumerate(others):
            time.sleep(max(0, began + number * gap - time.time()))
            self.start(member, seed)
        return began

    def parse(self, line, now):
        for mark, state in EVENTS.items():
            at = line.find(mark)
            if at >= 0:
                return now, "member", line[at + len(mark):].split()[0].decode(), state
        at = line.find(USER)
        if at >= 0:
            return now, "user", None, line[at + len(USER):].split()[0].decode()
        return None

    def shout(self, member, name):
        """A user event. Gives the time just before its command is started."""
        began = time.time()
        done = subprocess.run([self.program, "event", "-coalesce=false",
                               f"-rpc-addr={member.address}:{RPC_PORT}", name], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Late(f"{member.name} takes no event: {done.stderr}")
        return began

    def watch(self, *members):
        """They are watched from their start on."""

    def unwatch(self):
        """Reading what is not said costs nothing."""
