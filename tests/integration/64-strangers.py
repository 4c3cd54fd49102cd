#!/usr/bin/env python3
"""Whoever is not of the Grid is refused, whatever he sends, and the Grid does not feel it: noise,
thousands that say nothing, old protocols, certificates of nobody, of another CA, of yesterday, and
revoked ones."""
import os
import pathlib
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import faytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from support import grid  # noqa: E402

AGENTS = 5
LIMIT_S = faytest.LIMIT_S
NOISE, IDLE, STALLED = 10000, 1000, 200
PARKED_MAX = 256  # silent ones that an Agent keeps
PREAMBLE = b"faymora" + bytes([1, 1]) + bytes(7 + 16)  # for the Node that listens
SOON_S = 20


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


class Strangers(faytest.Case):
    def setUp(self):
        super().setUp()
        self.grid = g = grid.Grid(self.work, self.env)
        self.addCleanup(g.close)
        self.first, *self.others = g.add(AGENTS)
        self.first.tls = g.authority.directory  # it holds the CA
        g.begin(self.first, self.others)
        g.watch()
        g.wait_listed(list(g.members), "alive", LIMIT_S)
        self.target = self.others[0]
        self.before = {agent.name: descriptors(agent) for agent in g.up()}

    def undisturbed(self):
        """The Grid is as it was: nobody was called dead, and a newcomer is welcome."""
        g = self.grid
        self.assertEqual(g.false_deaths(0), [])
        newcomer, = g.add(1)
        g.start(newcomer, self.target)
        g.wait_listed([newcomer.name], "alive", LIMIT_S)
        g.harmed(newcomer, newcomer.signal(signal.SIGTERM))
        g.wait_listed([newcomer.name], "left", LIMIT_S)
        for agent in self.others:
            faytest.wait_for(lambda: descriptors(agent) <= self.before[agent.name] + 16,
                             f"{agent.name} to close what is open", LIMIT_S)
        self.assertEqual(g.false_deaths(0), [])

    def connect(self):
        host, port = self.target.address.split(":")
        return socket.create_connection((host, int(port)), timeout=SOON_S)

    # ---- no TLS ---------------------------------------------------------------------------------

    def test_noise(self):
        for number in range(NOISE):
            with self.connect() as stranger:
                bytes_ = self.random.randbytes(self.random.randrange(1, 300))
                stranger.sendall(PREAMBLE + bytes_ if number % 2 else bytes_)
                stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.undisturbed()

    def test_who_says_nothing(self):
        silent = [self.connect() for _ in range(IDLE)]
        try:
            self.undisturbed()
            watched = select.poll()
            for stranger in silent:
                watched.register(stranger, select.POLLIN)
            faytest.wait_for(lambda: len(watched.poll(0)) >= IDLE - PARKED_MAX,
                             "the oldest silent ones to be closed")
        finally:
            for stranger in silent:
                stranger.close()

    def test_who_stalls_in_the_handshake(self):
        """A ClientHello, and then nothing."""
        stalled = []
        try:
            for _ in range(STALLED):
                stranger = self.connect()
                stalled.append(stranger)
                to_peer = ssl.MemoryBIO()
                half = ssl.create_default_context()
                tls = half.wrap_bio(ssl.MemoryBIO(), to_peer, server_hostname="x")
                with self.assertRaises(ssl.SSLWantReadError):
                    tls.do_handshake()
                stranger.sendall(PREAMBLE + to_peer.read())
            self.undisturbed()
        finally:
            for stranger in stalled:
                stranger.close()

    # ---- TLS ------------------------------------------------------------------------------------

    def hear(self, certificate=None, key=None, latest=None):
        """What an Agent says to who shows this, through TLS: b"" when it refuses him."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if latest is not None:
            context.maximum_version = latest
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        with self.connect() as stranger:
            stranger.sendall(PREAMBLE)
            try:
                with context.wrap_socket(stranger) as tls:
                    return tls.recv(1)
            except (ssl.SSLError, ConnectionError):
                return b""

    def issue(self, name, start, end):
        """A certificate of our own CA, with those dates."""
        ca = self.grid.authority.directory
        self.write("ext", "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
                   f"subjectAltName=URI:faymora:node:{name},URI:faymora:role:agent\n")
        self.write("index", "")
        self.write("serial", "01\n")
        self.write("ca.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\n"
                   "new_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-cert", ca / "ca.pem",
                "-keyfile", ca / "ca-key.pem", "-extfile", "ext", "-notext", "-out",
                f"{name}.pem", "-startdate", start, "-enddate", end)
        return f"{name}.pem", f"{name}.key"

    def test_certificates(self):
        own = self.grid.authority.host("own")
        self.assertNotEqual(self.hear(own / "cert.pem", own / "key.pem"), b"", "ours is welcome")
        good = self.issue("good", "20200101000000Z", "20990101000000Z")
        self.assertNotEqual(self.hear(*good), b"", "ours is welcome, whoever has made it")

        self.assertEqual(self.hear(), b"", "without a certificate")
        self.assertEqual(self.hear(own / "cert.pem", own / "key.pem", ssl.TLSVersion.TLSv1_2), b"",
                         "TLS 1.2")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "self.key", "-out", "self.pem", "-subj", "/CN=n2", "-days", "9")
        self.assertEqual(self.hear("self.pem", "self.key"), b"", "self-signed")
        self.assertEqual(self.hear(*self.issue("old", "20200101000000Z", "20200201000000Z")), b"",
                         "expired")
        self.assertEqual(self.hear(*self.issue("new", "20980101000000Z", "20990101000000Z")), b"",
                         "not valid yet")
        other = grid.Authority(self.work / "other", self.grid.env)
        theirs = other.host("n2")
        self.assertEqual(self.hear(theirs / "cert.pem", theirs / "key.pem"), b"", "another CA's")
        self.undisturbed()

    def test_an_agent_of_another_grid(self):
        """It is of the same name, and dials ours again and again."""
        with grid.Grid(self.work / "theirs", self.env) as theirs:
            stranger, = theirs.add(1)
            theirs.start(stranger, self.target)
            theirs.wait_ready([stranger])
            faytest.wait_for(lambda: "another grid" in stranger.said(), "it to be told why")
            self.assertEqual(stranger.nodes(), {stranger.name: "alive"})
            done = self.target.call("nodes", "--grid", self.target.address, "--tls-dir",
                                    theirs.authority.directory)
            self.assertEqual(done.returncode, 4, done)
            self.assertIn("hint: ", done.stderr)
        self.undisturbed()

    # ---- roles ----------------------------------------------------------------------------------

    def test_what_roles_may(self):
        """The table of docs/SECURITY.md."""
        look = (["nodes"], ["events"], ["doctor"])
        steer = (["event", "x"], ["weight", self.target.name, "2"])
        for role, steers in (("observer", False), ("client", True), ("node", False),
                             ("agent", True)):
            tls = self.grid.authority.host(role, "--role", role)
            for words, may in [(words, True) for words in look] + [(w, steers) for w in steer]:
                done = self.run_faymora(*words, "--grid", self.others[1].address, "--tls-dir", tls,
                                        env=grid.clean(self.env))
                if words != ["doctor"]:  # it also finds fault with this machine
                    self.assertEqual(done.code, 0 if may else 4, (role, words, str(done)))
                self.assertEqual(f"its role is {role}" in done.err, not may, (role, words, done))

    def test_who_is_no_member(self):
        """A Node whose certificate is none of a Node's is not told of, and not listed."""
        g = self.grid
        one, = g.add(1)
        one.tls = g.authority.host("looker", "--role", "client")
        one.verb = "node"
        g.start(one, self.target)
        faymoras = [agent for agent in g.up() if agent is not one]
        faytest.wait_for(lambda: not one.is_up() or "role" in one.said(), "it to be told why")
        for agent in faymoras:
            self.assertNotIn(one.name, agent.nodes())

    # ---- revoked --------------------------------------------------------------------------------

    def test_a_revoked_one_is_put_out(self):
        g = self.grid
        out = self.others[2]
        tls = g.authority.directory / "hosts" / out.name
        shown = tls / "cert.pem", tls / "key.pem"
        self.assertNotEqual(self.hear(*shown), b"")
        g.harmed(out, time.time())
        g.timeline.drop(out.name)
        g.authority.call("revoke", out.name)  # where the CA is a Node sees the list, and tells it
        g.wait_listed([out.name], "left", LIMIT_S)
        faytest.wait_for(lambda: self.hear(*shown) == b"", "it to be refused everywhere")
        self.undisturbed()


if __name__ == "__main__":
    faytest.main()
