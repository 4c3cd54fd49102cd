#!/usr/bin/env python3
"""Ordered stages: whatever is slow, filtered, dead or killed, results leave in the order of the
input and nobody waits for ever."""
import json
import signal
import subprocess
import threading

import faytest

# Filters every third Item, fails every seventh for good, gives two for every eleventh.
VARIED = """
import json, random, sys, time
for line in sys.stdin:
    request = json.loads(line)
    n = int(request["item"])
    if n % 5 == 0:
        time.sleep(random.random() * 0.005)
    if n % 3 == 0:
        reply = {"emit": []}
    elif n % 7 == 0:
        reply = {"error": "seven", "retry": False}
    elif n % 17 == 0 and request["attempt"] < 2:
        reply = {"error": "not at once"}
    elif n % 11 == 0:
        reply = {"emit": [str(n), str(n)]}
    else:
        reply = {"emit": [str(n)]}
    print(json.dumps({"id": request["id"], **reply}), flush=True)
"""


def expected(count):
    out = []
    for n in range(count):
        if n % 3 and n % 7:
            out += [n, n] if n % 11 == 0 else [n]
    return out


class Order(faytest.Case):
    def numbers(self, count):
        self.write("in", "".join(f"{i}\n" for i in range(count)))

    def varied(self, *more, count=3000):
        self.numbers(count)
        worker = self.write("worker.py", VARIED)
        self.write("p.yaml", f"""
faymora: 1
source: {{file: in}}
defaults: {{backoff: {{initial: 20ms}}}}
stages:
  - {{name: one, run: [python3, {worker}], mode: json, workers: 3, ordered: true{''.join(more)}}}
  - {{name: two, run: [{faytest.tool("line")}, -r, "300"], mode: lines, workers: 3,
      ordered: true{''.join(more)}}}
sink: {{file: out}}
dead_letter: {{file: dead}}
""")
        return self.start("run", "p.yaml")

    def check(self, done, count=3000):
        self.assertEqual(done.code, 1, done)
        self.assertEqual([int(n) for n in self.lines("out")], expected(count), done)
        dead = sorted(int(json.loads(line)["item"]) for line in self.lines("dead"))
        self.assertEqual(dead, [n for n in range(count) if n % 3 and n % 7 == 0], done)
        self.assert_nothing_left()

    def test_delays_filters_and_dead_ones(self):
        self.check(self.finish(self.varied()))

    def test_small_window(self):
        for items in 1, 2, 7:
            with self.subTest(items=items):
                run = self.varied(f", reorder: {{items: {items}}}", count=400)
                self.check(self.finish(run), 400)
                (self.work / "dead").unlink()

    def test_instances_and_workers_are_killed(self):
        run = self.varied(", reorder: {items: 32}", ", retries: 8")
        for _ in range(12):
            out = self.work / "out"
            size = out.stat().st_size if out.exists() else 0
            below = faytest.descendants(run.pid)
            if below:
                faytest.send(self.random.choice(below), signal.SIGKILL)
            faytest.wait_for(lambda: run.poll() is not None or out.exists()
                             and out.stat().st_size > size, "output between the kills")
        self.check(self.finish(run))

    def test_keep_order_from_pipe_to_pipe(self):
        run = self.start("run", "--keep-order", "-j", "4", "--", "sh", "-c",
                         'sleep 0.0$(($1 % 3)); echo $1', "sh", "{}",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def feed():
            with run.stdin:
                run.stdin.write(b"".join(b"%d\n" % i for i in range(200)))
        feeder = threading.Thread(target=feed)
        feeder.start()
        with run.stdout:
            got = run.stdout.read()
        feeder.join()
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.assertEqual([int(n) for n in got.split()], list(range(200)), done)

    def test_one_in_order_answers_at_once(self):
        """Nothing waits for more to come: each answer is there before the next Item is given."""
        run = self.start("run", "--keep-order", "-j", "3", "--", "cat", "::", "cat",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for i in range(200):
            run.stdin.write(b"%d\n" % i)
            run.stdin.flush()
            self.assertEqual(run.stdout.readline(), b"%d\n" % i)
        run.stdin.close()
        self.assertEqual(run.stdout.read(), b"")
        run.stdout.close()
        self.assertEqual(self.finish(run).code, 0)


if __name__ == "__main__":
    faytest.main()
