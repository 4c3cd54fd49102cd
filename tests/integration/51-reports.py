#!/usr/bin/env python3
"""What a run tells: summary, progress, joblog, results, events, hooks."""
import json
import os
import re
import signal

import faytest

SCRIPT = ('case $1 in 3) exit 65;; 4) exit 0;; 5) [ $FAYMORA_ATTEMPT = 2 ] || exit 1;; esac; '
          'echo "r$1"')
RUN = ["--dead-letter", "dead", "--", "sh", "-c", SCRIPT, "-", "{}"]
ITEMS = "1\n2\n3\n4\n5\n"
COLUMNS = ("Seq Host Starttime JobRuntime Send Receive Exitval Signal Command Stage Attempt Worker "
           "ItemId Outcome").split()


class Reports(faytest.Case):
    def test_summary(self):
        done = self.run_faymora("run", *RUN, input=ITEMS)
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["r1", "r2", "r5"]), done)
        self.assertRegex(done.err.split("\n")[-2],
                         r"^run [0-9a-f]{4,}: 5 in · 3 out · 1 dead → dead · 1 filtered · "
                         r"1 retried · [\d.]+m?s · peak sh \d+$")
        done = self.run_faymora("run", "-q", *RUN, input=ITEMS)
        self.assertEqual((done.code, done.err), (1, ""), done)

    def test_json(self):
        for quiet in [], ["-q"]:
            done = self.run_faymora("run", "--json", *quiet, *RUN, input=ITEMS)
            said = json.loads(done.err)
            self.assertEqual(done.err.count("\n"), 1)
            self.assertEqual({k: said[k] for k in ("schema", "pipeline", "in", "out", "dead",
                                                   "done", "filtered",
                                                   "dropped", "retried", "exit", "dead_letter",
                                                   "state", "why")},
                             {"schema": 1, "pipeline": "sh", "in": 5, "out": 3, "dead": 1,
                              "done": 5, "filtered": 1,
                              "dropped": 0, "retried": 1, "exit": 1, "dead_letter": "dead",
                              "state": None, "why": None})
            stage, = said["stages"]
            self.assertEqual({k: stage[k] for k in ("name", "in", "out", "filtered", "retried",
                                                    "dead", "dropped")},
                             {"name": "sh", "in": 5, "out": 3, "filtered": 1, "retried": 1,
                              "dead": 1, "dropped": 0})
            self.assertGreaterEqual(stage["workers_peak"], 1)
            self.assertRegex(said["run"], "^[0-9a-f]{4,}$")

    def test_json_of_a_failure(self):
        done = self.run_faymora("run", "--json", "--", "./none", ":::", "a")
        said = json.loads(done.err.split("\n")[-2])
        self.assertEqual((done.code, said["exit"]), (3, 3), done)
        self.assertIn("none", json.dumps(said))

    def joblog(self, *args, **more):
        if os.path.exists("log"):
            os.unlink("log")  # it is appended to
        done = self.run_faymora("run", "-q", "--joblog", "log", *args, **more)
        rows = [line.split("\t") for line in self.lines("log")]
        self.assertEqual(rows[0], COLUMNS, done)
        return done, [dict(zip(COLUMNS, row)) for row in rows[1:]]

    def test_joblog(self):
        _, rows = self.joblog(*RUN, input=ITEMS)
        rows.sort(key=lambda r: (int(r["Seq"]), int(r["Attempt"])))
        self.assertEqual([(r["Seq"], r["ItemId"], r["Attempt"], r["Exitval"], r["Outcome"])
                          for r in rows],
                         [("1", "0", "1", "0", "ok"), ("2", "1", "1", "0", "ok"),
                          ("3", "2", "1", "65", "dead"),
                          ("4", "3", "1", "0", "filtered"), ("5", "4", "1", "1", "retried"),
                          ("5", "4", "2", "0", "ok")])
        for row in rows:
            self.assertEqual((row["Stage"], row["Signal"]), ("sh", "0"))
            self.assertGreaterEqual(int(row["Worker"]), 1)
            self.assertLess(abs(float(row["Starttime"]) - faytest.time.time()), 3600)
            self.assertGreaterEqual(float(row["JobRuntime"]), 0)
            self.assertIn("exit 65", row["Command"])
        self.assertEqual((rows[0]["Send"], rows[0]["Receive"]), ("1", "2"))

    def test_joblog_of_lines_and_signals(self):
        _, rows = self.joblog("--", "cat", "-u", input="aa\nb\n")
        self.assertEqual(sorted((r["Seq"], r["Stage"], r["Outcome"]) for r in rows),
                         [("1", "cat", "ok"), ("2", "cat", "ok")])
        _, rows = self.joblog("--retries", "0", "--dead-letter", "none", "--", "sh", "-c",
                              "kill -9 $$", "{}", ":::", "x")
        self.assertEqual([(r["Exitval"], r["Signal"], r["Outcome"]) for r in rows],
                         [("0", "9", "dead")])

    def test_joblog_that_cannot_be_written(self):
        done = self.run_faymora("run", "--joblog", "none/log", "--", "echo", "{}", ":::", "a")
        self.assertEqual((done.code, done.out), (7, ""), done)
        self.assertIn("none/log", done.err)

    def test_no_two_logs_in_one_file(self):
        os.mkdir("d")
        os.symlink("d", "also")
        for there in False, True:
            for flags, what in ((["--events", "oo", "-o", "oo"], "--events and the sink"),
                                (["--events", "oo", "-o", "d/../oo"], "--events and the sink"),
                                (["--joblog", "d/oo", "-o", "also/oo"], "--joblog and the sink"),
                                (["--joblog", "oo", "--events", "./oo"], "--events and --joblog"),
                                (["--results", "d", "--events", "d/cat.out"],
                                 "--events and a file of --results"),
                                (["--dead-letter", "oo", "-o", "oo"],
                                 "the sink and the dead letter file")):
                with self.subTest(flags=flags, there=there):
                    for name in "oo", "d/oo", "d/cat.out":
                        self.write(name, "mine")
                        if not there:
                            os.unlink(name)
                    done = self.run_faymora("run", *flags, "--", "cat", ":::", "a")
                    self.assertEqual(done.code, 2, done)
                    self.assertIn(f"error: {what} are the same file", done.err)
                    self.assertIn("hint: give each a file of its own", done.err)
                    self.assertEqual({self.read(name) for name in ("oo", "d/oo", "d/cat.out")
                                      if os.path.exists(name)}, {"mine"} if there else set())
        with open("oo", "w") as out:
            done = self.run_faymora("run", "--events", "oo", "--", "cat", ":::", "a", stdout=out)
        self.assertEqual(done.code, 2, done)
        done = self.run_faymora("run", "--events", "/dev/null", "--joblog", "/dev/null", "-o",
                                "/dev/null", "--", "cat", ":::", "a")
        self.assertEqual(done.code, 0, done)

    def test_results(self):
        done = self.run_faymora("run", "-q", "--results", "res", "--keep-order", "--", "seq", "{}",
                                "::", "sed", "s/^/x/",
                                input="2\n1\n")
        self.assertEqual((done.code, done.out), (0, "x1\nx2\nx1\n"), done)
        said = {}
        for directory, _, names in os.walk("res"):
            for name in names:
                stage = os.path.relpath(os.path.join(directory, name),
                                        "res").split("/")[0].split(".")[0]
                said.setdefault(stage, []).extend(json.loads(line)
                                                  for line in self.lines(os.path.join(directory,
                                                                                      name)))
        self.assertEqual({stage: sorted((r["id"], r["item"]) for r in rows) for stage,
                          rows in said.items()},
                         {"seq": [("0", "1"), ("0", "2"), ("1", "1")],
                          "sed": [("0.0", "x1"), ("0.1", "x2"), ("1.0", "x1")]})

    def events(self, text):
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def test_events(self):
        done = self.run_faymora("run", "-q", "--events", "ev", *RUN, input=ITEMS)
        events = self.events(self.read("ev"))
        kinds = [e["event"] for e in events]
        self.assertEqual((kinds[0], kinds.count("start"), kinds.count("done"),
                          kinds.count("item.dead")),
                         ("start", 1, 1, 1), done)
        self.assertEqual(kinds.count("worker.up"), kinds.count("worker.down"))
        self.assertEqual(len({e["run"] for e in events}), 1)
        dead = events[kinds.index("item.dead")]
        self.assertEqual((dead["id"], dead["stage"], dead["attempts"], dead["error"]),
                         ("2", "sh", 1, "exit 65"))
        end = events[kinds.index("done")]
        self.assertEqual((end["in"], end["out"], end["dead"], end["exit"]), (5, 3, 1, 1))
        self.assertGreaterEqual(min(e["worker"] for e in events if "worker" in e), 1)

    def test_json_is_utf8_whatever_names_and_workers_say(self):
        worker = b"./w\xff.sh"
        script = b"#!/bin/sh\nread item\nprintf 'bad \\377\\303\\n' >&2\nkill -9 $$\n"
        self.write(os.fsdecode(worker), script, mode=0o755)
        names = {name: os.fsdecode(name.encode() + b"\xff") for name in ("state", "dead", "ev")}
        done = self.run_faymora("run", "--json", "--events", names["ev"], "--state", names["state"],
                                "--dead-letter", names["dead"], "--retries", "0", "--mode", "lines",
                                "--", os.fsdecode(worker), ":::", os.fsdecode(b"i\xff"))
        self.assertEqual(done.code, 1, done)

        def all_of(bytes):
            return [json.loads(line.decode("utf-8")) for line in bytes.split(b"\n")[:-1]]

        events = all_of((self.work / names["ev"]).read_bytes())
        down = next(e for e in events if e["event"] == "worker.down" and e["signal"])
        self.assertEqual(down["stderr"], "bad \ufffd\ufffd\n")
        letter, = all_of((self.work / names["dead"]).read_bytes())
        self.assertEqual((letter["stderr"], letter["item_b64"]), (down["stderr"], "af8="))
        summary = [line for line in done.err.split("\n") if line.startswith("{")]
        report, = all_of(summary[-1].encode(errors="surrogateescape") + b"\n")
        self.assertEqual((report["state"], report["dead_letter"]), ("state\ufffd", "dead\ufffd"))

        self.write(os.fsdecode(b"p\xff.yaml"), "faymora: 1\nb: 1\n")
        for name in b"p\xff.yaml", b"none\xff.yaml":
            done = self.run_faymora("lint", "--json", os.fsdecode(name))
            said = json.loads(done.out.encode(errors="surrogateescape").decode("utf-8"))
            self.assertEqual(said["errors"][0]["file"].encode(),
                             name.replace(b"\xff", b"\xef\xbf\xbd"))

    def test_the_log_in_json_is_utf8(self):
        os.mkdir("spool")
        self.write(os.fsdecode(b"spool/\xff"), "x")
        self.write("moved", "no directory")
        self.write("p.yaml", "faymora: 1\nsource: {dir: spool, after: move, move_to: moved}\n"
                   "stages: [{run: [cat]}]\nsink: {file: out}\n")
        run = self.start("run", "p.yaml", "--log-format", "json")
        faytest.wait_for(lambda: "source.after" in self.text_of(run), "the warning")
        run.send_signal(signal.SIGINT)
        done = self.finish(run)
        line, = [line for line in done.err.split("\n") if "source.after" in line]
        said = json.loads(line.encode(errors="surrogateescape").decode("utf-8"))
        self.assertEqual((said["event"], said["path"]), ("source.after", "spool/\ufffd"))

    def test_events_on_stderr(self):
        done = self.run_faymora("run", "-q", "--events", "-", "--", "echo", "{}", ":::", "a")
        self.assertEqual((done.out, self.events(done.err)[0]["event"]), ("a\n", "start"), done)

    def test_worker_stderr(self):
        command = ["--", "sh", "-c", 'echo "said $1" >&2', "-", "{}"]
        done = self.run_faymora("run", "-q", *command, input="a\n")
        self.assertEqual(done.err, "said a\n", done)
        done = self.run_faymora("run", "-q", "-j", "1", "--tag", *command, input="a\n")
        self.assertEqual(done.err, "sh/1| said a\n", done)
        done = self.run_faymora("run", "-q", "-j", "2", "--", "sh", "-c",
                                "yes $1 | head -c 100000 >&2", "-", "{}",
                                input="aaaaaaaaa\nbbbbbbbbb\n")
        self.assertEqual(set(done.err.split("\n")), {"aaaaaaaaa", "bbbbbbbbb", ""},
                         "lines are mixed")
        self.assertEqual(done.err.count("\n"), 20000)

    def test_progress(self):
        done = self.run_faymora("run", "--progress", "none", "--", "echo", "{}", ":::", "a")
        self.assertEqual(done.err.count("\n"), 1, done)
        done = self.run_faymora("run", "--progress", "bar", "--", "echo", "{}", ":::", "a")
        self.assertEqual((done.code, done.out), (0, "a\n"), done)
        # a plain line every 10 s is too slow for a test; that it does not disturb is not
        done = self.run_faymora("run", "--progress", "plain", "--", "echo", "{}", ":::", "a")
        self.assertEqual((done.code, done.out, done.err.count("\n")), (0, "a\n", 1), done)
        self.assertEqual(self.run_faymora("run", "--progress", "fancy", "--", "echo", "{}", ":::",
                                          "a").code, 2)

    def test_explain(self):
        done = self.run_faymora("run", "--explain", "--", "echo", "{}", "::", "cat", "-u", ":::",
                                "a")
        self.assertEqual((done.code, done.out), (0, "a\n"), done)
        self.assertTrue(re.search(r"^echo\b.*worker", done.err, re.M)
                        and re.search(r"^cat\b.*worker", done.err, re.M), done)

    def test_hooks(self):
        done = faytest.pipeline(self, f"""
            stages:
              - {{name: s, run: [sh, -c, 'case $1 in 3) exit 65;; esac; echo $1', -, "{{}}"]}}
              - {{name: l, run: [{faytest.tool("line")}, -c, "4"], retries: 0}}
            dead_letter: {{file: dead}}
            on:
              item_dead: [sh, -c, "cat >>dead.json"]
              worker_crash: [sh, -c, "cat >>crash.json"]
              done: [sh, -c, "cat >>done.json"]
            """, "-q", input="1\n2\n3\n4\n5\n")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["1", "2", "5"]), done)
        self.assertEqual(sorted(e["id"] for e in self.events(self.read("dead.json"))), ["2", "3.0"])
        crash = self.events(self.read("crash.json"))[0]
        self.assertEqual((crash["event"], crash["stage"], crash["signal"]), ("worker.down", "l", 9))
        end, = self.events(self.read("done.json"))
        self.assertEqual((end["event"], end["dead"], end["exit"]), ("done", 2, 1))

    def test_a_hook_that_fails_or_is_missing_harms_nobody(self):
        for hook in "['false']", "[./none]":
            done = faytest.pipeline(self,
                                    f"stages: [{{run: [echo, '{{}}']}}]\non: {{done: {hook}}}\n",
                                    "-q", input="a\n")
            self.assertEqual((done.code, done.out), (0, "a\n"), done)

    def test_log_format(self):
        done = self.run_faymora("-vv", "--log-format", "json", "run", "-q", "--", "echo", "{}",
                                ":::", "a")
        self.assertEqual((done.code, done.out), (0, "a\n"), done)
        for line in done.err.split("\n")[:-1]:
            json.loads(line)


if __name__ == "__main__":
    faytest.main()
