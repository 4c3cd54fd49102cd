#!/usr/bin/env python3
"""Sources and sinks that fail, end or block: the run says so, ends, and has lost nothing it has
said is done."""
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess

import faytest

COUNT = 20000


def limit_files(bytes):
    """What stands in for a full disk where none can be mounted: EFBIG instead of ENOSPC."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))
    return limit


class Io(faytest.Case):
    def numbers(self, count=COUNT):
        self.write("in", "".join(f"{i:099}\n" for i in range(count)))

    # ---- full disks ----

    def test_full_disk(self):
        """A tmpfs of 1 MiB in a mount namespace of its own, then the same with room again."""
        unshare = ["unshare", "-Urm"] if os.getuid() != 0 else ["unshare", "-m"]
        if subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no mount namespaces here")
        self.numbers()
        (self.work / "disk").mkdir()
        run = f"{faytest.FAYMORA} run -a in -o disk/out --state state -j 2"
        self.write("script", f"""
mount -t tmpfs -o size=1m none disk || exit 99
{run} -- cat
echo "first $?"
[ $(stat -c %s disk/out) -le 1048576 ] && echo small
mount -o remount,size=4m disk
{run} --resume -- cat
echo "second $?"
cp disk/out out
""")
        done = subprocess.run([*unshare, "sh", "script"], env=self.env, capture_output=True,
                              text=True, timeout=faytest.LIMIT_S)
        self.assertEqual(done.stdout.split("\n")[:3], ["first 7", "small", "second 0"], done)
        self.assertRegex(done.stderr, r"No space left on device", done)
        self.assertEqual(sorted(self.lines("out")), self.lines("in"))
        self.assert_nothing_left()

    def test_file_too_large_for_the_limit(self):
        self.numbers()
        for more in [], ["--keep-order"], ["--state", "state"]:
            with self.subTest(more=more):
                done = self.run_faymora("run", "-a", "in", "-o", "out", *more, "--", "cat",
                                        preexec_fn=limit_files(100000))
                self.assertEqual(done.code, 7, done)
                self.assertIn("File too large", done.err)
                self.assertLessEqual((self.work / "out").stat().st_size, 100000)
                self.assert_nothing_left()

        done = self.run_faymora("run", "-a", "in", "-o", "out", "--state", "state", "--resume",
                                "--", "cat")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(sorted(self.lines("out")), self.lines("in"))

    def test_dev_full(self):
        self.numbers(100)
        done = self.run_faymora("run", "-a", "in", "-o", "/dev/full", "--", "cat")
        self.assertEqual(done.code, 7, done)
        self.assertIn("No space left", done.err)
        with open("/dev/full", "w") as full:
            done = self.run_faymora("run", "-a", "in", "--", "cat", stdout=full)
        self.assertEqual(done.code, 7, done)
        self.assertRegex(done.err, r"run \w+: (\d+) in · 0 out · 0 dead · \1 not done · ")

    def test_dead_letters_cannot_be_written(self):
        self.numbers(100)
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--dead-letter", "/dev/full",
                                "--retries", "0", "--", "sh", "-c", "exit $(( $1 % 10 == 7 ))",
                                "sh", "{#}")
        self.assertEqual(done.code, 7, done)
        self.assertIn("/dev/full", done.err)

    def test_dead_letters_on_a_full_disk(self):
        """Each Item is in the output, in a letter, or not done yet: none is in none of them."""
        self.numbers(300)
        run = ("run", "-a", "in", "-o", "out", "--dead-letter", "dead", "--state", "state",
               "--retries", "0")
        command = ("--", "sh", "-c", "[ $(( $1 % 2 )) = 0 ] && echo $2", "sh", "{#}", "{}")
        done = self.run_faymora(*run, *command, preexec_fn=limit_files(30000))
        self.assertEqual(done.code, 7, done)
        self.assertRegex(done.err, "error: cannot write dead: File too large")
        self.assertLessEqual(os.path.getsize("dead"), 30000)
        done = self.run_faymora(*run, "--resume", *command)
        self.assertEqual(done.code, 1, done)
        letters = [json.loads(line)["item"] for line in self.lines("dead")]
        self.assertEqual(len(letters), 150)
        self.assertEqual(sorted(letters + self.lines("out")), self.lines("in"))

    def test_a_torn_letter_does_not_take_the_next_one_with_it(self):
        run = ("run", "-o", "out", "--dead-letter", "dead", "--retries", "0", "--", "sh", "-c",
               "[ $(( $1 % 2 )) = 0 ]", "sh", "{#}")
        self.numbers(300)
        done = self.run_faymora(*run[:1], "-a", "in", *run[1:], preexec_fn=limit_files(30000))
        self.assertEqual(done.code, 7, done)
        self.assertRegex(done.err, r"hint: Item \d+ of stage 'sh' is dead and not in it")
        whole = len(self.lines("dead"))
        self.assertEqual(os.path.getsize("dead"), 30000)
        for number in 1, 2:
            done = self.run_faymora(*run, input="a\n")
            self.assertEqual(done.code, 1, done)
            lines = self.lines("dead")
            self.assertEqual(len(lines), whole + 1 + number)
            self.assertEqual(json.loads(lines[-1])["item"], "a")

    def test_output_that_cannot_be_kept(self):
        """Held output of an exec or batch try whose file has no room: never a part of the results,
        but a try that has failed. One prints more than the disk has room for, one less."""
        unshare = ["unshare", "-Urm"] if os.getuid() != 0 else ["unshare", "-m"]
        if subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no mount namespaces here")
        self.write("in", "200000\n100\n600000\n")
        os.mkdir("disk")
        for mode, command in ("exec", "[seq, '{}']"), ("batch", "[xargs, seq]"):
            with self.subTest(mode=mode):
                self.write("p.yaml", "faymora: 1\nsource: {file: in}\n"
                           f"stages: [{{name: one, run: {command}, mode: {mode}, retries: 1, "
                           "batch: {items: 1}, workers: 1, backoff: {initial: 1ms}}]\n"
                           f"sink: {{file: out-{mode}}}\ndead_letter: {{file: dead-{mode}}}\n")
                self.write("script", "mount -t tmpfs -o size=1100k none disk || exit 99\n"
                           f"TMPDIR=$PWD/disk exec {faytest.FAYMORA} run p.yaml\n")
                done = subprocess.run([*unshare, "sh", "script"], env=self.env, capture_output=True,
                                      text=True, timeout=faytest.LIMIT_S)
                self.assertEqual(done.returncode, 1, done)
                self.assertEqual(self.lines(f"out-{mode}"), [str(i) for i in range(1, 101)], done)
                letters = [json.loads(line) for line in self.lines(f"dead-{mode}")]
                self.assertEqual([letter["item"] for letter in letters], ["200000", "600000"])
                for letter in letters:
                    self.assertEqual(letter["attempts"], 2, letter)
                    self.assertEqual(letter["error"],
                                     "cannot keep its output: No space left on device", letter)

    def test_output_beyond_the_limit_for_files(self):
        """The same without a namespace of our own."""
        self.write("in", "200000\n100\n")
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--retries", "0", "--dead-letter",
                                "dead", "--", "seq", "{}", preexec_fn=limit_files(1100 << 10))
        self.assertEqual(done.code, 1, done)
        self.assertEqual(len(self.lines("out")), 100, done)
        self.assertIn("cannot keep its output: File too large", self.read("dead"))

    # ---- logs that were asked for ----

    def log_flags(self, place):
        return (("--joblog", place + "/log"), ("--results", place),
                ("--events", place + "/events"))

    def assert_log_lost(self, done, flag, why, code=7):
        """Told once, with the file and the cause; the run has gone on to its end."""
        self.assertEqual(done.code, code, done)
        told = [line for line in done.err.split("\n") if "warning" in line]
        self.assertEqual(len(told), 1, done)
        self.assertRegex(told[0], f"^faymora: warning: {flag}: cannot write .*: {why}$")
        self.assertIn("the run goes on", done.err)

    def test_logs_on_a_full_device(self):
        self.numbers(2000)
        os.mkdir("res")
        os.symlink("/dev/full", "res/cat.out")
        os.symlink("/dev/full", "res/log")
        os.symlink("/dev/full", "res/events")
        for flag, place in self.log_flags("res"):
            with self.subTest(flag=flag):
                done = self.run_faymora("run", "-a", "in", "-o", "out", "--json", flag, place,
                                        "--", "cat")
                self.assert_log_lost(done, flag, "No space left on device")
                self.assertEqual(sorted(self.lines("out")), self.lines("in"))
                report = json.loads(done.err.strip().split("\n")[-1])
                self.assertEqual((report["exit"], report["done"]), (7, 2000))
                self.assertIn("cannot write " + ("res/cat.out" if place == "res" else place),
                              report["why"])

    def test_logs_on_a_full_disk(self):
        unshare = ["unshare", "-Urm"] if os.getuid() != 0 else ["unshare", "-m"]
        if subprocess.run([*unshare, "sh", "-c", "mount -t tmpfs -o size=8k none /mnt"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no mount namespaces here")
        self.numbers()
        os.mkdir("disk")
        for flag, place in self.log_flags("disk"):
            with self.subTest(flag=flag):
                self.write("script", "mount -t tmpfs -o size=8k none disk || exit 99\n"
                           "head -c 8100 /dev/zero >disk/events\n"
                           f"exec {faytest.FAYMORA} run -a in -o out -q {flag} {place} -- cat\n")
                done = subprocess.run([*unshare, "sh", "script"], env=self.env,
                                      capture_output=True, text=True, timeout=faytest.LIMIT_S)
                done = faytest.Done(done.returncode, done.stdout, done.stderr)
                self.assert_log_lost(done, flag, "No space left on device")
                self.assertEqual(sorted(self.lines("out")), self.lines("in"))

    def test_logs_beyond_the_limit_for_files(self):
        self.numbers(2000)
        for flag, place in self.log_flags("res"):
            with self.subTest(flag=flag):
                os.makedirs("res", exist_ok=True)
                done = self.run_faymora("run", "-a", "in", "-o", "/dev/null", flag, place, "--",
                                        "cat", preexec_fn=limit_files(200))
                self.assert_log_lost(done, flag, "File too large")

    def test_a_lost_log_is_told_when_it_happens(self):
        """While the run still waits for its input."""
        run = self.start("run", "-o", "out", "--events", "/dev/full", "--", "cat",
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(b"warning: --events: cannot write /dev/full: No space", run.stderr.readline())
        run.stdin.write(b"a\n")
        run.stdin.close()
        with run.stderr:
            done = self.finish(run)
        self.assertEqual((done.code, self.lines("out")), (7, ["a"]), done)

    def test_what_is_worse_than_a_lost_log(self):
        self.numbers(100)
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--events", "/dev/full",
                                "--dead-letter", "dead", "--retries", "0", "--", "sh", "-c",
                                "exit $(( $1 % 10 == 7 ))", "sh", "{#}")
        self.assert_log_lost(done, "--events", "No space left on device")
        self.assertEqual(len(self.lines("dead")), 10)
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--events", "/dev/full",
                                "--dead-letter", "dead", "--", "false", "{}")
        self.assert_log_lost(done, "--events", "No space left on device", code=5)

    # ---- logs that somebody reads, or does not ----

    def reader_of(self, name):
        """A FIFO, and its end to read from."""
        os.mkfifo(name)
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, fd)
        return fd

    def read_all(self, fd, until):
        """Reads until what has come satisfies `until`, or the writer has gone."""
        os.set_blocking(fd, False)
        text = bytearray()

        def more():
            try:
                part = os.read(fd, 1 << 20)
            except BlockingIOError:
                return until(text)
            text.extend(part)
            return not part or until(text)

        faytest.wait_for(more, "what is written to the log")
        return bytes(text)

    def begin_with_events(self, to, dead, **more):
        """A run that has told of so many dead Items, and does not end yet."""
        run = self.start("run", "-o", "out", "--retries", "0", "--dead-letter", "none", "--events",
                         to, "--", "sh", "-c", 'echo "$0"; case $0 in x*) exit 65;; esac', "{}",
                         stdin=subprocess.PIPE, **more)
        self.feed(run, "first\n" + f"{'x' * 100}\n" * dead + "last\n", 2)
        return run

    def feed(self, run, text, out):
        run.stdin.write(text.encode())
        run.stdin.flush()
        faytest.wait_for(lambda: os.path.exists("out") and len(self.lines("out")) == out,
                         "the output")

    def test_a_reader_of_events_that_stalls_holds_nobody(self):
        """More than a pipe takes waits, and comes when it is read."""
        fd = self.reader_of("ff")
        run = self.begin_with_events("ff", 1000)
        text = self.read_all(fd, lambda text: text.count(b'"item.dead"') == 1000)
        run.stdin.close()
        text += self.read_all(fd, lambda text: False)
        done = self.finish(run)
        self.assertEqual(done.code, 1, done)
        self.assertNotIn("warning", done.err)
        events = [json.loads(line)["event"] for line in text.decode().splitlines()]
        self.assertEqual((events[0], events.count("done"), events.count("item.dead")),
                         ("start", 1, 1000))

    def test_a_run_ends_though_its_events_are_not_read(self):
        fd = self.reader_of("ff")
        run = self.begin_with_events("ff", 1000)
        run.send_signal(signal.SIGTERM)
        done = self.finish(run)
        run.stdin.close()
        self.assertEqual(done.code, -signal.SIGTERM, done)
        missing = re.search(r"warning: --events: (\d+) lines are missing in ff: it was not read",
                            done.err)
        self.assertTrue(missing, done)
        text = self.read_all(fd, lambda text: False)
        self.assertEqual(json.loads(text.split(b"\n")[0])["event"], "start")

    def test_a_log_keeps_so_much_for_its_reader(self):
        """And drops whole lines beyond that, which is told, counted, and in the exit code."""
        fd = self.reader_of("ff")
        run = self.start("run", "-o", "out", "--joblog", "ff", "--mode", "lines", "--", "sh", "-c",
                         f": {'x' * 100_000}; exec cat -u", stdin=subprocess.PIPE)
        self.feed(run, "".join(f"{i}\n" for i in range(400)), 400)
        faytest.wait_for(lambda: "warning: --joblog: ff is not read as fast as" in
                         self.text_of(run), "the warning")
        text = self.read_all(fd, lambda text: text.count(b"\n") > 100)
        run.stdin.close()
        text += self.read_all(fd, lambda text: False)
        done = self.finish(run)
        self.assertEqual((done.code, done.err.count("warning")), (7, 2), done)
        missing = re.search(r"--joblog: (\d+) lines are missing in ff", done.err)
        lines = text.split(b"\n")
        self.assertEqual((len(lines) - 2 + int(missing[1]), lines[0][:3], lines[-1]),
                         (400, b"Seq", b""), done)
        self.assertEqual({line.count(b"\t") for line in lines[:-1]}, {13})

    def test_a_fifo_that_is_read_later(self):
        os.mkfifo("ff")
        run = self.begin_with_events("ff", 0)
        fd = os.open("ff", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, fd)
        faytest.wait_for(lambda: select.select([fd], [], [], 0)[0], "the first event")
        run.stdin.close()
        text = self.read_all(fd, lambda text: text.endswith(b"\n") and b'"done"' in text)
        done = self.finish(run)
        self.assertEqual((done.code, done.err.count("warning")), (0, 0), done)
        self.assertIn(b'"start"', text.split(b"\n")[0])

    def test_a_fifo_that_nobody_reads(self):
        os.mkfifo("ff")
        self.numbers(10)
        for flag in "--events", "--joblog":
            done = self.run_faymora("run", "-a", "in", "-o", "out", flag, "ff", "--", "cat")
            self.assertEqual((done.code, len(self.lines("out"))), (7, 10), done)
            self.assertRegex(done.err, f"warning: {flag}: \\d+ lines are missing in ff: nobody")

    def test_events_on_a_stdout_that_stalls(self):
        """A pipe and a socket; both stay blocking for those that share them."""
        for ends in os.pipe(), [s.detach() for s in reversed(socket.socketpair())]:
            for fd in ends:
                self.addCleanup(os.close, fd)
            run = self.begin_with_events("-", 2000, stdout=ends[1])
            self.assertTrue(os.get_blocking(ends[1]))
            text = self.read_all(ends[0], lambda text: text.count(b'"item.dead"') == 2000)
            self.assertTrue(all(json.loads(line) for line in text.split(b"\n")[:-1]))
            run.stdin.close()
            self.assertEqual(self.finish(run).code, 1)
            os.unlink("out")

    # ---- pipes ----

    def test_closed_pipe_ends_the_run_at_once(self):
        """`faymora run .. | head -1`, with a source that never ends by itself."""
        for more in [], ["--keep-order"]:
            with self.subTest(more=more):
                source = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
                run = self.start("run", *more, "-j", "2", "--", "cat", "::", "cat",
                                 stdin=source.stdout, stdout=subprocess.PIPE)
                source.stdout.close()
                head = subprocess.run(["head", "-1"], stdin=run.stdout, capture_output=True,
                                      timeout=faytest.LIMIT_S)
                run.stdout.close()
                self.assertEqual(head.stdout, b"y\n")
                done = self.finish(run)
                self.assertEqual(done.code, -signal.SIGPIPE, done)
                source.wait(faytest.LIMIT_S)
                self.assert_nothing_left()

    def test_closed_pipe_while_short_processes_come_and_go(self):
        """Often one has just ended when the Instance hears that nobody wants what it printed."""
        self.write("in", "".join(f"{i}\n" for i in range(100000)))
        for mode, words in ("exec", ["sh", "-c", "echo $1", "sh", "{}"]), ("batch", ["cat"]):
            with self.subTest(mode=mode):
                for _ in range(15):
                    run = self.start("run", "-q", "--mode", mode, "-a", "in", "-j", "2", "--",
                                     *words, stdout=subprocess.PIPE)
                    run.stdout.readline()
                    run.stdout.close()
                    done = self.finish(run)
                    self.assertEqual(done.code, -signal.SIGPIPE, done)
                    self.assertNotIn("Assertion", done.err, mode)
                    self.assert_nothing_left()

    def test_closed_pipe_ends_a_run_that_waits_for_input(self):
        run = self.start("run", "--", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        run.stdin.write(b"a\n")
        run.stdin.flush()
        self.assertEqual(run.stdout.readline(), b"a\n")
        run.stdout.close()
        self.assertEqual(self.finish(run).code, -signal.SIGPIPE)
        run.stdin.close()

    def test_a_sink_that_blocks_stops_the_source(self):
        """Nobody reads: the run takes only so much, and goes on where it was when somebody does."""
        run = self.start("run", "-j", "2", "--", "cat", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
        os.set_blocking(run.stdin.fileno(), False)
        given = 0
        part = b"x" * 99 + b"\n"

        def full():
            nonlocal given
            before = given
            try:
                while given < 1 << 30:
                    given += os.write(run.stdin.fileno(), part * 100 if given % 100 == 0 else
                                      part[given % 100:])
            except BlockingIOError:
                pass
            # It has taken nothing for as long as it is asked 20 times.
            full.rest = full.rest + 1 if given == before else 0
            return full.rest > 20

        full.rest = 0
        faytest.wait_for(full, "the source to be stopped")
        self.assertLess(given, 200 << 20)
        run.stdin.close()
        with run.stdout:
            taken = sum(len(part) for part in iter(lambda: run.stdout.read(1 << 20), b""))
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.assertIn(taken - given, (0, 1), "a last line without an end gets one")

    # ---- sources ----

    def test_inputs_that_are_not_there_or_unreadable(self):
        for name, code in ("nosuch", 7), (".", 7):
            with self.subTest(name=name):
                done = self.run_faymora("run", "-a", name, "-o", "out", "--", "cat")
                self.assertEqual(done.code, code, done)
                self.assertIn(name, done.err)
                self.assertFalse((self.work / "out").exists())

    def test_the_output_is_not_the_input(self):
        self.numbers(10)
        os.link(self.work / "in", self.work / "same")
        for name in "in", "same", "./in":
            with self.subTest(name=name):
                done = self.run_faymora("run", "-a", "in", "-o", name, "--", "cat")
                self.assertEqual(done.code, 2, done)
                self.assertIn("is the input", done.err)
                self.assertEqual(len(self.lines("in")), 10)

    def test_one_of_several_inputs_is_missing(self):
        self.numbers(10)
        self.write("p.yaml", "faymora: 1\nsource: {file: [in, nosuch]}\n"
                   "stages: [{run: [cat], mode: lines}]\nsink: {file: out}\n")
        done = self.run_faymora("run", "p.yaml")
        self.assertEqual(done.code, 7, done)
        self.assertIn("nosuch", done.err)

    def test_outputs_that_cannot_be_made(self):
        self.numbers(10)
        for name in "no/such/out", ".":
            with self.subTest(name=name):
                done = self.run_faymora("run", "-a", "in", "-o", name, "--", "cat")
                self.assertEqual(done.code, 7, done)

    def test_input_that_shrinks_while_it_is_read(self):
        """Then there is less to read, and what was read is not lost."""
        self.numbers()
        run = self.start("run", "-a", "in", "-o", "out", "-j", "1", "--", faytest.tool("line"),
                         "-u", "200")
        out = self.work / "out"
        faytest.wait_for(lambda: out.exists() and out.stat().st_size > 0, "output")
        os.truncate("in", 0)
        done = self.finish(run)
        self.assertIn(done.code, (0, 7), done)
        got = [int(line) for line in self.lines("out") if len(line) == 99]  # one may be cut
        self.assertEqual(sorted(got), list(range(len(got))), done)

    def test_commands_as_source_and_sink(self):
        self.write("p.yaml", "faymora: 1\nsource: {exec: [sh, -c, 'seq 100; exit 3']}\n"
                   "stages: [{run: [cat], mode: lines}]\nsink: {file: out}\n")
        done = self.run_faymora("run", "p.yaml")
        self.assertEqual((done.code, len(self.lines("out"))), (7, 100), done)
        self.write("p.yaml", "faymora: 1\nsource: {exec: [seq, '100']}\n"
                   "stages: [{run: [cat], mode: lines}]\nsink: {exec: [sh, -c, 'head -5 >out2']}\n")
        done = self.run_faymora("run", "p.yaml")
        self.assertEqual(len(self.lines("out2")), 5, done)

    def test_a_fifo_as_input(self):
        os.mkfifo("fifo")
        run = self.start("run", "-a", "fifo", "-o", "out", "--", "cat")
        with open("fifo", "w") as fifo:
            fifo.write("a\nb\nc")
        done = self.finish(run)
        self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["a", "b", "c"]), done)

    def test_closed_standard_descriptors(self):
        self.numbers(10)
        for closed in "0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-":
            with self.subTest(closed=closed):
                done = subprocess.run(
                    ["sh", "-c", f'exec "$0" run -a in -o out -- cat {closed}', faytest.FAYMORA],
                    env=self.env, capture_output=True, timeout=faytest.LIMIT_S)
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(len(self.lines("out")), 10)
                os.remove("out")


if __name__ == "__main__":
    faytest.main()
