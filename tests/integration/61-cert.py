#!/usr/bin/env python3
"""faymora cert: CAs and identities in a directory; what is made, refused, shown, revoked."""
import json
import os
import re
import resource
import signal
import socket
import ssl
import stat
import subprocess
import threading

import faytest

EXT = "basicConstraints=CA:FALSE\n"
TWINS = ["CA", "DIR"] + [f"{side}_{part}" for side in ("SERVER", "CLIENT")
                         for part in ("CERTIFICATE", "PRIVATE_KEY", "PUBLIC_KEY")]


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


class Cert(faytest.Case):
    def setUp(self):
        super().setUp()
        for name in TWINS:
            self.env.pop(f"FAYMORA_TLS_{name}", None)
            self.env.pop(f"RAKTR_TLS_{name}", None)
        self.env.pop("XDG_CONFIG_HOME", None)
        self.env["HOME"] = str(self.work)

    def cert(self, *args, code=0, **more):
        done = self.run_faymora("cert", *args, **more)
        self.assertEqual(done.code, code, done)
        return done

    def init(self, directory="D", *args):
        self.cert("init", "--tls-dir", directory, "--name", "a", *args)

    def show(self, *args, **more):
        return json.loads(self.cert("show", "--json", *args, **more).out)

    def mode(self, path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def corp(self):
        """A PKI of plain openssl: RSA, without any URI."""
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "corp.key", "-out",
                "corp.pem", "-subj", "/CN=corp", "-days", "100")
        self.sign("s")
        self.sign("c", "extendedKeyUsage=clientAuth\n")

    def sign(self, name, extensions="extendedKeyUsage=serverAuth\n", start=None, end=None):
        """With dates as YYYYMMDDHHMMSSZ, if the default 30 days from now will not do."""
        self.write("ext", EXT + extensions)
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        openssl("pkey", "-in", f"{name}.key", "-pubout", "-out", f"{name}.pub")
        os.chmod(f"{name}.key", 0o600)
        if start is None:
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "corp.pem", "-CAkey", "corp.key",
                    "-extfile", "ext", "-out", f"{name}.pem", "-days", "40")
            return
        self.write("index", "")
        self.write("serial", "01\n")
        self.write("ca.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\n"
                   "new_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-cert", "corp.pem",
                "-keyfile", "corp.key", "-extfile", "ext", "-notext", "-out", f"{name}.pem",
                "-startdate", start, "-enddate", end)

    def variables(self, prefix="FAYMORA", **change):
        values = {"CA": "corp.pem", "SERVER_CERTIFICATE": "s.pem", "SERVER_PRIVATE_KEY": "s.key",
                  "SERVER_PUBLIC_KEY": "s.pub", "CLIENT_CERTIFICATE": "c.pem",
                  "CLIENT_PRIVATE_KEY": "c.key", "CLIENT_PUBLIC_KEY": "c.pub", **change}
        return {f"{prefix}_TLS_{name}": value for name, value in values.items()
                if value is not None}

    # ---- init -----------------------------------------------------------------------------------

    def test_init(self):
        before = os.umask(0)
        try:
            done = self.cert("init", "--tls-dir", "D", "--name", "a", "--san", "10.1.2.3")
        finally:
            os.umask(before)
        self.assertIn("cert host NAME", done.err)
        self.assertEqual(self.mode("D"), 0o700)
        self.assertEqual(self.mode("D/key.pem"), 0o600)
        self.assertEqual(self.mode("D/ca-key.pem"), 0o600)
        page = self.show("--tls-dir", "D")
        ca, own = page["certificates"]
        self.assertEqual((ca["ca"], own["ca"]), (True, False))
        self.assertEqual((own["name"], own["roles"]), ("a", ["agent", "node", "client"]))
        host = os.uname().nodename.split(".")[0]
        for san in ("URI:faymora:node:a", f"DNS:{host}", "IP:127.0.0.1", "IP:::1",
                    "DNS:localhost", "IP:10.1.2.3"):
            self.assertIn(san, own["sans"])
        openssl("verify", "-CAfile", "D/ca.pem", "-purpose", "sslserver", "D/cert.pem")
        openssl("verify", "-CAfile", "D/ca.pem", "-purpose", "sslclient", "D/cert.pem")

    def test_init_at_home_and_with_another_algorithm(self):
        self.cert("init", "--name", "a", "--algorithm", "ed25519", "-q")
        page = self.show()
        self.assertEqual(page["certificates"][1]["key"], "Ed25519")
        self.assertTrue((self.work / ".config/faymora/tls/ca.pem").exists())
        self.assertEqual(self.show(env={"HOME": "/", "FAYMORA_TLS_DIR":
                                        str(self.work / ".config/faymora/tls")}), page)

    def test_a_second_init_is_refused(self):
        self.init()
        before = {name: (self.work / "D" / name).read_bytes() for name in ("ca.pem", "ca-key.pem")}
        done = self.cert("init", "--tls-dir", "D", code=2)
        self.assertIn("D/ca.pem is there already", done.err)
        self.assertIn("hint: nothing is overwritten", done.err)
        for name, content in before.items():
            self.assertEqual((self.work / "D" / name).read_bytes(), content)

    def test_where_nothing_can_be_written(self):
        done = self.cert("init", "--tls-dir", "/proc/none", code=7)
        self.assertIn("cannot make the directory /proc/none", done.err)
        self.write("file", "")
        self.cert("init", "--tls-dir", "file/D", code=7)
        os.mkdir("open")
        os.chmod("open", 0o777)
        done = self.cert("init", "--tls-dir", "open", code=4)
        self.assertIn("others may write to it", done.err)

    def full_disk(self):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))

    def test_a_full_disk_leaves_no_half(self):
        """The limit lets keys through, and no certificate; it is one for root, too."""
        done = self.finish(self.start("cert", "init", "--tls-dir", "D", "--name", "a",
                                      preexec_fn=self.full_disk))
        self.assertEqual(done.code, 7, done)
        self.assertEqual(os.listdir("D"), [".lock"] + (["issued"] if os.path.isdir("D/issued")
                                                       else []))
        self.init()
        before = (self.work / "D/cert.pem").read_bytes()
        done = self.finish(self.start("cert", "renew", "--tls-dir", "D",
                                      preexec_fn=self.full_disk))
        self.assertEqual(done.code, 7, done)
        self.assertEqual((self.work / "D/cert.pem").read_bytes(), before)
        self.assertEqual(len(os.listdir("D/issued")), 1)

    def test_killed_at_any_moment_init_can_be_done_again(self):
        for turn in range(25):
            directory = f"D{turn}"
            process = self.start("cert", "init", "--tls-dir", directory, "--name", "a")
            wanted = self.random.choice(["", "/.unfinished", "/ca-key.pem", "/key.pem",
                                         "/cert.pem", "/issued", "/ca.pem"])
            while not os.path.exists(directory + wanted) and process.poll() is None:
                pass
            process.kill()
            process.wait()
            if not os.path.exists(f"{directory}/ca.pem"):
                self.init(directory)
            self.cert("show", "--tls-dir", directory)

    # ---- host, renew, revoke --------------------------------------------------------------------

    def test_host(self):
        self.init()
        done = self.cert("host", "b", "--san", "10.0.0.8", "--san", "b.example.org", "--role",
                         "client", "--role", "observer", "--tls-dir", "D")
        self.assertIn("Take D/hosts/b to b", done.err)
        self.assertEqual(sorted(os.listdir("D/hosts/b")), ["ca.pem", "cert.pem", "key.pem"])
        self.assertEqual(self.mode("D/hosts/b/key.pem"), 0o600)
        own = self.show("D/hosts/b")["certificates"][1]
        self.assertEqual((own["name"], own["roles"]), ("b", ["client", "observer"]))
        self.assertEqual(own["sans"][-3:], ["DNS:b", "IP:10.0.0.8", "DNS:b.example.org"])
        self.assertIn("has a certificate, with another key",
                      self.cert("host", "b", "--tls-dir", "D", code=2).err)
        self.assertIn("no name for a Node", self.cert("host", "../b", "--tls-dir", "D", code=2).err)
        self.assertIn("no DNS name and no address",
                      self.cert("host", "c", "--san", "1.2.3.400", "--tls-dir", "D", code=2).err)
        self.assertIn("there is no CA here", self.cert("host", "c", "--tls-dir", "E", code=4).err)

    def test_renew_keeps_the_key(self):
        self.init()
        before = self.show("--tls-dir", "D")["certificates"][1]
        key = (self.work / "D/key.pem").read_bytes()
        done = self.cert("renew", "--tls-dir", "D", "--san", "10.9.9.9")
        self.assertIn("The key is the same", done.err)
        after = self.show("--tls-dir", "D")["certificates"][1]
        self.assertEqual((self.work / "D/key.pem").read_bytes(), key)
        for field in ("name", "id", "roles", "public_key"):
            self.assertEqual(after[field], before[field])
        self.assertNotEqual(after["serial"], before["serial"])
        self.assertEqual(after["sans"], before["sans"] + ["IP:10.9.9.9"])
        self.assertIn("issued no certificate to 'x'",
                      self.cert("renew", "x", "--tls-dir", "D", code=1).err)
        self.cert("host", "b", "--tls-dir", "D")
        os.unlink("D/hosts/b/key.pem")  # it was taken there
        page = json.loads(self.cert("renew", "b", "--json", "--tls-dir", "D").out)
        self.assertEqual((page["directory"], page["certificate"]["name"]), ("D/hosts/b", "b"))

    def test_revoke_raises_the_number(self):
        self.init()
        for number, name in enumerate(("b", "c", "b"), 1):
            self.cert("host", name, "--tls-dir", "D")
            page = json.loads(self.cert("revoke", name, "--json", "--tls-dir", "D").out)
            self.assertEqual(page, {"schema": 1, "name": name, "revoked": 1, "number": number,
                                    "file": "D/crl.pem"})
            openssl("crl", "-in", "D/crl.pem", "-CAfile", "D/ca.pem", "-noout")
        self.assertEqual(self.show("D/crl.pem")["crl"],
                         {"file": "D/crl.pem", "number": 3, "revoked": 3})
        self.assertEqual(self.show("--tls-dir", "D")["crl"]["number"], 3)
        self.cert("revoke", "b", "--tls-dir", "D", code=1)
        self.cert("revoke", "a", "--tls-dir", "D")
        done = self.cert("show", "--tls-dir", "D", code=4)
        self.assertIn("is revoked (list number 4)", done.err)

    # ---- token ----------------------------------------------------------------------------------

    def test_token(self):
        self.init()
        done = self.cert("token", "--tls-dir", "D")
        ca = self.show("--tls-dir", "D")["certificates"][0]["fingerprint"]
        self.assertRegex(done.out, rf"\Afay1\.{ca}\.[0-9a-f]{{64}}\n\Z")
        self.assertIn("Good for 1 machine until", done.err)
        self.assertIn("as agent, node", done.err)
        self.assertEqual(self.mode("D/tokens"), 0o600)
        page = json.loads(self.cert("token", "--ttl", "2h", "--uses", "7", "--role", "observer",
                                    "--json", "--tls-dir", "D").out)
        self.assertEqual((page["uses"], page["roles"]), (7, ["observer"]))
        self.assertNotEqual(page["token"] + "\n", done.out)
        self.assertEqual(len(self.lines("D/tokens")), 3)
        self.cert("token", "--ttl", "1s", "--tls-dir", "D")
        for flags in (["--ttl", "0"], ["--ttl", "x"], ["--uses", "0"], ["--uses", "1001"],
                      ["--role", "king"], ["--san", "x"]):
            self.cert("token", *flags, "--tls-dir", "D", code=2)

    def test_tokens_of_many_at_once(self):
        """Each takes the directory's lock: none is lost."""
        self.init()
        running = [self.start("cert", "token", "--tls-dir", "D", "-q") for _ in range(20)]
        tokens = [self.finish(process).out for process in running]
        kept = "\n".join(self.lines("D/tokens"))
        for token in tokens:
            self.assertIn(token.split(".")[2].strip(), kept)

    # ---- any PKI --------------------------------------------------------------------------------

    def test_the_seven_variables(self):
        self.corp()
        for prefix in ("FAYMORA", "RAKTR"):
            page = self.show(env=self.variables(prefix))
            self.assertEqual(page["error"], None)
            self.assertEqual([(c["name"], c["key"], c["roles"]) for c in page["certificates"]],
                             [("corp", "RSA 2048", []), ("s", "RSA 2048", []),
                              ("c", "RSA 2048", [])])
        done = self.cert("show", env={**self.variables(), "RAKTR_TLS_CA": "other.pem"})
        self.assertIn("warning: FAYMORA_TLS_CA and RAKTR_TLS_CA differ", done.err)
        self.sign("b", "")
        done = self.cert("show", "--cert", "b.pem", "--key", "b.key", "--ca", "corp.pem",
                         env={"FAYMORA_TLS_CA": "none"})
        self.assertEqual(done.err, "")

    def fails(self, *expected, **change):
        done = self.cert("show", "-q", env=self.variables(**change), code=4)
        for text in expected:
            self.assertIn(text, done.err)
        self.assertIn("\n  hint: ", done.err)
        return done

    def test_each_fault_is_said(self):
        self.corp()
        self.sign("old", start="20200101000000Z", end="20200201000000Z")
        self.sign("young", start="20990101000000Z", end="20990201000000Z")
        done = self.fails("c.pub (FAYMORA_TLS_SERVER_PUBLIC_KEY): the key is",
                          SERVER_PUBLIC_KEY="c.pub")
        self.assertEqual(len(set(re.findall(r"\b[0-9a-f]{64}\b", done.err))), 2, done)
        self.fails("FAYMORA_TLS_CLIENT_CERTIFICATE is set (c.pem), FAYMORA_TLS_CLIENT_PRIVATE_KEY "
                   "is not", CLIENT_PRIVATE_KEY=None)
        self.fails("expired at 2020-02-01", SERVER_CERTIFICATE="old.pem",
                   SERVER_PRIVATE_KEY="old.key", SERVER_PUBLIC_KEY=None)
        self.fails("is not valid before 2099-01-01", SERVER_CERTIFICATE="young.pem",
                   SERVER_PRIVATE_KEY="young.key", SERVER_PUBLIC_KEY=None)
        self.fails("not that of a TLS server", SERVER_CERTIFICATE="c.pem",
                   SERVER_PRIVATE_KEY="c.key", SERVER_PUBLIC_KEY=None)
        self.init("E")
        self.fails("is signed by CN=corp, not by CN=Faymora CA", CA="E/ca.pem")
        self.fails("none.key: No such file or directory (FAYMORA_TLS_SERVER_PRIVATE_KEY)",
                   SERVER_PRIVATE_KEY="none.key")
        os.chmod("s.key", 0o644)
        self.fails("others may read or change it (mode 0644)", "hint: chmod 600 s.key")

    def test_the_end_is_announced(self):
        self.corp()
        self.sign("s")
        openssl("x509", "-req", "-in", "s.csr", "-CA", "corp.pem", "-CAkey", "corp.key", "-out",
                "s.pem", "-days", "9")
        page = self.show(env=self.variables())
        self.assertEqual(len(page["warnings"]), 1)
        self.assertRegex(page["warnings"][0], r"s\.pem .*expires in [89] days")

    # ---- show, words ----------------------------------------------------------------------------

    def test_show_a_file(self):
        self.init()
        own, = self.show("D/cert.pem")["certificates"]
        self.assertEqual(set(own), {
            "file", "name", "id", "roles", "sans", "subject", "issuer", "serial", "not_before",
            "not_after", "key", "public_key", "fingerprint", "days_left", "ca", "server", "client"})
        self.assertIn(own["days_left"], (364, 365))  # a second may have passed
        self.assertRegex(own["id"], r"\A[0-9a-f]{32}\Z")
        self.assertEqual(self.show("D/key.pem")["key"]["public_key"], own["public_key"])
        self.assertRegex(self.cert("show", "D/cert.pem").out, r"36[45] days left")
        self.cert("show", "none", code=7)
        self.write("nonsense", "x\n")
        self.assertIn("no certificate in it", self.cert("show", "nonsense", code=4).err)
        done = self.cert("show", "--tls-dir", "none", code=4)
        self.assertIn("none/ca.pem: No such file", done.err)
        self.assertIn("faymora cert init", done.err)

    # ---- show --peer ----------------------------------------------------------------------------

    def peer(self, talk):
        """The address of somebody who takes one connection, and talks to it as told."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def take():
            connection = listener.accept()[0]
            with connection:
                talk(connection)
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        return "127.0.0.1:%d" % listener.getsockname()[1]

    def node(self, directory):
        """Somebody who is as a Node with these keys, as far as a handshake goes."""
        chain = self.work / "chain.pem"
        files = [self.work / directory / name for name in ("cert.pem", "ca.pem")]
        chain.write_text("".join(file.read_text() for file in files))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, self.work / directory / "key.pem")

        def talk(connection):
            preamble = connection.recv(32, socket.MSG_WAITALL)
            self.said = preamble
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
        return self.peer(talk)

    def test_what_a_peer_shows(self):
        self.init()
        address = self.node("D")
        shown = self.show("--tls-dir", "D", "--peer", address)
        self.assertEqual(self.said, b"faymora\x01\x01" + bytes(23))
        self.assertEqual([c["name"] for c in shown["certificates"]][0], "a")
        self.assertEqual([c["ca"] for c in shown["certificates"]], [False, True])
        self.assertIsNone(shown["error"])
        done = self.cert("show", "--tls-dir", "D", "--peer", self.node("D"))
        self.assertIn("  name         a\n", done.out)

    def test_a_peer_of_another_grid(self):
        self.init()
        self.init("E")
        done = self.cert("show", "--tls-dir", "D", "--peer", self.node("E"), code=4)
        self.assertIn("  name         a\n", done.out)
        self.assertIn("faymora: error: 127.0.0.1:", done.err)
        shown = self.show("--tls-dir", "D", "--peer", self.node("E"), code=4)
        self.assertIn("127.0.0.1:", shown["error"])
        done = self.cert("show", "--tls-dir", "none", "--peer", self.node("E"), code=4)
        self.assertIn("  name         a\n", done.out)
        self.assertIn("none/ca.pem: No such file", done.err)

    def test_no_peer_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            done = self.cert("show", "--peer", address, "--timeout", "200ms", code=4)
            self.assertIn(f"{address} does not answer within 200ms", done.err)
        done = self.cert("show", "--peer", address, code=4)
        self.assertIn(f"cannot connect to {address}: Connection refused", done.err)
        for answer in b"", b"HTTP/1.1 400 Bad Request\r\n\r\n":
            def talk(connection, answer=answer):
                connection.recv(32, socket.MSG_WAITALL)
                connection.sendall(answer)
            address = self.peer(talk)
            done = self.cert("show", "--peer", address, code=4)
            self.assertIn(f"{address}: what listens there is no Node", done.err)

    def test_words(self):
        for words, text in ((["show", "x", "--peer", "a:1"], "takes '--peer' or a file, not both"),
                            (["show", "--peer", "a"], "'a' is no HOST:PORT"),
                            (["init", "--peer", "a:1"], "'cert init' takes no '--peer'"),
                            ([], "'cert' takes init, host"), (["shwo"], "did you mean show"),
                            (["host"], "'cert host' takes the name of a host"),
                            (["init", "x"], "one word too many"),
                            (["show", "a", "b"], "one word too many"),
                            (["show", "--uses", "1"], "'cert show' takes no '--uses'"),
                            (["show", "--tls-dir", "D", "--ca", "c"], "it is --tls-dir, or"),
                            (["show", "--cert", "c"], "'--cert' needs '--key' too"),
                            (["token", "--ca", "c"], "works in a directory")):
            self.assertIn(text, self.cert(*words, code=2).err)


if __name__ == "__main__":
    faytest.main()
