#!/usr/bin/env python3
"""Signals to `faymora run`: once drains, again aborts, a third time kills; it ends by the
signal."""
import os
import signal
import subprocess
import time

import faytest

# Says that it is at work on an Item, and goes on when it may.
WAIT = 'echo "$1" >>taken; while ! [ -e go ]; do sleep 0.02; done; echo "$1"'


class Signals(faytest.Case):
    def start_waiting(self, *more, script=WAIT, count=100000):
        self.write("in", "".join(f"{i}\n" for i in range(count)))
        run = self.start("run", "-a", "in", "-o", "out", "-j", "2", *more, "--", "sh", "-c", script,
                         "sh", "{}")
        self.wait_taken(run, 2)
        return run

    def wait_taken(self, run, count):
        taken = self.work / "taken"
        faytest.wait_for(lambda: run.poll() is not None or taken.exists()
                         and len(self.lines("taken")) >= count, "Items to be taken")
        self.assertIsNone(run.poll(), self.text_of(run))

    def after_a_second(self):
        """A second press counts only 1 s after the first: that is the contract, not a guess."""
        time.sleep(1.1)

    def test_once_drains(self):
        for number in signal.SIGINT, signal.SIGTERM:
            with self.subTest(signal=number):
                run = self.start_waiting("--state", f"state-{number}")
                run.send_signal(number)
                faytest.wait_for(lambda: "draining" in self.text_of(run), "the word")
                self.write("go", "")
                done = self.finish(run)
                self.assertEqual(done.code, -number, done)
                self.assertIn("continue with: ", done.err)
                self.assertIn("--resume", done.err)
                out = self.lines("out")
                self.assertEqual(sorted(out), sorted(self.lines("taken")), "taken, not finished")
                self.assert_nothing_left()
                os.remove("taken")
                os.remove("go")

    def test_what_it_says_to_continue_with_does(self):
        run = self.start_waiting("--state", "state", count=300)
        run.send_signal(signal.SIGINT)
        faytest.wait_for(lambda: "draining" in self.text_of(run), "the word")
        self.write("go", "")
        done = self.finish(run)
        command = done.err.split("continue with: ")[1].split("\n")[0]
        again = subprocess.run(["sh", "-c", command], env=self.env, capture_output=True, text=True,
                               timeout=faytest.LIMIT_S)
        self.assertEqual(again.returncode, 0, (command, again))
        self.assertEqual(sorted(map(int, self.lines("out"))), list(range(300)))

    def test_lines_and_other_modes_drain(self):
        tool = faytest.tool("line")
        frame = faytest.tool("frame", sdk=True)
        self.write("in", "".join(f"{i}\n" for i in range(300000)))
        for mode, words in ("lines", [tool, "-u", "500"]), ("frames", [frame, "-u", "500"]), \
                ("batch", ["sh", "-c", "sleep 0.01; cat"]):
            with self.subTest(mode=mode):
                run = self.start("run", "-a", "in", "-o", "out", "-j", "2", "--mode", mode, "--",
                                 *words, "::", *words)
                out = self.work / "out"
                faytest.wait_for(lambda: out.exists() and out.stat().st_size > 100, "output")
                run.send_signal(signal.SIGINT)
                done = self.finish(run)
                self.assertEqual(done.code, -signal.SIGINT, done)
                got = [int(line) for line in self.lines("out")]
                self.assertEqual(len(got), len(set(got)))
                self.assert_nothing_left()
                os.remove("out")

    def test_a_second_press_within_a_second_does_not_count(self):
        run = self.start_waiting()
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGINT)
        faytest.wait_for(lambda: "draining" in self.text_of(run), "the word")
        run.send_signal(signal.SIGINT)
        self.write("go", "")
        done = self.finish(run)
        self.assertEqual(sorted(self.lines("out")), sorted(self.lines("taken")), done)
        self.assertEqual(done.code, -signal.SIGINT, done)

    def test_again_aborts(self):
        run = self.start_waiting("--state", "state")
        run.send_signal(signal.SIGINT)
        self.after_a_second()
        run.send_signal(signal.SIGINT)
        done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGINT, done)
        self.assertEqual(self.read("out"), "")
        self.assert_nothing_left()
        # What was in flight is done again.
        self.write("go", "")
        os.truncate("taken", 0)
        again = self.start("run", "-a", "in", "-o", "out", "-j", "2", "--state", "state",
                           "--resume", "--", "sh", "-c", WAIT, "sh", "{}")
        self.wait_taken(again, 3)
        self.assertLessEqual({"0", "1"}, set(self.lines("taken")[:6]))
        again.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(again).code, -signal.SIGTERM)

    def test_a_third_kills_those_that_ignore_term(self):
        run = self.start_waiting("--set", "sh.stop.grace=1h", script=f"trap '' TERM INT; {WAIT}")
        run.send_signal(signal.SIGTERM)
        self.after_a_second()
        run.send_signal(signal.SIGTERM)
        self.after_a_second()
        self.assertIsNone(run.poll())
        run.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(run).code, -signal.SIGTERM)
        self.assert_nothing_left()

    def test_the_third_needs_no_second(self):
        run = self.start_waiting("--set", "sh.stop.grace=1h", script=f"trap '' TERM INT; {WAIT}")
        run.send_signal(signal.SIGINT)
        self.after_a_second()
        run.send_signal(signal.SIGINT)
        faytest.wait_for(lambda: "aborting" in self.text_of(run), "the word")
        time.sleep(0.15)  # 100 ms are what makes it another press
        run.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(run).code, -signal.SIGINT)
        self.assert_nothing_left()

    def test_a_second_that_comes_twice_is_no_third(self):
        script = f"trap 'sleep 0.3; echo >>graced; exit 1' TERM; {WAIT}"
        run = self.start_waiting("--set", "sh.stop.grace=1m", script=script)
        run.send_signal(signal.SIGINT)
        self.after_a_second()
        run.send_signal(signal.SIGSTOP)  # so that both are there when it goes on
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGTERM)
        run.send_signal(signal.SIGCONT)
        done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGINT, done)
        self.assertEqual(self.read("graced"), "\n\n", done)
        self.assert_nothing_left()

    def test_the_deadline_of_a_drain(self):
        run = self.start_waiting("--deadline", "200ms")
        run.send_signal(signal.SIGTERM)
        done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGTERM, done)
        self.assert_nothing_left()

    def test_ctrl_c_of_a_terminal_reaches_no_worker(self):
        """The terminal sends it to the whole foreground group. Workers go on, and are drained."""
        self.write("in", "".join(f"{i}\n" for i in range(100000)))
        run = self.start("run", "-a", "in", "-o", "out", "-j", "2", "--", "sh", "-c", WAIT, "sh",
                         "{}", start_new_session=True)
        self.wait_taken(run, 2)
        os.killpg(run.pid, signal.SIGINT)
        faytest.wait_for(lambda: "draining" in self.text_of(run), "the word")
        self.write("go", "")
        done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGINT, done)
        self.assertEqual(sorted(self.lines("out")), sorted(self.lines("taken")), done)

    def test_a_run_without_work_ends_at_once(self):
        run = self.start("run", "-o", "out", "--", "cat", stdin=subprocess.PIPE)
        faytest.wait_for(lambda: len(faytest.descendants(run.pid)) >= 2, "a worker")
        run.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(run).code, -signal.SIGINT)
        run.stdin.close()

    def test_signals_before_anything_has_started(self):
        for _ in range(20):
            run = self.start("run", "-o", "out", "--", "cat", stdin=subprocess.PIPE)
            time.sleep(self.random.random() * 0.02)  # anywhere in its start
            run.send_signal(signal.SIGTERM)
            self.assertEqual(self.finish(run).code, -signal.SIGTERM)
            run.stdin.close()
        self.assert_nothing_left()


if __name__ == "__main__":
    faytest.main()
