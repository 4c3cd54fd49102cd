#!/usr/bin/env python3
"""Commands that call Nodes: nodes, events, event, weight, doctor; over the control socket of a real
Agent, and over TLS."""
import json
import os
import re
import signal
import socket
import subprocess

import faytest


class Control(faytest.Case):
    def setUp(self):
        super().setUp()
        for name in list(self.env):
            if name.startswith(("FAYMORA_", "RAKTR_", "XDG_")) and name != "FAYMORA_LIBEXEC":
                self.env.pop(name)
        self.env["HOME"] = str(self.work)
        self.env["FAYMORA_STATE_DIR"] = str(self.work / "state")
        self.agents = {}
        self.addCleanup(self.stop_agents)

    def call(self, *args, code=0, **more):
        done = self.run_faymora(*args, **more)
        self.assertEqual(done.code, code, done)
        return done

    def keys(self, *hosts):
        """A CA with the identity of a host `a`, and others: {name: directory}."""
        self.call("cert", "init", "--name", "a")
        self.tls = {"a": self.work / ".config/faymora/tls"}
        for host in hosts:
            self.call("cert", "host", host)
            self.tls[host] = self.tls["a"] / "hosts" / host

    def agent(self, name, *args, keys=None, **more):
        """A Node that is ready; its address is in self.address."""
        process = self.start("agent", "--name", name, "--listen", "127.0.0.1:0", "--tls-dir",
                             self.tls[keys or name], *args, **more)
        self.agents[name] = process

        def ready():
            self.assertIsNone(process.poll(), self.text_of(process))
            return re.search(r"ready on (\S+),", self.text_of(process, 1) + self.text_of(process))
        faytest.wait_for(ready, f"{name} to be ready")
        self.address = ready()[1]
        return self.address

    def stop_agents(self):
        for process in self.agents.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    def grid(self, *names):
        """Nodes that know each other; the address of the first."""
        self.keys(*[name for name in names if name != "a"])
        first = self.agent(names[0])
        for name in names[1:]:
            self.agent(name, "--peer", first)
        for name in names:
            self.await_states(dict.fromkeys(names, "alive"), name)
        return first

    def nodes(self, *args, **more):
        return json.loads(self.call("nodes", "--json", *args, **more).out)["nodes"]

    def await_states(self, states, name):
        def there():
            return {n["name"]: n["state"] for n in self.nodes("--name", name)} == states
        faytest.wait_for(there, f"{states} at {name}")

    def row(self, node, *args):
        rows = [n for n in self.nodes(*args) if n["name"] == node]
        self.assertEqual(len(rows), 1)
        return rows[0]

    # ---- which Node -----------------------------------------------------------------------------

    def test_the_only_node_here_need_not_be_named(self):
        for command in (["nodes"], ["events"], ["event", "x"], ["weight", "a", "1"]):
            done = self.call(*command, code=4)
            self.assertIn("no Node is at work on this machine", done.err)
            self.assertIn("faymora agent", done.err)
        self.keys("b")
        self.agent("a")
        self.assertEqual([n["name"] for n in self.nodes()], ["a"])
        self.agent("b")
        done = self.call("nodes", code=2)
        self.assertIn("several Nodes are at work on this machine: a, b", done.err)
        self.agents["a"].kill() # its socket is left behind, and means nothing
        self.agents["a"].wait()
        self.assertEqual([n["name"] for n in self.nodes()], ["b"])
        self.assertIn("the Node 'a' is no longer at work", self.call("nodes", "--name", "a",
                                                                     code=4).err)
        self.agent("a") # and is replaced
        self.assertEqual([n["name"] for n in self.nodes("--name", "a")], ["a"])
        del self.env["FAYMORA_STATE_DIR"]
        state = str(self.work / "state")
        self.assertEqual([n["name"] for n in self.nodes("--name", "a", "--state-dir", state)],
                         ["a"])

    def test_any_node_of_the_grid_will_do(self):
        a = self.grid("a", "b")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            silent = "127.0.0.1:%d" % listener.getsockname()[1]
            self.assertEqual([n["name"] for n in self.nodes("--grid", a)], ["a", "b"])
            self.env["FAYMORA_GRID"] = f"{silent},{a}"
            self.assertEqual([n["name"] for n in self.nodes("--timeout", "2s")], ["a", "b"])
            done = self.call("nodes", "--grid", silent, "--timeout", "300ms", code=4)
            self.assertIn(silent, done.err)
        done = self.call("nodes", "--grid", silent, code=4)
        self.assertIn(f"{silent}: Connection refused", done.err)
        self.assertIn("is a Node at work there", done.err)
        done = self.call("nodes", "--grid", f"{silent},{silent}", code=4)
        self.assertIn("no Node answers: ", done.err)
        self.env["FAYMORA_GRID"] = "nonsense"
        self.assertIn("FAYMORA_GRID is HOST:PORT", self.call("nodes", code=2).err)
        self.nodes("--name", "b")
        self.assertIn("take one of them", self.call("nodes", "--name", "b", "--grid", a,
                                                    code=2).err)

    def test_a_node_that_is_stopped_does_not_answer(self):
        a = self.grid("a")
        os.kill(self.agents["a"].pid, signal.SIGSTOP)
        done = self.call("nodes", "--name", "a", "--timeout", "300ms", code=4)
        self.assertIn("the Node 'a' did not answer 'nodes' within 300ms", done.err)
        done = self.call("nodes", "--grid", a, "--timeout", "300ms", code=4)
        self.assertIn(a, done.err)
        os.kill(self.agents["a"].pid, signal.SIGCONT)
        self.nodes("--grid", a)

    def test_who_has_no_right_is_told(self):
        a = self.grid("a")
        self.call("cert", "host", "o", "--role", "observer")
        observer = ("--tls-dir", self.tls["a"] / "hosts/o", "--grid", a)
        self.assertEqual([n["name"] for n in self.nodes(*observer)], ["a"])
        for command in (["event", "x"], ["weight", "a", "2"]):
            done = self.call(*command, *observer, code=4)
            self.assertIn(f"'{command[0]}' is denied to o at 127.0.0.1:", done.err)
            self.assertIn("its role is observer", done.err)
        self.assertIn("none/ca.pem: No such file", self.call("nodes", "--tls-dir", "none",
                                                             "--grid", a, code=4).err)
        self.call("cert", "init", "--tls-dir", "other", "--name", "a")
        done = self.call("nodes", "--tls-dir", "other", "--grid", a, code=4)
        self.assertIn(f"faymora cert show --peer {a}", done.err)
        done = self.call("cert", "show", "--tls-dir", "other", "--peer", a, code=4)
        self.assertIn("  name         a\n", done.out)
        self.call("cert", "show", "--peer", a)
        self.call("cert", "revoke", "o")
        os.kill(self.agents["a"].pid, signal.SIGHUP)

        def refused():
            return self.run_faymora("nodes", *observer).code == 4
        faytest.wait_for(refused, "the revoked to be refused")

    def test_other_users_have_no_access(self):
        if os.geteuid() != 0:
            self.skipTest("takes root")
        self.grid("a")
        os.chmod(self.work, 0o755)
        state = self.work / "state"
        self.assertEqual(os.stat(state / "a.sock").st_mode & 0o777, 0o600)
        os.chmod(state, 0o755)
        os.chmod(state / "a.sock", 0o666) # even so the Node looks who it is
        copy = self.work / "faymora"
        copy.write_bytes(faytest.pathlib.Path(faytest.FAYMORA).read_bytes())
        copy.chmod(0o755)
        done = subprocess.run([copy, "nodes", "--name", "a"], user=65534, group=65534, env=self.env,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 4, done)
        self.assertIn("closed the connection", done.stderr)
        self.nodes("--name", "a")

    # ---- nodes ----------------------------------------------------------------------------------

    def test_nodes(self):
        a = self.grid("a", "b")
        table = self.call("nodes", "--name", "a").out.splitlines()
        self.assertEqual(table[0].split(), ["NODE", "STATE", "STRATEGY", "WEIGHT", "LOAD",
                                            "WORKERS", "CPU", "MEM-FREE", "SEEN"])
        for line, name in zip(table[1:], ("a", "b")):
            self.assertRegex(line, rf"^{name} +alive +horizontal +\+1\.0 +[█░]{{9}} [\d.]+ +0 ")
            self.assertTrue(line.endswith(" now"), line)
        self.assertEqual(len({line.index("alive") for line in table[1:]}), 1)
        node = self.row("b", "--grid", a)
        self.assertEqual(sorted(node), sorted(
            ["name", "id", "state", "draining", "reason", "agent", "address", "weight", "strategy",
             "load", "cpus", "mem_free", "disk_free", "workers", "tags", "since", "boot"]))

        pid = self.agents["b"].pid
        os.kill(pid, signal.SIGSTOP)
        line = self.call("nodes", "--name", "a").out.splitlines()[2]
        self.assertTrue(line.endswith(" silent"), line)
        self.assertIsNone(self.row("b", "--name", "a")["load"])
        os.kill(pid, signal.SIGCONT)
        faytest.wait_for(lambda: self.row("b", "--name", "a")["load"] is not None, "b to answer")
        self.agents["b"].kill()
        self.await_states({"a": "alive", "b": "dead"}, "a")
        line = self.call("nodes", "--name", "a").out.splitlines()[2]
        self.assertRegex(line, r"^b +dead .* \d\d\d\d-\d\d-\d\d \d\d:\d\dZ$")

    def test_nodes_are_painted_anew_when_something_changes(self):
        a = self.grid("a")
        watch = self.start("nodes", "-w", "--grid", a)
        faytest.wait_for(lambda: "+1.0" in self.text_of(watch, 1), "the first table")
        self.call("weight", "a", "2.5", "--name", "a")
        faytest.wait_for(lambda: "+2.5" in self.text_of(watch, 1), "another table")
        watch.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(watch).code, -signal.SIGINT)
        watch = self.start("nodes", "-w", "--json", "--name", "a")
        faytest.wait_for(lambda: "\n" in self.text_of(watch, 1), "a line")
        self.agents["a"].kill()
        done = self.finish(watch)
        self.assertEqual(done.code, 4, done)
        self.assertIn("the Node 'a' has closed the connection", done.err)
        for line in done.out.splitlines():
            self.assertEqual(json.loads(line)["schema"], 1)

    # ---- events ---------------------------------------------------------------------------------

    def events_of(self, process):
        return [json.loads(line) for line in self.text_of(process, 1).split("\n")[:-1]]

    def test_events(self):
        a = self.grid("a", "b")
        listeners = [self.start("events", "-f", "--json", "--name", "b"),
                     self.start("events", "-f", "--json", "--grid", a, "--since", "1h")]
        faytest.wait_for(lambda: self.events_of(listeners[1]), "the past")
        # That it listens is seen by that it hears.
        def heard():
            self.call("event", "ping", "--name", "a")
            return all(self.events_of(listener) for listener in listeners)
        faytest.wait_for(heard, "both to listen")
        self.call("event", "deploy", "Straße 7\n", "--grid", a)
        self.assertEqual(json.loads(self.call("event", "last", "--name", "b", "--json").out),
                         {"schema": 1})

        def all_of(listener):
            names = [e.get("name") for e in self.events_of(listener)]
            return "deploy" in names and "last" in names
        for listener in listeners:
            faytest.wait_for(lambda: all_of(listener), "both events")
            deploy = [e for e in self.events_of(listener) if e.get("name") == "deploy"]
            self.assertEqual(len(deploy), 1)
            self.assertRegex(deploy[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
            self.assertEqual((deploy[0]["schema"], deploy[0]["event"], deploy[0]["text"],
                              deploy[0]["node"]), (1, "user", "Straße 7\n", "a"))
        self.agents["b"].kill()
        done = self.finish(listeners[0])
        self.assertEqual(done.code, 4, done)

        def dead():
            return [e for e in self.events_of(listeners[1])
                    if e["event"] == "member" and (e["node"], e["state"]) == ("b", "dead")]
        faytest.wait_for(dead, "the death of b")
        listeners[1].send_signal(signal.SIGINT)
        self.assertEqual(self.finish(listeners[1]).code, -signal.SIGINT)

        past = self.call("events", "--name", "a").out # ends by itself
        self.assertRegex(past, r"(?m)^\d\d:\d\d:\d\d\.\d{3}  member  b is dead")
        self.assertIn("  user    deploy: Straße 7   (by a)\n", past)
        self.assertEqual(self.call("events", "--since", "0", "--name", "a").out, "")

    def test_events_that_nobody_reads_any_more(self):
        self.grid("a")
        listener = self.start("events", "-f", "--since", "1h", stdout=subprocess.PIPE)
        self.assertIn(b"a is alive", listener.stdout.readline())
        listener.stdout.close() # nothing more happens
        self.assertEqual(listener.wait(60), -signal.SIGPIPE)

    def test_events_that_are_none(self):
        self.grid("a")
        self.assertIn("'event' takes a name", self.call("event", code=2).err)
        self.assertIn("one word too many", self.call("event", "a", "b", "c", code=2).err)
        self.assertIn("an event has a name of", self.call("event", "", code=2).err)
        self.assertIn("an event has a name of", self.call("event", "x", "y" * 60000, code=2).err)
        self.assertIn("bytes of arguments", self.call("event", "x", "y" * 100000, code=2).err)
        self.assertIn("'--since' takes a duration", self.call("events", "--since", "x",
                                                              code=2).err)
        self.assertIn("not UTF-8", self.call("event", os.fsdecode(b"\xff"), code=2).err)

    # ---- weight ---------------------------------------------------------------------------------

    def weight_of(self, node, *args):
        return self.row(node, *args)["weight"]

    def test_weight(self):
        a = self.grid("a", "b")
        self.assertEqual(self.call("weight", "b", "-1.5", "--name", "a").out, "b: weight -1.5\n")
        for name in "a", "b":
            faytest.wait_for(lambda: self.weight_of("b", "--name", name) == -1.5, "all to know")
        node = self.row("b", "--name", "a")["id"]
        done = self.call("weight", node[:6], "+3", "--grid", a, "--json")
        self.assertEqual(json.loads(done.out),
                         {"schema": 1, "node": "b", "id": node, "weight": 3.0})
        self.assertEqual(self.call("weight", "a", "0", "--grid", a, "-q").out, "")
        faytest.wait_for(lambda: self.weight_of("a", "--grid", a) == 0, "it to be known")
        for weight in ("nan", "inf", "x", "1x", "", "--", " 1"):
            self.assertEqual(self.run_faymora("weight", "a", weight, "--name", "a").code, 2)
        self.assertIn("a weight is a number", self.call("weight", "a", "1e300", "--name", "a",
                                                        code=2).err)
        done = self.call("weight", "c", "1", "--name", "a", code=2)
        self.assertIn("no Node 'c' is alive", done.err)

    def test_of_two_with_one_name_the_id_tells(self):
        self.keys("b")
        first = self.agent("twin", keys="a")
        self.env["FAYMORA_STATE_DIR"] = str(self.work / "other")
        self.agents["first"] = self.agents.pop("twin")
        self.agent("twin", "--peer", first, keys="b")

        def both():
            return len(self.nodes("--grid", first)) == 2
        faytest.wait_for(both, "both")
        ids = [n["id"] for n in self.nodes("--grid", first)]
        table = self.call("nodes", "--grid", first).out.splitlines()
        self.assertEqual([line.split()[0] for line in table[1:]], [f"twin/{i[:8]}" for i in ids])
        done = self.call("weight", "twin", "2", "--grid", first, code=2)
        for node in ids:
            self.assertIn(node, done.err)
        self.call("weight", ids[1], "2", "--grid", first)

    # ---- doctor ---------------------------------------------------------------------------------

    def test_doctor(self):
        done = self.call("doctor", code=4)
        self.assertRegex(done.out, r"(?m)^FAIL  tls +\S+/ca.pem: No such file")
        self.assertRegex(done.out, r"(?m)^note  node +no Node is at work on this machine")
        a = self.grid("a")
        done = self.call("doctor", a)
        self.assertRegex(done.out, r"(?m)^ok    tls +a, id [0-9a-f]{32}, may be agent, node, cli")
        self.assertIn(f"{a} answers", done.out)
        self.assertIn(f"{a} says of itself:\n", done.out)
        self.assertEqual(self.call("doctor", a, "-q").out, "")
        checks = json.loads(self.call("doctor", "--json").out)["checks"]
        self.assertEqual({c["node"] for c in checks}, {None, "the Node 'a'"})
        for check in checks:
            self.assertEqual(sorted(check), ["hint", "message", "name", "node", "ok"])
            self.assertTrue(check["ok"], check)
        self.agents["a"].kill()
        self.agents["a"].wait()
        done = self.call("doctor", a, code=4)
        self.assertRegex(done.out, rf"(?m)^FAIL  node +{a}: Connection refused")
        self.assertIn("HOST:PORT", self.call("doctor", "nonsense", code=2).err)


if __name__ == "__main__":
    faytest.main()
