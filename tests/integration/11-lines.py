#!/usr/bin/env python3
"""Mode lines: a worker that lives on, one line in and one line out."""
import json
import subprocess

import faytest


class Lines(faytest.Case):
    def letters(self, name="dead"):
        return [json.loads(line) for line in self.lines(name)]

    def test_one_line_for_each_in_order(self):
        text = "".join(f"{i}\n" for i in range(20000))
        done = self.run_faymora("run", "-q", "--keep-order", "-o", "out", "--", "sed", "s/$/!/",
                                "::",
                                "tr", "0-9", "a-j", input=text)
        self.assertEqual(done.code, 0, done)
        expected = text.replace("\n", "!\n").translate(str.maketrans("0123456789", "abcdefghij"))
        self.assertEqual(self.read("out"), expected)

    def test_filters_that_buffer(self):
        for command in (["tr", "a-z", "A-Z"], ["sed", "s/a/A/"], ["grep", ""], ["cut", "-c1-"],
                        ["rev"],
                        ["awk", "{print $1}"], ["python3", "-c",
                                                "import sys\nfor l in sys.stdin: print(l,end='')"]):
            with self.subTest(command[0]):
                done = self.run_faymora("run", "-q", "--", *command, ":::", "x", limit=30)
                self.assertEqual((done.code, done.out.lower()), (0, "x\n"), done)

    def test_empty_lines_and_long_lines(self):
        items = ["", "x" * 1_000_000, "", "y"]
        done = self.run_faymora("run", "-q", "--keep-order", "-o", "out", "--", "cat", "-u",
                                input="\n".join(items) + "\n")
        self.assertEqual((done.code, self.lines("out")), (0, items), done)

    def test_bytes(self):
        item = bytes(range(256)).replace(b"\n", b"")
        done = self.run_faymora("run", "-q", "-o", "out", "--", "cat", "-u", input=item + b"\n")
        self.assertEqual((done.code, (self.work / "out").read_bytes()), (0, item + b"\n"), done)

    def test_no_items(self):
        done = self.run_faymora("run", "-q", "--", "cat", "-u", input="")
        self.assertEqual((done.code, done.out, done.err), (0, "", ""), done)

    def test_an_item_with_a_newline_is_poison(self):
        done = self.run_faymora("run", "-q", "-0", "--dead-letter", "dead", "--", "cat", "-u",
                                input="a\0b\nc\0d\0")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["a", "d"]), done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["attempts"]), ("b\nc", 1))
        self.assertIn("newline", letter["error"])

    def test_a_worker_that_dies_on_an_item(self):
        tool = faytest.tool("line")
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "-o", "out", "--", tool, "-c",
                                "137",
                                input="".join(f"{i}\n" for i in range(300)))
        self.assertEqual(done.code, 1, done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["signal"], letter["attempts"]), ("137", "KILL", 3))
        self.assertIn("crashing on 137", letter["stderr"])
        self.assertEqual(sorted(map(int, self.lines("out"))), [i for i in range(300) if i != 137])

    def test_a_worker_that_never_reads(self):
        """It cannot start: no Item is at fault, however many had been sent to it."""
        for command in ["false"], ["true"], ["sh", "-c", "sleep 0.1; kill -9 $$"]:
            for count in 1, 5, 1000:
                self.write("in", "".join(f"{i}\n" for i in range(count)))
                runs = [self.start("run", "-q", "-a", "in", "--mode", mode, "--dead-letter", "dead",
                                   *jobs, "--", *command)
                        for mode in ("lines", "json") for jobs in ([], ["-j", "1"])]
                for run in runs:
                    done = self.finish(run)
                    self.assertEqual((done.code, done.out), (3, ""), (command, count, done))
                    self.assertIn(f"stage '{command[0]}' dies again and again", done.err)
                    self.assertIn("hint: ", done.err)
                self.assertFalse((self.work / "dead").exists())

    def test_a_worker_that_reads_and_dies(self):
        """The Item that it had is at fault, also if none was ever answered."""
        self.write("in", "1\n2\n3\n")
        runs = [self.start("run", "-q", "-a", "in", "--dead-letter", f"dead{i}", "--retries", "1",
                           "--set", "sh.backoff.initial=1ms", "--", "sh", "-c", "read -r x; exit 1")
                for i in range(5)]
        for i, run in enumerate(runs):
            done = self.finish(run)
            self.assertEqual((done.code, done.out), (1, ""), done)
            self.assertEqual(sorted((x["item"], x["attempts"]) for x in self.letters(f"dead{i}")),
                             [("1", 2), ("2", 2), ("3", 2)])

    def test_a_worker_that_exits_after_each_item(self):
        done = self.run_faymora("run", "-q", "-o", "out", "--", "head", "-n1", input="1\n2\n3\n4\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(sorted(self.lines("out")), ["1", "2", "3", "4"])

    def test_timeout(self):
        tool = faytest.tool("line")
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--timeout", "100ms",
                                "--retries", "1",
                                "-o", "out", "--", tool, "-e", "7",
                                input="".join(f"{i}\n" for i in range(20)))
        self.assertEqual(done.code, 1, done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["attempts"]), ("7", 2))
        self.assertIn("timeout", letter["error"])
        self.assertEqual(len(self.lines("out")), 19)
        self.assert_nothing_left()

    # ---- filters: no answer for a line, which only the end of the input brings out ----

    def go(self, items, *more, name="sh"):
        return self.run_faymora("run", "-q", "--set", f"{name}.stall=20ms", "--dead-letter", "dead",
                                "-o", "out", *more, limit=60,
                                input="".join(f"{i}\n" for i in items))

    def assert_breach(self, done, counts, name="sh"):
        self.assert_stopped(done, rf"answered {counts} and ended well", name)

    def assert_too_many(self, done, name="sh"):
        self.assert_stopped(done, "a worker printed more lines than it was given Items", name)
        self.assertIn("a banner belongs on stderr", done.err)

    def assert_stopped(self, done, reason, name):
        """With the reason; no Item is made to bear it."""
        self.assertEqual(done.code, 5, done)
        self.assertRegex(done.err, rf"error: stage '{name}': .*{reason}")
        self.assertIn("exactly one line for each", done.err)
        self.assertRegex(done.err, r"hint: .*batch.*exec.*json")
        self.assertFalse((self.work / "dead").exists(), done)
        self.assert_nothing_left()

    def test_a_filter_that_buffers(self):
        """Its answers come at the end of its input, too few: none may be given to an Item."""
        worker = self.write("worker", "#!/bin/sh\nwhile read -r l; do [ $((l%7)) = 0 ] || set -- "
                            "\"$@\" $l; done\n[ $# = 0 ] || printf '%s\\n' \"$@\"\n", 0o755)
        for ordered in [], ["--keep-order"]:
            done = self.go(range(1, 21), "--set", "worker.prefetch=20", "-j", "1", *ordered, "--",
                           worker, name="worker")
            self.assert_breach(done, "18 of 20 lines", "worker")
            self.assertEqual(self.read("out"), "")

    def test_a_filter_that_flushes(self):
        """Who was filtered cannot be told once answers have been taken, but that some were."""
        worker = "while read -r l; do [ $((l%7)) = 0 ] || echo $l; done"
        for more in (["-j", "1"], ["-j", "2"], ["--retries", "0"], ["--keep-order"],
                     ["-j", "1", "--keep-order", "--retries", "0"]):
            with self.subTest(more):
                done = self.go(range(1, 301), *more, "--", "sh", "-c", worker)
                self.assert_breach(done, r"\d+ of \d+ lines?")

    def test_a_filter_counts_from_its_beginning(self):
        worker = "while read -r l; do [ $((l%7)) = 0 ] || echo $l; done"
        done = self.go(range(1, 101), "-j", "1", "--set", "sh.prefetch=100", "--", "sh",
                       "-c", worker)
        self.assert_breach(done, "86 of 100 lines")

    def test_a_filter_of_the_last_line(self):
        worker = "while read -r l; do [ $l = 1000 ] || echo $l; done"
        for jobs in "1", "2":
            done = self.go(range(1, 1001), "-j", jobs, "--", "sh", "-c", worker)
            self.assert_breach(done, r"\d+ of \d+ lines?")
            self.assertEqual(sorted(map(int, self.lines("out"))), list(range(1, 1000)))

    def test_a_filter_of_everything(self):
        for more in ["-j", "1"], ["-j", "2", "--retries", "0"], ["--keep-order"]:
            with self.subTest(more):
                done = self.go(range(50), *more, "--", "sh", "-c",
                               "while read -r l; do :; done")
                self.assert_breach(done, r"0 of \d+ lines?")
                self.assertEqual(self.read("out"), "")

    def test_a_filter_in_the_middle(self):
        worker = "while read -r l; do [ $((l%7)) = 0 ] || echo $l; done"
        for ordered in [], ["--keep-order"]:
            done = self.go(range(1, 301), *ordered, "--", "cat", "-u", "::", "sh", "-c",
                           worker, "::", "sed", "s/$/!/")
            self.assert_breach(done, r"\d+ of \d+ lines?")

    def test_a_filter_that_is_recycled(self):
        """It is given the end of its input with Items in hand."""
        worker = "while read -r l; do [ $((l%7)) = 0 ] || echo $l; done"
        done = self.go(range(1, 101), "-j", "1", "--set", "sh.prefetch=100", "--set",
                       "sh.recycle.items=10", "--set", "sh.stall=0", "--", "sh", "-c", worker)
        self.assert_breach(done, r"\d+ of \d+ lines?")

    def test_no_filter(self):
        """Who answers late, or leaves by itself, answers all that it was given."""
        late = "import sys\nheld = list(sys.stdin)\nfor l in held: print(l, end='')"
        done = self.go(range(20), "--", "python3", "-c", late, name="python3")
        self.assertEqual((done.code, len(self.lines("out"))), (0, 20), done)
        done = self.go(range(100), "-j", "2", "--", "head", "-n", "5", name="head")
        self.assertEqual((done.code, sorted(map(int, self.lines("out")))), (0, list(range(100))),
                         done)

    def test_who_leaves_by_itself_when_it_is_recycled_is_no_filter(self):
        for stall in "0", "20ms":
            done = self.go(range(100), "--set", "head.recycle.items=5", "--set",
                           f"head.stall={stall}", "--", "head", "-n", "5", name="head")
            self.assertEqual((done.code, sorted(map(int, self.lines("out")))),
                             (0, list(range(100))), done)

    def test_a_crash_behind_the_end_of_the_input_is_no_filter(self):
        """Not every line is answered, but it has not ended well: tried again."""
        for end in "exit 3", "kill -9 $$":
            with self.subTest(end):
                worker = f"""while read -r l; do [ $l = 7 ] && [ ! -e died ] || echo $l; done
                    [ -e died ] || {{ : >died; {end}; }}"""
                done = self.go(range(1, 8), "-j", "1", "--", "sh", "-c", worker)
                self.assertEqual((done.code, sorted(map(int, self.lines("out")))),
                                 (0, list(range(1, 8))), done)
                (self.work / "died").unlink()

    # ---- more lines than Items: some line before was no answer ----

    EACH_WAY = (["-j", "1"], ["-j", "2"], ["-j", "1", "--keep-order"],
                ["-j", "2", "--keep-order"], ["--retries", "0"])

    def test_two_lines_for_each(self):
        for more in self.EACH_WAY:
            for count in 1, 10, 1000:
                with self.subTest(more, count=count):
                    done = self.go(range(count), *more, "--", "sed", "p", name="sed")
                    self.assert_too_many(done, "sed")

    def test_two_lines_for_each_in_the_middle(self):
        for ordered in [], ["--keep-order"]:
            done = self.go(range(300), *ordered, "--", "cat", "-u", "::", "sed", "p", "::", "sed",
                           "s/$/!/", name="sed")
            self.assert_too_many(done, "sed")

    def test_a_banner(self):
        """Each answer is that of the Item before, until the last has none to answer."""
        for more in self.EACH_WAY:
            for count in 1, 20:
                with self.subTest(more, count=count):
                    done = self.go(range(count), *more, "--", "sh", "-c", "echo hello; exec cat")
                    self.assert_too_many(done)

    def test_a_last_word(self):
        for more in self.EACH_WAY:
            with self.subTest(more):
                done = self.go(range(5), *more, "--", "sh", "-c", "cat; echo 5 lines")
                self.assert_too_many(done)

    def test_lines_behind_the_end_of_the_input(self):
        """They are held back, and none is passed on."""
        late = "import sys\nheld = list(sys.stdin)\nfor l in held: print(l, l, sep='', end='')"
        for more in ["-j", "1"], ["-j", "2", "--keep-order"]:
            done = self.go(range(20), *more, "--", "python3", "-c", late, name="python3")
            self.assert_too_many(done, "python3")
            self.assertEqual(self.read("out"), "")

    def test_lines_of_who_has_closed_its_input(self):
        worker = "read -r l; exec <&-; echo $l; echo $l; echo $l; sleep 1000"
        for more in self.EACH_WAY:
            with self.subTest(more):
                done = self.go(range(2), "--set", "sh.prefetch=1", *more, "--", "sh", "-c", worker)
                self.assert_too_many(done)

    def test_the_beginning_of_a_line_may_come_before_its_item(self):
        """A prompt: the last of them is no line."""
        worker = "printf '> '; while read -r l; do echo $l; printf '> '; done"
        for more in [], ["--set", "sh.prefetch=1"]:
            done = self.go(range(20), "-j", "1", *more, "--", "sh", "-c", worker)
            self.assertEqual((done.code, self.lines("out")), (0, [f"> {i}" for i in range(20)]),
                             done)

    def test_pty(self):
        worker = "import sys\nfor l in sys.stdin: print(sys.stdout.isatty(), l, end='')"
        done = self.run_faymora("run", "-q", "--set", "python3.buffering=pty", "--keep-order", "--",
                                "python3",
                                "-c", worker, input="a\nb\n")
        self.assertEqual((done.code, done.out), (0, "True a\nTrue b\n"), done)

    def test_stall_hint(self):
        worker = self.write("worker", "#!/bin/sh\nread -r x; read -r y; echo $x; echo $y\n", 0o755)
        process = self.start("run", "--set", "worker.stall=20ms", "--", worker,
                             stdin=subprocess.PIPE)
        process.stdin.write(b"a\n")
        process.stdin.flush()
        faytest.wait_for(lambda: "buffering: pty" in self.text_of(process), "the hint")
        process.stdin.close()  # it exits without an answer, and will never give one
        self.finish(process)
        self.assertEqual(self.text_of(process).count("buffering: pty"), 1)
        self.assert_nothing_left()


if __name__ == "__main__":
    faytest.main()
