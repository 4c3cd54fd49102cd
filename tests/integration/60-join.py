#!/usr/bin/env python3
"""A Grid of two machines in three commands, as the README has them: cert init, agent, and the
line that this agent prints, on the other machine. Tokens: good once, of this Grid alone, relayed to
where the CA is. Certificates that are due are renewed."""
import datetime
import json
import os
import pathlib
import pty
import re
import subprocess
import sys

import faytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support import hosts  # noqa: E402
from support.cluster import TOGETHER  # noqa: E402

LIMIT_S = faytest.LIMIT_S


class Machine:
    """A host with a home of its own."""

    def __init__(self, host, work, env):
        self.host, self.home = host, work / f"home{host.number}"
        self.home.mkdir()
        self.env = dict(env, HOME=str(self.home), XDG_STATE_HOME=str(self.home / "state"),
                        XDG_RUNTIME_DIR=str(self.home))
        self.running = []

    def argv(self, *args):
        return [*self.host.inside, *TOGETHER, faytest.FAYMORA, *args]

    def run(self, *args):
        return subprocess.run(self.argv(*args), env=self.env, cwd=self.home, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S)

    def start(self, *args, **streams):
        process = subprocess.Popen(self.argv(*args), env=self.env, cwd=self.home,
                                   stdin=subprocess.DEVNULL, **streams)
        self.running.append(process)
        return process

    def on_terminal(self, *args):
        """Starts it with a terminal as its stderr; what it says comes from the descriptor."""
        ours, its = pty.openpty()
        self.start(*args, stderr=its)
        os.close(its)
        return ours

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()


class Join(faytest.Case):
    def machines(self, count):
        place = hosts.Hosts(count)
        self.addCleanup(place.close)
        made = [Machine(host, self.work, self.env) for host in place.list]
        for machine in made:
            self.addCleanup(machine.end)
        return made

    def read_until(self, fd, pattern):
        text = ""
        while True:
            found = re.search(pattern, text)
            if found:
                return found
            text += os.read(fd, 4096).decode()

    def alive(self, machine):
        done = machine.run("nodes", "--json")
        if done.returncode != 0:
            return None
        return sorted(node["name"] for node in json.loads(done.stdout)["nodes"]
                      if node["state"] == "alive")

    def wait_alive(self, machine, names):
        faytest.wait_for(lambda: self.alive(machine) == names, f"{names} alive")

    def begin(self, machine):
        """The first machine: its Agent, and the line for the next one."""
        done = machine.run("cert", "init")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = machine.on_terminal("agent", "--name", "a")
        self.addCleanup(os.close, said)
        return self.read_until(said, r"faymora (agent --peer \S+ --join \S+)").group(1).split()

    def test_three_commands(self):
        a, b = self.machines(2)
        line = self.begin(a)
        b.start(*line, "--name", "b", stderr=subprocess.DEVNULL)
        self.wait_alive(a, ["a", "b"])
        self.wait_alive(b, ["a", "b"])
        for name in ("key.pem", "cert.pem", "ca.pem"):
            file = b.home / ".config/faymora/tls" / name
            self.assertTrue(file.is_file(), name)
        self.assertEqual((b.home / ".config/faymora/tls/key.pem").stat().st_mode & 0o777, 0o600)

    def test_a_token_is_good_once(self):
        a, b, c = self.machines(3)
        line = self.begin(a)
        b.start(*line, "--name", "b", stderr=subprocess.DEVNULL)
        self.wait_alive(b, ["a", "b"])
        done = c.run(*line, "--name", "c")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("the Grid refuses: ", done.stderr)
        self.assertFalse((c.home / ".config/faymora/tls/ca.pem").exists())

    def test_a_token_of_another_grid(self):
        a, b = self.machines(2)
        line = self.begin(a)
        self.assertEqual(b.run("cert", "init", "--tls-dir", "other").returncode, 0)
        token = b.run("cert", "token", "--tls-dir", "other").stdout.strip()
        done = b.run("agent", "--name", "b", "--peer", line[2], "--join", token)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("not the one of the token", done.stderr)

    def test_members_relay(self):
        """c knows b alone, and the CA is at a; with a away, who it is is said."""
        a, b, c = self.machines(3)
        line = self.begin(a)
        b.start(*line, "--name", "b", stderr=subprocess.DEVNULL)
        self.wait_alive(b, ["a", "b"])
        token = a.run("cert", "token", "--uses", "2").stdout.strip()
        peer = f"{b.host.address}:7331"
        c.start("agent", "--name", "c", "--peer", peer, "--join", token,
                stderr=subprocess.DEVNULL)
        self.wait_alive(c, ["a", "b", "c"])
        a.end()
        self.wait_alive(b, ["b", "c"])
        done = c.run("agent", "--name", "d", "--peer", peer, "--join", token, "--tls-dir", "new",
                     "--listen", f"{c.host.address}:7332")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("the CA holder a is away", done.stderr)

    def shorten(self, machine, authority):
        """Its certificate ends in ten days, of a year: the same key, signed by the CA once more."""
        tls, ca = machine.home / ".config/faymora/tls", authority.home / ".config/faymora/tls"
        day = datetime.timedelta(days=1)
        begin, end = (f"{datetime.datetime.utcnow() + days * day:%y%m%d%H%M%SZ}"
                      for days in (-355, 10))
        (machine.home / "ca.cnf").write_text(
            "[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
            "policy=p\ndefault_md=sha256\nx509_extensions=e\n[p]\ncommonName=supplied\n"
            "[e]\nsubjectAltName=URI:faymora:node:b,URI:faymora:role:agent,"
            "URI:faymora:role:node\nextendedKeyUsage=serverAuth,clientAuth\n")
        script = (f": >index; openssl rand -hex 8 >serial; "
                  f"openssl req -new -key {tls}/key.pem -subj /CN=b -out b.csr && "
                  f"openssl ca -batch -config ca.cnf -cert {ca}/ca.pem -keyfile {ca}/ca-key.pem "
                  f"-startdate {begin} -enddate {end} -notext -in b.csr -out {tls}/cert.pem")
        subprocess.run(["sh", "-c", script], cwd=machine.home, check=True, capture_output=True)

    def days_left(self, machine):
        done = machine.run("cert", "show", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        certificates = json.loads(done.stdout)["certificates"]
        return next(c["days_left"] for c in certificates if c["file"].endswith("/cert.pem"))

    def test_renewal(self):
        """By the CA's Node; and who joins later believes the new one."""
        a, b, c = self.machines(3)
        line = self.begin(a)
        b.start(*line, "--name", "b", stderr=subprocess.DEVNULL)
        self.wait_alive(b, ["a", "b"])
        peers = b.home / "state/faymora/b/peers"
        faytest.wait_for(lambda: peers.is_file(), "that b keeps where the Grid is")
        b.end()
        self.shorten(b, a)
        self.assertLess(self.days_left(b), 11)
        b.start("agent", "--name", "b", stderr=subprocess.DEVNULL)  # it knows where the Grid is
        faytest.wait_for(lambda: self.days_left(b) > 300, "a certificate for another year")
        token = a.run("cert", "token").stdout.strip()
        c.start("agent", "--name", "c", "--peer", f"{b.host.address}:7331", "--join", token,
                stderr=subprocess.DEVNULL)
        self.wait_alive(c, ["a", "b", "c"])


if __name__ == "__main__":
    if hosts.able() is not None:
        print(f"skipped: {hosts.able()}")
        sys.exit(77)
    hosts.enter()
    faytest.main()
