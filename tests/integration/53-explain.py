#!/usr/bin/env python3
"""Why a stage has the workers that it has: events, --explain, the progress line, and what the
workers themselves are told."""
import json
import math
import os
import re
import shlex
import subprocess

import faytest

SLOW = """
import sys, time
for line in sys.stdin:
    time.sleep(0.02)
    print(line, end="", flush=True)
"""
JSON = """
import json, sys, time
for line in sys.stdin:
    r = json.loads(line)
    time.sleep(0.02)
    a = r["attrs"]
    print(json.dumps({"id": r["id"], "emit": [f"{a['fay.pressure']} {a['fay.workers']}"]}),
          flush=True)
"""
HELD = {"AT_MAX", "NO_CPU", "NO_MEM", "GAIN", "LEARNING", "BLOCKED", "SOURCE_DRY", "CRASHLOOP",
        "DRAINING", "PINNED"}
FORMULA = ("load", "backlog", "share")
MANUAL = faytest.SOURCE / "docs/man/faymora-run.1.scd"


def numbered(count):
    return "".join(f"{i}\n" for i in range(count))


class Explain(faytest.Case):
    def events(self, name="ev"):
        """Those of a stage; whole lines alone, as the file may be written to."""
        if not os.path.exists(name):
            return []
        all_ = [json.loads(line) for line in self.lines(name)]
        return [e for e in all_ if e["event"].startswith("stage.")]

    def assert_right(self, event):
        """Its own numbers lead to what was decided."""
        self.assertAlmostEqual(event["load"],
                               event["arrivals_per_second"] * event["item_seconds"],
                               delta=1e-6 * (1 + event["load"]))
        spare = 1.2 * math.sqrt(max(event["load"], 0.25))
        self.assertAlmostEqual(event["spare"], spare, delta=1e-6 * (1 + spare))
        if event["rule"] in FORMULA:
            total = event["load"] + event["spare"] + event["drain"]
            self.assertIn(event["wanted"] - event["stuck"],
                          (math.ceil(total - 1e-6), math.ceil(total + 1e-6)), event)
        if event["event"] == "stage.spawn":
            self.assertGreater(event["target"], event["workers"])
        elif event["event"] == "stage.retire":
            self.assertEqual(event["target"], event["workers"] - 1)
        else:
            self.assertEqual(event["target"], event["workers"])
            self.assertIn(event["held"], HELD)

    def slow(self, *args, stdin=subprocess.PIPE):
        self.write("slow.py", SLOW)
        return self.start("run", "--events", "ev", *args, "--", "python3", "slow.py", stdin=stdin)

    def test_the_numbers_of_a_growth(self):
        """200/s of Items that take 20 ms and more: the work of four, and head room."""
        run = self.slow("-j", "1-20", "-q", "-o", "out")
        grown = []
        for i in range(3000):
            run.stdin.write(f"{i}\n".encode())
            run.stdin.flush()
            faytest.time.sleep(0.005)
            grown = [e for e in self.events() if e["event"] == "stage.spawn"
                     and e["rule"] in FORMULA]
            if i % 50 == 0 and grown:
                break
        run.stdin.close()
        self.assertEqual(self.finish(run).code, 0)
        self.assertTrue(grown, self.events())
        for event in self.events():
            self.assertEqual(event["stage"], "python3")
            self.assert_right(event)
        event = grown[0]
        self.assertEqual(event["pressure"], "HIGH")
        self.assertGreater(event["trigger"], event["workers"] - event["stuck"] - 1e-6)
        self.assertGreater(event["item_seconds"], 0.019)
        self.assertLessEqual(event["target"], min(event["wanted"], 20))

    def test_the_maximum(self):
        self.write("in", numbered(300))
        with open("in", "rb") as stdin:
            run = self.slow("-j", "1-2", "--explain", "-o", "out", stdin=stdin)
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        held = [e for e in self.events() if e["event"] == "stage.held" and e["held"] == "AT_MAX"]
        self.assertTrue(held, self.events())
        for event in self.events():
            self.assert_right(event)
        self.assertEqual((held[0]["target"], held[0]["max"], held[0]["pressure"]), (2, 2, "HIGH"))
        self.assertGreater(held[0]["wanted"], 2)
        # in the order of time, the last line is what was counted
        lines = [line for line in done.err.split("\n") if line.startswith("python3")]
        times = [float(re.match(r"python3  ([\d.]+) s  ", line)[1]) for line in lines[:-1]]
        self.assertEqual((times, len(times)), (sorted(times), len(self.events())), done)
        self.assertRegex(lines[-1], r"^python3: 2 workers at most \(of 1-2\), 2 started")
        self.assertRegex(done.err, r"(?m)^python3  [\d.]+ s  1→2 workers")
        said = re.search(r"(?m)^python3  [\d.]+ s  stays at 2 workers, wants (\d+), HELD by "
                         r"AT_MAX: 2 is its maximum: [\d,.]+/s (?:arrive|are to be had), "
                         r"an Item takes "
                         r"([\d.]+) ms: "
                         r"load ([\d.]+) \+ ([\d.]+) to spare.* = (\d+).*; [\d,]+ wait$", done.err)
        self.assertTrue(said, done)
        self.assertEqual(said[1], said[5])
        self.assertGreater(float(said[2]), 19)

    def test_a_pinned_stage_and_the_bar(self):
        self.write("in", numbered(60))
        with open("in", "rb") as stdin:
            run = self.slow("-j", "1", "--progress", "bar", "-o", "out", stdin=stdin)
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        held, = self.events()
        self.assertEqual((held["event"], held["held"], held["target"]), ("stage.held", "PINNED", 1))
        self.assertGreater(held["wanted"], 1)
        self.assertIn("python3 1w HIGH PINNED ", done.err)

    def test_a_crash_loop(self):
        """The third one that dies is replaced a little later."""
        self.write("n", "0")
        script = 'n=$(cat n); echo $((n+1)) >n; [ $n -ge 3 ] || exit 1; exec cat -u'
        done = self.run_faymora("run", "--events", "ev", "-j", "1", "--", "sh", "-c", script,
                                input="a\n")
        self.assertEqual((done.code, done.out), (0, "a\n"), done)
        held = [e for e in self.events() if e["held"] == "CRASHLOOP"]
        self.assertEqual([(e["event"], e["workers"], e["wanted"]) for e in held],
                         [("stage.held", 0, 1)])

    def test_what_is_told_is_documented(self):
        """Every name of an event, and every member of a decision."""
        manual = MANUAL.read_text()
        page = manual[manual.index("\n# EVENTS\n"):]
        page = page[:page.index("\n# SIGNALS\n")].replace("\\_", "_")
        rooms = [faytest.SOURCE / "src" / room for room in ("report", "run")]
        sources = [p.read_text() for room in rooms for p in room.glob("*.c")]
        names = {"paused", "continued"}  # made in two steps
        for text in sources:
            names.update(re.findall(r'fay_events_emit\([^;"]*"([a-z.]+)"', text))
            names.update(re.findall(r'"(stage\.[a-z]+)"', text))
        self.assertIn("stage.held", names)
        self.assertIn("worker.down", names)
        self.assertEqual([n for n in sorted(names) if f"*{n}*" not in page], [])
        reason = (faytest.SOURCE / "src/report/reason.c").read_text()
        members = set(re.findall(r'(?:member|word)\(out, "(\w+)"', reason))
        self.assertGreater(len(members), 15)
        self.assertEqual([m for m in sorted(members) if f"_{m}_" not in page], [])
        view = (faytest.SOURCE / "src/flow/view.c").read_text()
        rules = set(re.findall(r'= "(\w+)"', view))
        self.assertGreater(len(rules), 7)
        self.assertEqual([r for r in sorted(rules) if not re.search(rf"\b{r}\b", page)], [])
        self.assertEqual([w for w in sorted(HELD) if f"*{w}*" not in manual], [])


class Told(faytest.Case):
    """fay.pressure, fay.workers, fay_stage_pressure(): HIGH while a backlog stands, else EVEN."""

    def assert_told(self, stage, backlog, trickle, workers):
        text = f"stages: [{{name: w, {stage}}}]\n"
        done = faytest.pipeline(self, text, "-q", input=backlog)
        self.assertEqual(done.code, 0, done)
        told = [[int(n) for n in line.split()] for line in done.out.split("\n")[:-1]]
        pressures = [t[:-1] for t in told]
        self.assertIn([1] * len(pressures[0]), pressures, "HIGH was never told")
        self.assertGreater(pressures.count([1] * len(pressures[0])), len(told) / 3)
        self.assertIn(workers, [t[-1] for t in told])
        # one Item after the other, each when the one before is done: nothing ever waits
        self.write("trickle.yaml", "faymora: 1\n" + text)
        run = self.start("run", "-q", "trickle.yaml", stdin=subprocess.PIPE)
        for i in range(8):
            run.stdin.write(trickle.encode())
            run.stdin.flush()
            faytest.wait_for(lambda i=i: self.text_of(run, 1).count("\n") > i, "the result")
        run.stdin.close()
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        for line in done.out.split("\n")[:-1]:
            self.assertEqual(set(line.split()[:-1]), {"0"}, done)

    def test_json(self):
        self.write("worker.py", JSON)
        run = "run: [python3, worker.py], mode: json"
        self.assert_told(f"{run}, workers: 1", numbered(100), "x\n", 1)

    def test_json_at_the_maximum(self):
        self.write("worker.py", JSON)
        run = "run: [python3, worker.py], mode: json"
        self.assert_told(f"{run}, workers: {{min: 1, max: 2}}", numbered(200), "x\n", 2)

    def test_class(self):
        path = str(self.work / "feat")
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-D_GNU_SOURCE", "-Wall",
                        "-Werror", *faytest.CFLAGS, f"-I{faytest.SOURCE}/include",
                        f"-L{faytest.BUILD}", f"-Wl,-rpath,{faytest.BUILD}", "-o", path,
                        str(faytest.HERE / "tools/feat_class.c"), "-pthread", "-lfaymora-worker"],
                       check=True)
        self.assert_told(f"run: [{path}], mode: frames, workers: 1", "pressure\n" * 100,
                         "pressure\n", 1)


if __name__ == "__main__":
    faytest.main()
