#!/usr/bin/env python3
"""The whole run is killed at random moments and resumed: what comes out is as if nothing had
been."""
import json
import os
import re
import signal
import subprocess
import threading
import time

import faytest

LINES = 400000
KILLS = 20
JSON_WORKER = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    text = request["item"]
    print(json.dumps({"id": request["id"], "emit": [text + str(i) for i in range(int(text) % 4)]}))
    sys.stdout.flush()
"""


class Resume(faytest.Case):
    def until_it_ends(self, *args, kills, within, start=None):
        """Runs until it ends by itself, killing the owner or all of it, at most `kills` times. The
        moments are drawn from what the run reports, so that they fall all over it."""
        killed = 0
        for life in range(kills + 1):
            run = (start or self.start)("run", *(["--resume"] if life else []), *args)
            if killed == kills:
                break
            try:
                run.wait(self.random.uniform(*within))
                break
            except subprocess.TimeoutExpired:
                whole = faytest.descendants(run.pid) if self.random.random() < 0.5 else []
                run.kill()
                for pid in whole:
                    faytest.send(pid, signal.SIGKILL)
                run.wait()
                killed += 1
        done = self.finish(run)
        self.assertEqual(done.code, 0, f"after {killed} kills: {done}")
        self.assert_nothing_left()
        return killed

    def test_file_to_file(self):
        tool = faytest.tool("line")
        self.write("in", "".join(f"{i} {'y' * 60}\n" for i in range(LINES)))
        killed = self.until_it_ends("--mode", "lines", "-a", "in", "-o", "out", "--state", "state",
                                    "-j", "2", "--", tool, "-u", "5", kills=KILLS,
                                    within=(0.05, 0.5))
        got, want = self.lines("out"), self.lines("in")
        self.assertEqual(len(got), len(want), f"{killed} kills")
        self.assertEqual(sorted(got), sorted(want), f"{killed} kills")
        self.assertGreater(killed, 3)

    def test_ordered(self):
        tool = faytest.tool("line")
        self.write("in", "".join(f"{i}\n" for i in range(100000)))
        killed = self.until_it_ends("--keep-order", "-a", "in", "-o", "out", "--state", "state",
                                    "-j", "2", "--", tool, "-r", "20", "::", tool, "-r", "20",
                                    kills=8, within=(0.05, 0.6))
        self.assertTrue(self.read("out") == self.read("in"), f"out differs, {killed} kills")

    def test_batch_before_a_stage(self):
        """Results of a batch go by its first Item's name: none of its Items is done before."""
        self.write("in", "".join(f"{i}\n" for i in range(3000)))
        self.write("p.yaml", """
faymora: 1
source: {file: in}
stages:
  - {name: b, mode: batch, run: [cat], batch: {items: 50}}
  - {name: slow, run: [sh, -c, 'echo "$1"', s, "{}"], workers: 1}
sink: {file: out}
""")
        killed = self.until_it_ends("p.yaml", "-q", "--state", "state", kills=5,
                                    within=(0.4, 1.2))
        self.assertEqual(sorted(self.lines("out")), sorted(self.lines("in")), f"{killed} kills")
        self.assertGreater(killed, 1)

    def test_several_children(self):
        worker = self.write("worker.py", JSON_WORKER)
        self.write("in", "".join(f"{i}\n" for i in range(60000)))
        killed = self.until_it_ends("--mode", "json", "-a", "in", "-o", "out", "--state", "state",
                                    "-j", "2", "--", "python3", worker, kills=6, within=(0.1, 0.4))
        want = [f"{i}{k}" for i in range(60000) for k in range(i % 4)]
        self.assertEqual(sorted(self.lines("out")), sorted(want), f"{killed} kills")

    def test_dead_letters(self):
        """They too are there once."""
        self.write("in", "".join(f"{i}\n" for i in range(60000)))
        worker = self.write("worker.py", """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    bad = int(request["item"]) % 10 == 0
    reply = {"error": "ten", "retry": False} if bad else {"emit": [request["item"]]}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
""")
        self.write("p.yaml", f"""
faymora: 1
stages: [{{run: [python3, {worker}], mode: json, workers: 2}}]
source: {{file: in}}
sink: {{file: out}}
dead_letter: {{file: dead}}
""")
        for life in range(100):
            run = self.start("run", "p.yaml", "--state", "state", *(["--resume"] if life else []))
            try:
                run.wait(self.random.uniform(0.1, 0.4) if life < 6 else faytest.LIMIT_S)
                break
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
        done = self.finish(run)
        self.assertEqual(done.code, 1, done)
        dead = [json.loads(line)["item"] for line in self.lines("dead")]
        self.assertEqual(sorted(map(int, dead)), list(range(0, 60000, 10)), done)
        self.assertEqual(sorted(map(int, self.lines("out"))),
                         [i for i in range(60000) if i % 10], done)
        self.assertIn("60,000 in · 54,000 out · 6,000 dead", done.err)  # of all its lives

        again = self.run_faymora("run", "p.yaml", "--state", "state", "--resume")
        self.assertEqual(again.code, 1, again)  # nothing was left to do, but some are dead
        self.assertIn("60,000 in · 54,000 out · 6,000 dead", again.err)

    def test_spooled_command_is_not_run_again(self):
        """What it had said is finished, each Item once; it is not asked for the same again."""
        self.write("p.yaml", """
faymora: 1
spool: true
source: {exec: [sh, -c, "echo run >>runs; seq 1000000"]}
stages: [{run: [cat], mode: lines, workers: 2}]
sink: {file: out}
""")
        run = self.start("run", "p.yaml", "--state", "st")
        faytest.wait_for(lambda: (self.work / "out").exists()
                         and (self.work / "out").stat().st_size > 10000, "output")
        run.kill()
        run.wait()
        self.assert_nothing_left()
        done = self.run_faymora("run", "p.yaml", "--state", "st", "--resume")
        self.assertEqual(done.code, 0, done)
        self.assertIn("not run again", done.err)
        out = self.lines("out")
        self.assertEqual(sorted(out, key=int), [str(i + 1) for i in range(len(out))])
        self.assertEqual(self.lines("runs"), ["run"])

    def test_spooled_pipe(self):
        """What the spool has is done after a resume, what the pipe still held goes with it."""
        tool = faytest.tool("line")
        self.write("p.yaml", f"""
faymora: 1
spool: true
stages: [{{run: [{tool}, -u, "50"], mode: lines, workers: 2}}]
sink: {{file: out}}
""")
        count = 0
        readers = []

        def start(*args):
            nonlocal count
            run = self.start(*args, stdin=subprocess.PIPE)

            def feed(pipe, first):
                nonlocal count
                try:
                    with pipe:
                        for i in range(first, first + 8000, 100):
                            pipe.write(b"".join(b"%d\n" % k for k in range(i, i + 100)))
                            count = i + 100
                except BrokenPipeError:
                    pass
            readers.append(threading.Thread(target=feed, args=(run.stdin, count)))
            readers[-1].start()
            return run

        self.until_it_ends("p.yaml", "--state", "state", kills=5, within=(0.1, 0.4), start=start)
        for reader in readers:
            reader.join()
        got = [int(line) for line in self.lines("out")]
        self.assertEqual(len(got), len(set(got)), "lines twice")
        self.assertEqual(set(range(count - 8000, count)) - set(got), set(), "of the last life")
        self.assertLessEqual(set(got), set(range(count)))

    def test_directory_source_that_moves_files(self):
        (self.work / "spool").mkdir()
        (self.work / "done").mkdir()
        names = [f"f{i:04}" for i in range(400)]
        for name in names:
            self.write(f"spool/{name}", name)
        self.write("p.yaml", f"""
faymora: 1
source: {{dir: spool, after: move, move_to: done}}
stages: [{{run: [sh, -c, 'basename "$1"', sh, "{{}}"], workers: 2}}]
sink: {{file: out}}
""")
        for life in range(100):
            run = self.start("run", "p.yaml", "--state", "state", *(["--resume"] if life else []))
            if life < 5:
                time.sleep(self.random.uniform(0.1, 0.3))
                run.kill()
                run.wait()
                continue
            faytest.wait_for(lambda: run.poll() is not None or not os.listdir("spool"),
                             "the directory to be empty")
            run.send_signal(signal.SIGTERM)
            break
        done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGTERM, done)
        self.assertEqual(sorted(os.listdir("done")), names, done)
        self.assertEqual(sorted(self.lines("out")), names, done)

    def test_changed_pipeline_is_refused_by_field(self):
        text = """
faymora: 1
source: {file: in}
stages: [{name: a, run: [cat], mode: lines, retries: %s}]
sink: {file: %s}
"""
        self.write("in", "1\n2\n")
        self.write("p.yaml", text % (2, "out"))
        self.assertEqual(self.run_faymora("run", "p.yaml", "--state", "state").code, 0)
        self.write("p.yaml", text % (2, "other"))
        done = self.run_faymora("run", "p.yaml", "--state", "state", "--resume")
        self.assertEqual(done.code, 2, done)
        self.assertIn("sink", done.err)
        self.assertEqual(self.read("out"), "1\n2\n")
        self.assertFalse((self.work / "other").exists())

        done = self.run_faymora("run", "-a", "in", "-o", "o2", "--state", "s2", "--mode", "lines",
                                "--", "cat")
        self.assertEqual(done.code, 0, done)
        done = self.run_faymora("run", "-a", "in", "-o", "o2", "--state", "s2", "--resume",
                                "--mode", "lines", "--", "cat", "-u")
        self.assertEqual(done.code, 2, done)
        self.assertIn("stages.cat.run", done.err)

    def test_state_that_is_there_and_not_there(self):
        self.write("in", "1\n2\n")
        args = ["run", "-a", "in", "-o", "out", "--state", "state"]
        done = self.run_faymora(*args, "--resume", "--", "echo", "{}")
        self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["1", "2"]), done)
        self.assertRegex(done.err, r"fresh|afresh|start")
        done = self.run_faymora(*args, "--", "echo", "{}")
        self.assertNotEqual(done.code, 0, done)
        self.assertIn("--resume", done.err)
        self.assertEqual(sorted(self.lines("out")), ["1", "2"])
        done = self.run_faymora(*args, "--resume", "--", "echo", "{}")
        self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["1", "2"]), done)

    def test_the_lock_is_waited_for(self):
        self.write("in", "1\n2\n3\n")
        args = ["run", "-a", "in", "-o", "out", "--state", "state", "--resume", "-j", "1", "--",
                "sh", "-c", "while [ -e held ]; do sleep 0.05; done; echo $1", "sh", "{}"]
        self.write("held", "")
        first = self.start(*args)
        faytest.wait_for(lambda: (self.work / "state").is_dir() and faytest.descendants(first.pid),
                         "the first run")
        refused = self.run_faymora(*args)
        self.assertEqual(refused.code, 7, refused)
        self.assertRegex(refused.err, r"(?i)another|lock|use")
        second = self.start(*args)
        os.remove("held")
        self.assertEqual(self.finish(first).code, 0)
        done = self.finish(second)
        self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["1", "2", "3"]), done)

    def state_files(self):
        return {p.name: p.read_bytes() for p in (self.work / "state").iterdir() if p.name != "lock"}

    def test_an_output_that_the_shell_has_emptied_is_refused(self):
        self.write("in", "1\n2\n3\n")
        args = ["run", "-a", "in", "--state", "state", "--resume", "--", "echo", "{}"]
        with open("out", "wb") as out:
            self.assertEqual(self.finish(self.start(*args, stdout=out)).code, 0)
        before = self.state_files()
        with open("out", "wb") as out:
            done = self.finish(self.start(*args, stdout=out))
        self.assertEqual(done.code, 7, done)
        self.assertEqual(self.read("out"), "")
        self.assertEqual(self.state_files(), before)
        self.assertTrue(re.search(r"short|truncated|emptied|bytes", done.err), done)

    def test_sources_that_cannot_be_read_again_are_refused(self):
        run = self.start("run", "--state", "state", "-o", "out", "--", "echo", "{}",
                         stdin=subprocess.PIPE)
        run.stdin.close()
        done = self.finish(run)
        self.assertEqual(done.code, 2, done)
        self.assertIn("spool", done.err)

    def test_letters_of_what_the_sink_cannot_say_stay(self):
        """Also where that is only seen when a large output is written, behind the last record."""
        self.write("in", "a\n")
        self.write("w.py", "import json, sys\nfor line in sys.stdin:\n"
                   "    many = ['x' * 1000000] * 20\n"
                   "    print(json.dumps({'id': json.loads(line)['id'],\n"
                   "                      'emit': many + ['two\\nlines'] + many}), flush=True)\n")
        run = ("run", "-a", "in", "-o", "out", "--mode", "json", "--set", "python3.max_item=100MiB",
               "--state", "state", "--dead-letter", "dead")
        done = self.run_faymora(*run, "--", "python3", "w.py")
        self.assertEqual((done.code, len(self.lines("dead"))), (1, 1), done)
        before = self.read("dead")
        done = self.run_faymora(*run, "--resume", "--", "python3", "w.py")
        self.assertEqual((done.code, self.read("dead")), (1, before), done)
        self.assertEqual(len(self.lines("out")), 40)


if __name__ == "__main__":
    faytest.main()
