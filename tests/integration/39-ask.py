#!/usr/bin/env python3
"""The circuit breaker on a terminal: the run pauses, explains, and asks at /dev/tty."""
import fcntl
import json
import os
import pty
import select
import signal
import sys
import termios

import faytest

QUESTION = "[y/N] "
COUNT = 60
FAIL = ["sh", "-c", 'echo "$1" >>taken; echo "cannot do $1" >&2; exit 4', "sh", "{}"]

# A shell, as far as it has jobs: starts the run in a process group of its own, in the foreground or
# not, moves it there with the signals that it is sent, and says how it has ended.
SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
foreground, result, words = sys.argv[1] == "fg", sys.argv[2], sys.argv[3:]
def own_group():
    os.setpgrp()
    if foreground:
        os.tcsetpgrp(2, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
run = subprocess.Popen(words, preexec_fn=own_group)
while True:
    _, status = os.waitpid(run.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        break
    os.tcsetpgrp(2, os.getpid())
    with open(result + ".stopped", "w") as file:
        file.write(str(os.WSTOPSIG(status)))
    if signal.sigwait([signal.SIGUSR1, signal.SIGUSR2]) == signal.SIGUSR1:
        os.tcsetpgrp(2, run.pid)
    os.killpg(run.pid, signal.SIGCONT)
with open(result + ".new", "w") as file:
    file.write(str(os.waitstatus_to_exitcode(status)))
os.rename(result + ".new", result)
"""


class Ask(faytest.Case):
    def setUp(self):
        super().setUp()
        self.write("in", "".join(f"{i}\n" for i in range(COUNT)))
        self.said = b""

    # ---- a terminal ----

    def open_terminal(self):
        self.master, self.slave = pty.openpty()
        self.addCleanup(self.hang_up)

    def hang_up(self):
        for name in "master", "slave":
            if getattr(self, name, None) is not None:
                os.close(getattr(self, name))
                setattr(self, name, None)

    def launch(self, words, stdin):
        """Starts it at the head of a session, whose terminal is ours."""
        def take_terminal():
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])

        process = faytest.subprocess.Popen(
            words, stdin=stdin, stdout=faytest.subprocess.DEVNULL, stderr=self.slave,
            start_new_session=True, preexec_fn=take_terminal, env={**self.env, "TERM": "xterm"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def words(self, *more, command=FAIL):
        return [faytest.FAYMORA, "run", "-a", "in", "-o", "out", "--dead-letter", "dead", "-j", "1",
                "--retries", "0", *more, "--", *command]

    def start_run(self, *more, command=FAIL, stdin=faytest.subprocess.DEVNULL):
        self.open_terminal()
        return self.launch(self.words(*more, command=command), stdin)

    def listen(self):
        """Reads what the terminal shows; false when it has been left by all."""
        ready, _, _ = select.select([self.master], [], [], 0.01)
        if ready:
            try:
                self.said += os.read(self.master, 65536)
            except OSError:
                return False
        return True

    def text(self):
        return self.said.decode(errors="replace")

    def hear(self, text, times=1):
        def heard():
            self.listen()
            return self.text().count(text) >= times
        try:
            faytest.wait_for(heard, repr(text))
        except AssertionError as error:
            self.fail(f"{error}; heard: {self.text()}")

    def type(self, text):
        os.write(self.master, text)

    def end_of(self, process):
        def ended():
            self.listen()
            return process.poll() is not None
        faytest.wait_for(ended, "its end")
        while select.select([self.master], [], [], 0)[0] and self.listen():
            pass
        self.assert_nothing_left()
        return process.returncode

    def letters(self):
        path = self.work / "dead"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def assert_stopped(self, process, code, taken=20):
        """Nothing was begun after the question, and nothing is lost."""
        self.assertEqual(self.end_of(process), code, self.text())
        self.assertEqual((len(self.lines("taken")), len(self.letters())), (taken, 20), self.text())

    # ---- answers ----

    def test_it_explains(self):
        run = self.start_run()
        self.hear(QUESTION)
        for text in ("paused: the first 20 Items of stage 'sh' all failed alike: exit 4: cannot do",
                     "stderr:", "    cannot do 19", "dead letters: dead (20 so far)",
                     "::: 19"):
            self.assertIn(text, self.text())
        # what it says to try by hand does what it did in the run
        line = self.text().split("try one by hand:\r\n")[1].split("\r\n")[0].strip()
        self.assertEqual(line.split()[0], "faymora")
        done = faytest.subprocess.run(
            ["sh", "-c", f"{faytest.FAYMORA}{line.removeprefix('faymora')}"], env=self.env,
            stdin=faytest.subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertIn("cannot do 19", done.stderr)
        self.type(b"n\n")
        self.assert_stopped(run, 5, taken=21)

    def test_yes_goes_on_and_is_not_asked_again(self):
        for mode in "auto", "none":
            with self.subTest(progress=mode):
                run = self.start_run("--progress", mode, "--events", "events")
                self.hear(QUESTION)
                self.type(b"y\n")
                self.assertEqual(self.end_of(run), 1, self.text())
                self.assertEqual([d["item"] for d in self.letters()],
                                 [str(i) for i in range(COUNT)], self.text())
                self.assertEqual(self.text().count(QUESTION), 1, self.text())
                events = [json.loads(line)["event"] for line in self.lines("events")]
                self.assertEqual([e for e in events if e in ("paused", "continued")],
                                 ["paused", "continued"])
                self.hang_up()
                os.remove("dead")
                os.remove("events")
                self.said = b""

    def test_stdin_is_left_to_the_source(self):
        read, write = os.pipe()
        self.open_terminal()
        words = self.words()
        del words[2:4]
        run = self.launch(words, read)
        os.close(read)
        os.write(write, b"".join(b"%d\n" % i for i in range(30)))
        self.hear(QUESTION)
        os.write(write, b"y\n")
        os.write(write, b"30\n")
        os.close(write)
        self.type(b"what?\n")
        self.hear(QUESTION, 2)
        self.type(b"Yes\n")
        self.assertEqual(self.end_of(run), 1, self.text())
        self.assertEqual([d["item"] for d in self.letters()],
                         [str(i) for i in range(30)] + ["y", "30"], self.text())

    def test_no_stops(self):
        for typed in b"n\n", b"No\n", b"\n":
            with self.subTest(typed=typed):
                run = self.start_run()
                self.hear(QUESTION)
                self.type(typed)
                self.assert_stopped(run, 5)
                self.assertIn("faymora: error: the first 20 Items", self.text())
                self.hang_up()
                os.remove("dead")
                os.remove("taken")
                self.said = b""

    def test_nothing_is_lost_by_stopping(self):
        script = 'echo "$1" >>taken; [ -e mended ] || exit 4; echo "$1"'
        command = ["sh", "-c", script, "sh", "{}"]
        run = self.start_run("--state", "state", command=command)
        self.hear(QUESTION)
        self.type(b"n\n")
        self.assert_stopped(run, 5)
        self.assertIn("continue with: ", self.text())
        self.write("mended", "")
        done = self.run_faymora(*self.words("--state", "state", "--resume", command=command)[1:])
        self.assertEqual(done.code, 1, done)  # those that died before count
        self.assertEqual(self.lines("out"), [str(i) for i in range(20, COUNT)])

    def test_what_is_in_workers_may_finish(self):
        script = ('echo "$1" >>taken; [ "$1" = 0 ] || exit 4; '
                  'while ! [ -e go ]; do sleep 0.02; done; echo "$1"')
        run = self.start_run("-j", "2", command=["sh", "-c", script, "sh", "{}"])
        self.hear(QUESTION)
        self.write("go", "")
        faytest.wait_for(lambda: self.read("out") == "0\n", "the Item that was in hand")
        self.type(b"n\n")
        self.assert_stopped(run, 5, taken=21)

    # ---- no answer ----

    def test_ctrl_c(self):
        run = self.start_run()
        self.hear(QUESTION)
        self.type(b"\x03")
        self.assert_stopped(run, -signal.SIGINT)

    def test_term(self):
        run = self.start_run()
        self.hear(QUESTION)
        run.send_signal(signal.SIGTERM)
        self.assert_stopped(run, -signal.SIGTERM)

    def test_end_of_file(self):
        run = self.start_run()
        self.hear(QUESTION)
        self.type(b"\x04")
        self.assert_stopped(run, 5)

    def test_a_terminal_that_hangs_up(self):
        run = self.start_run()
        self.hear(QUESTION)
        self.hang_up()
        self.assertEqual(run.wait(faytest.LIMIT_S), 5)
        self.assert_nothing_left()
        self.assertEqual((len(self.lines("taken")), len(self.letters())), (20, 20))

    def test_the_time_of_the_run_is_over(self):
        run = self.start_run("--set", "limits.run_time=5s")
        self.hear(QUESTION)
        self.assert_stopped(run, 5)
        self.assertIn("run_time", self.text())

    # ---- nobody to be asked ----

    def test_who_is_not_asked(self):
        for more in ["-q"], ["--json"]:
            with self.subTest(more=more):
                run = self.start_run(*more)
                self.assert_stopped(run, 5)
                self.assertNotIn(QUESTION, self.text())
                self.assertIn("failed alike", self.text())
                self.hang_up()
                os.remove("dead")
                os.remove("taken")
                self.said = b""

    def test_a_terminal_that_is_the_source_is_not_asked(self):
        self.open_terminal()
        words = self.words()
        del words[2:4]
        run = self.launch(words, self.slave)
        self.type(b"".join(b"%d\n" % i for i in range(25)))
        self.assert_stopped(run, 5)
        self.assertNotIn(QUESTION, self.text())

    def test_stderr_that_is_no_terminal(self):
        self.open_terminal()
        words = ["sh", "-c", 'exec "$@" 2>err', "sh", *self.words()]
        run = self.launch(words, faytest.subprocess.DEVNULL)
        self.assert_stopped(run, 5)
        self.assertNotIn(QUESTION, self.text() + self.read("err"))

    # ---- jobs of a shell ----

    def start_job(self, how):
        self.open_terminal()
        shell = self.write("shell.py", SHELL)
        return self.launch([sys.executable, shell, how, "result", *self.words()],
                           faytest.subprocess.DEVNULL)

    def assert_job_stopped(self, shell, code):
        self.assertEqual(self.end_of(shell), 0, self.text())
        self.assertEqual(self.read("result"), str(code), self.text())
        self.assertEqual((len(self.lines("taken")), len(self.letters())), (20, 20), self.text())

    def test_in_the_background_it_is_not_asked(self):
        """Nor stopped by the terminal for trying to read."""
        shell = self.start_job("bg")
        self.assert_job_stopped(shell, 5)
        self.assertFalse(os.path.exists("result.stopped"))
        self.assertNotIn(QUESTION, self.text())

    def stop_job(self):
        shell = self.start_job("fg")
        self.hear(QUESTION)
        self.type(b"\x1a")
        faytest.wait_for(lambda: self.listen() and os.path.exists("result.stopped"), "the stop")
        return shell

    def test_stopped_and_continued_it_asks_again(self):
        shell = self.stop_job()
        shell.send_signal(signal.SIGUSR1)
        self.hear(QUESTION, 2)
        self.type(b"n\n")
        self.assert_job_stopped(shell, 5)

    def test_put_into_the_background_it_stops(self):
        shell = self.stop_job()
        shell.send_signal(signal.SIGUSR2)
        self.assert_job_stopped(shell, 5)


if __name__ == "__main__":
    faytest.main()
