#!/usr/bin/env python3
"""Whatever below `faymora run` is killed, every Item comes through once, and nothing is left."""
import contextlib
import signal
import subprocess
import threading
import time

import faytest

KILLS = 40
EVERY_S = 0.15
JSON_WORKER = """
import json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    time.sleep(0.0005)
    print(json.dumps({"id": request["id"], "emit": [request["item"]]}), flush=True)
"""


class KillWorkers(faytest.Case):
    def feed(self, pipe):
        """Items for as long as there is someone to kill."""
        with contextlib.suppress(BrokenPipeError), pipe:
            while not self.enough.is_set():
                pipe.write(b"".join(b"%063d\n" % i for i in range(self.fed, self.fed + 64)))
                self.fed += 64

    def kill_at_random(self, *command, mode=()):
        self.enough, self.fed = threading.Event(), 0
        run = self.start("run", *mode, "-o", "out", "-j", "2", "--dead-letter", "dead.jsonl", "--",
                         *command, stdin=subprocess.PIPE)
        feeder = threading.Thread(target=self.feed, args=(run.stdin,))
        feeder.start()
        faytest.wait_for(lambda: len(faytest.descendants(run.pid)) >= 6 or run.poll() is not None,
                         "workers")
        kills = 0
        due = time.monotonic()
        while kills < KILLS and run.poll() is None:
            below = faytest.descendants(run.pid)
            kills += bool(below) and faytest.send(self.random.choice(below), signal.SIGKILL)
            due += EVERY_S
            time.sleep(max(0, due - time.monotonic()))
        self.enough.set()
        feeder.join()
        done = self.finish(run)
        self.assertEqual((done.code, kills), (0, KILLS), done)
        expected = [f"{i:063}" for i in range(self.fed)]
        self.assertEqual(sorted(self.read("out").split()), expected, done)
        self.assertFalse((self.work / "dead.jsonl").exists(), done)
        self.assertIn(" 0 dead", done.err)
        self.assert_nothing_left()

    def test_two_stages_of_lines_workers(self):
        tool = faytest.tool("line")
        self.kill_at_random(tool, "-u", "500", "::", tool, "-u", "500")

    def test_frames_workers(self):
        tool = faytest.tool("frame", sdk=True)
        self.kill_at_random(tool, "-u", "500", "::", tool, "-u", "500", mode=("--mode", "frames"))

    def test_json_workers(self):
        python = self.write("worker.py", JSON_WORKER)
        self.kill_at_random("python3", python, "::", "python3", python, mode=("--mode", "json"))

    def test_shells_with_children(self):
        tool = faytest.tool("line")
        self.kill_at_random("sh", "-c", f"{tool} | {tool} -u 500", "::", "sh", "-c",
                            f"{tool} -u 500 | {tool}")


if __name__ == "__main__":
    faytest.main()
