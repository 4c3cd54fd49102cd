#!/usr/bin/env python3
"""Kills and stops of faymora itself and of its Instances: what lives on goes on, and nothing that
was started is left, whatever session it has made its own."""
import os
import signal
import subprocess

import faytest

# Leaves a process in a session of its own, whose parent is gone, and one in its own group.
STRAY = "setsid sh -c 'sleep 1000 & sleep 1000' & sleep 1000 & "
JSON = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], "emit": [request["item"]]}), flush=True)
"""


class KillRun(faytest.Case):
    def commands(self):
        line, frame = faytest.tool("line"), faytest.tool("frame", sdk=True)
        python = self.write("worker.py", JSON)
        return {
            "exec": ["sh", "-c", f"{STRAY} sleep 0.01; echo $1; exec sleep 1000", "sh", "{}"],
            "lines": ["sh", "-c", f"{STRAY} {line} -u 1000 | {line}"],
            "batch": ["sh", "-c", f"{STRAY} cat; exec sleep 1000"],
            "json": ["sh", "-c", f"{STRAY} cat | python3 {python}"],
            "frames": ["sh", "-c", f"{STRAY} exec {frame} -u 1000"],
        }

    def sleepers(self, run):
        return [p for p in faytest.descendants(run.pid) if faytest.words_of(p)[:1] == ["sleep"]]

    def start_two_stages(self, mode, *more):
        command = self.commands()[mode]
        self.write("in", "".join(f"{i}\n" for i in range(300000)))
        run = self.start("run", "--mode", mode, "-a", "in", "-o", "out", "-j", "2", *more, "--",
                         *command, "::", *command)
        faytest.wait_for(lambda: run.poll() is not None or len(self.sleepers(run)) >= 6,
                         "the first stage to be at work")
        self.assertIsNone(run.poll(), self.text_of(run))
        return run

    def test_kill_of_the_run_leaves_nothing(self):
        for mode in self.commands():
            for more in [], ["--state", f"state-{mode}"]:
                with self.subTest(mode=mode, more=more):
                    run = self.start_two_stages(mode, *more)
                    run.kill()
                    run.wait()
                    self.assert_nothing_left()

    def test_kill_of_the_run_while_short_processes_come_and_go(self):
        """Often one has just ended when its Instance hears that the run is gone."""
        self.write("in", "".join(f"{i}\n" for i in range(100000)))
        stray = "setsid sleep 1000 & "
        for mode, words in ("exec", [stray + "echo $1", "sh", "{}"]), ("batch", [stray + "cat"]):
            with self.subTest(mode=mode):
                for _ in range(15):
                    run = self.start("run", "-q", "--mode", mode, "-a", "in", "-j", "2", "--", "sh",
                                     "-c", *words, stdout=subprocess.PIPE)
                    run.stdout.readline()
                    run.kill()
                    run.stdout.close()
                    run.wait()
                    self.assert_nothing_left()
                    self.assertNotIn("Assertion", self.text_of(run), mode)

    def test_kill_of_the_run_while_instances_are_stopped(self):
        for mode in self.commands():
            with self.subTest(mode=mode):
                run = self.start_two_stages(mode)
                for pid in faytest.instances(run.pid):
                    self.assertTrue(faytest.send(pid, signal.SIGSTOP))
                run.kill()
                run.wait()
                self.assert_nothing_left()

    def test_kill_of_everything_of_ours_at_once(self):
        """Then nobody is left to look for strays, but workers and pipelines of them end."""
        line = faytest.tool("line")
        self.write("in", "".join(f"{i}\n" for i in range(300000)))
        run = self.start("run", "-a", "in", "-o", "out", "-j", "2", "--", "sh", "-c",
                         f"{line} -u 1000 | {line}", "::", "sleep", "1000{}")
        faytest.wait_for(lambda: len(self.sleepers(run)) == 2, "the second stage to be at work")
        pids = faytest.instances(run.pid)
        run.kill()
        for pid in pids:
            faytest.send(pid, signal.SIGKILL)
        run.wait()
        self.assert_nothing_left()

    def finish_whole(self, run, count):
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(sorted(map(int, self.lines("out"))), list(range(count)), done)
        self.assert_nothing_left()
        return done

    def start_some(self, count, *more):
        self.write("in", "".join(f"{i}\n" for i in range(count)))
        tool = faytest.tool("line")
        command = ["sh", "-c", f"{STRAY} exec {tool} -u 1000"]
        run = self.start("run", "--mode", "lines", "-a", "in", "-o", "out", "-j", "2", *more, "--",
                         *command, "::", *command)
        faytest.wait_for(lambda: run.poll() is not None or len(self.sleepers(run)) >= 12, "workers")
        self.assertIsNone(run.poll(), self.text_of(run))
        return run

    def test_kill_of_instances(self):
        run = self.start_some(3000)
        for pid in faytest.instances(run.pid):
            self.assertTrue(faytest.send(pid, signal.SIGKILL))
        self.finish_whole(run, 3000)

    def test_a_stopped_instance_is_dead_after_the_lease_length(self):
        run = self.start_some(3000, "--events", "events")
        stopped = faytest.instances(run.pid)[1]
        self.assertTrue(faytest.send(stopped, signal.SIGSTOP))
        self.finish_whole(run, 3000)
        self.assertFalse(os.path.exists(f"/proc/{stopped}"))
        self.assertIn("instance.down", self.read("events"))

    def test_a_stopped_owner_goes_on_when_it_is_continued(self):
        run = self.start_some(3000)
        before = set(faytest.instances(run.pid))
        self.assertTrue(faytest.send(run.pid, signal.SIGSTOP))
        faytest.wait_for(lambda: not any(map(faytest.alive, before)), "the Instances to give up")
        self.assertTrue(faytest.send(run.pid, signal.SIGCONT))
        self.finish_whole(run, 3000)


if __name__ == "__main__":
    faytest.main()
