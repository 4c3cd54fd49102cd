#!/usr/bin/env python3
"""Items that fail: alone, after the tries they are due, in the dead letters; all others come
through."""
import json
import struct

import faytest

COUNT = 10000
BAD = "7301"
JSON_CRASH = """
import json, os, signal, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["item"] == "%s":
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps({"id": request["id"], "emit": [request["item"]]}), flush=True)
""" % BAD


class Poison(faytest.Case):
    def setUp(self):
        super().setUp()
        self.numbers(COUNT)

    def numbers(self, count):
        self.write("in", "".join(f"{i}\n" for i in range(count)))

    def go(self, *args, more=()):
        return self.run_faymora("run", "-a", "in", "-o", "out", "--dead-letter", "dead", *more,
                                *args)

    def letters(self):
        path = self.work / "dead"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def assert_only(self, done, bad, attempts, count=COUNT, code=1):
        """All but `bad` have come through, those are the dead letters."""
        self.assertEqual(done.code, code, done)
        letters = self.letters()
        self.assertEqual([(d["item"], d["attempts"]) for d in letters],
                         [(b, attempts) for b in bad], done)
        self.assertEqual(sorted(map(int, self.lines("out"))),
                         [i for i in range(count) if str(i) not in bad], done)
        return letters

    # ---- crashes ----

    def test_lines_worker_that_crashes(self):
        tool = faytest.tool("line")
        done = self.go("-j", "2", "--", tool, "-c", BAD)
        letter, = self.assert_only(done, [BAD], 3)
        self.assertEqual((letter["signal"], letter["stage"]), ("KILL", "line"))
        self.assertIn(f"crashing on {BAD}", letter["stderr"])

    def test_lines_worker_that_crashes_with_answers_in_its_buffer(self):
        tool = faytest.tool("line")
        done = self.go("-j", "2", "--", tool, "-b", "-c", BAD)
        self.assert_only(done, [BAD], 3)

    def test_several_bad_lines_next_to_each_other(self):
        worker = self.write("worker.sh", """
while read -r item; do
    case $item in 500|501|502|777) exit 3;; esac
    echo "$item"
done
""")
        self.numbers(1000)
        done = self.go("-j", "2", "--retries", "1", "--mode", "lines", "--", "sh", worker)
        self.assertEqual(done.code, 1, done)
        self.assertEqual(sorted((d["item"], d["attempts"], d["exit"]) for d in self.letters()),
                         [(i, 2, 3) for i in ("500", "501", "502", "777")], done)
        self.assertEqual(len(self.lines("out")), 996, done)

    def test_json_worker_that_crashes(self):
        worker = self.write("worker.py", JSON_CRASH)
        done = self.go("-j", "2", "--mode", "json", "--", "python3", worker)
        self.assert_only(done, [BAD], 3)

    def test_frames_worker_that_crashes(self):
        tool = faytest.tool("frame", sdk=True)
        done = self.go("-j", "2", "--mode", "frames", "--", tool, "-c", BAD)
        letter, = self.assert_only(done, [BAD], 3)
        self.assertEqual(letter["signal"], "KILL")

    def test_frames_worker_that_says_poison_or_again(self):
        tool = faytest.tool("frame", sdk=True)
        done = self.go("-j", "2", "--mode", "frames", "--", tool, "-x", BAD)
        letter, = self.assert_only(done, [BAD], 1)
        self.assertIn("no good", letter["error"])
        (self.work / "dead").unlink()
        done = self.go("-j", "2", "--mode", "frames", "--retries", "1", "--", tool, "-f", BAD)
        letter, = self.assert_only(done, [BAD], 2)
        self.assertIn("not now", letter["error"])

    def test_batch_that_fails(self):
        worker = ["awk", f"$0 == {BAD} {{{{exit 4}}}} 1"]
        done = self.go("-j", "2", "--mode", "batch", "--", *worker)
        letter, = self.assert_only(done, [BAD], 3)
        self.assertEqual(letter["exit"], 4)

    # ---- memory ----

    def test_more_memory_than_is_stated(self):
        """A worker that holds more than resources.memory is killed, and its Item has failed."""
        hog = "if (/^7$/) { my $n = 9e7; my $a = q(x) x $n; sleep 99 } print"
        one = "$_ = shift; " + hog
        for mode, words in ("lines", ["perl", "-ne", "BEGIN { $| = 1 } " + hog]), \
                ("exec", ["perl", "-e", one, "{}"]), ("batch", ["perl", "-ne", hog]):
            with self.subTest(mode=mode):
                self.numbers(10)
                (self.work / "dead").unlink(missing_ok=True)
                done = self.go("-j", "2", "--retries", "1", "--mode", mode, "--set",
                               "perl.resources.memory=60MiB", "--", *words)
                letter, = self.assert_only(done, ["7"], 2, count=10)
                self.assertRegex(letter["error"], r"^stage perl: a worker held [0-9.]+MiB, "
                                 r"more than resources\.memory \(60MiB\)")

    # ---- exec: exit codes ----

    def exits_with(self, code, *more, retries="2"):
        self.numbers(20)
        return self.go("--retries", retries, *more, "--", "sh", "-c",
                       f'echo $1 >>tries; [ "$1" = 7 ] && exit {code}; echo $1', "sh", "{}")

    def tries_of(self, item):
        return self.lines("tries").count(item)

    def test_exit_codes(self):
        for code, attempts in (3, 3), (65, 1), (75, 3):
            with self.subTest(code=code):
                letter, = self.assert_only(self.exits_with(code), ["7"], attempts, count=20)
                self.assertEqual(letter["exit"], code)
                self.assertEqual(self.tries_of("7"), attempts)
                (self.work / "dead").unlink()
                (self.work / "tries").unlink()

    def test_75_is_tried_again_although_exits_are_not(self):
        for code, attempts in (3, 1), (75, 3):
            with self.subTest(code=code):
                done = self.exits_with(code, "--set", "sh.retry_on=[]")
                self.assert_only(done, ["7"], attempts, count=20)
                (self.work / "dead").unlink()

    def test_126_and_127_stop_the_run(self):
        for code in 126, 127:
            with self.subTest(code=code):
                done = self.exits_with(code, "-j", "1")
                self.assertEqual(done.code, 3, done)
                self.assertEqual(self.letters(), [], done)
                self.assertIn(str(code), done.err)

    # ---- what then ----

    def test_on_error_drop_and_stop(self):
        done = self.exits_with(3, "--set", "sh.on_error=drop", retries="0")
        self.assertEqual(len(self.lines("out")), 19, done)
        self.assertEqual(self.letters(), [], done)
        self.assertEqual(done.code, 0, done)
        done = self.exits_with(3, "--set", "sh.on_error=stop", "-j", "1", retries="0")
        self.assertEqual(done.code, 5, done)

    def failing(self, *more, mod):
        self.numbers(400)
        return self.go("--retries", "0", "-j", "1", *more, "--", "sh", "-c",
                       f'[ $(($1 % {mod})) = {mod - 1} ] && exit 3; echo $1', "sh", "{}")

    def test_limit_of_failures_as_a_number(self):
        done = self.failing("--max-failures", "5", mod=10)
        self.assertEqual(done.code, 5, done)
        self.assertLessEqual(len(self.letters()), 12, done)
        (self.work / "dead").unlink()
        self.assertEqual(self.failing("--max-failures", "41", mod=10).code, 1)

    def test_limit_of_failures_as_a_part(self):
        done = self.failing("--max-failures", "5%", mod=10)
        self.assertEqual(done.code, 5, done)
        (self.work / "dead").unlink()
        self.assertEqual(self.failing("--max-failures", "20%", mod=10).code, 1)

    def test_circuit_breaker(self):
        done = self.failing(mod=1)
        self.assertEqual(done.code, 5, done)
        self.assertLess(len(self.letters()), 40, done)
        self.assertEqual(self.lines("out"), [], done)

    WORDS = [a + b + c for a in ("ab", "ka", "mo") for b in "eiou" for c in ("st", "l", "rn", "x")]

    def failing_with(self, script):
        """Every Item, a word, fails as the script has it."""
        self.write("in", "".join(f"{word}\n" for word in self.WORDS))
        (self.work / "dead").unlink(missing_ok=True)
        return self.go("--retries", "0", "-j", "1", "--", "sh", "-c", script, "sh", "{}")

    def test_circuit_breaker_sees_what_is_alike(self):
        for script in ('echo "cannot open /tmp/$1.x/y: gone" >&2; exit 3',
                       'echo "$1: no such thing" >&2; exit 3',
                       'echo "no such thing: \\"my $1\\", $$ tries" >&2; exit 3',
                       'kill -9 $$'):
            with self.subTest(script=script):
                done = self.failing_with(script)
                self.assertEqual((done.code, len(self.letters())), (5, 20), done)

    def test_circuit_breaker_sees_what_differs(self):
        for script in ('exit $((3 + ${{#1}} % 2))',
                       'case $1 in *st) echo "no $1";; *) echo "bad $1";; esac >&2; exit 3',
                       'case $1 in *x) kill -9 $$;; esac; exit 3'):
            with self.subTest(script=script):
                done = self.failing_with(script)
                self.assertEqual((done.code, len(self.letters())), (1, len(self.WORDS)), done)

    BUSY = """
import json, os, sys
for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"], "emit": [request["item"]]}
    busy = request["attempt"] == 1 or os.path.exists("busy")
    if int(request["item"]) % 100 == 0 and busy:
        answer = {"id": request["id"], "error": "rate limited", "retry": True}
    print(json.dumps(answer), flush=True)
"""

    def test_circuit_breaker_is_off_where_a_run_has_worked(self):
        """Killed while 30 Items wait for their second try: they are the first of the next life, and
        all fail alike once more."""
        worker = self.write("worker.py", self.BUSY)
        self.numbers(3000)
        self.write("busy", "")
        words = ["run", "-q", "-a", "in", "-o", "out", "--dead-letter", "dead", "--state", "state",
                 "--resume", "-j", "2", "--mode", "json", "--retries", "10000", "--set",
                 "python3.backoff.max=100ms", "--", "python3", worker]
        run = self.start(*words)
        faytest.wait_for(lambda: run.poll() is not None or self.recorded(30) == 2970,
                         "a record of all but those that wait")
        run.kill()
        self.finish(run)
        (self.work / "busy").unlink()
        self.assert_only(self.run_faymora(*words), [], 0, count=3000, code=0)

    def recorded(self, ranges):
        """How many Items the last record of the journal has as done, if in so many ranges."""
        path = self.work / "state" / "journal"
        end = path.read_bytes()[-16 * ranges:] if path.exists() else b""
        if len(end) < 16 * ranges:
            return 0
        ends = struct.unpack(f"<{2 * ranges}Q", end)
        return sum(ends[1::2]) - sum(ends[::2])

    def test_circuit_breaker_is_there_where_a_run_has_only_failed(self):
        words = ["run", "-q", "-a", "in", "-o", "out", "--dead-letter", "dead", "--state", "state",
                 "-j", "1", "--retries", "0", "--resume", "--", "sh", "-c", "exit 3", "sh", "{}"]
        for life in 1, 2:
            done = self.run_faymora(*words)
            self.assertEqual((done.code, len(self.letters())), (5, 20 * life), done)

    # ---- again ----

    def test_dead_retry_feeds_it_again(self):
        self.write("bad", "")
        self.numbers(20)
        self.write("p.yaml", """
faymora: 1
source: {file: in}
stages:
  - {name: first, run: [sh, -c, 'echo "$1" >>tries; echo "$1"', sh, "{}"]}
  - {name: second, run: [sh, -c, '[ "$1" = 7 ] && [ -e bad ] && exit 3; echo "$1"', sh, "{}"],
     retries: 0}
sink: {file: out}
dead_letter: {file: dead}
""")
        done = self.run_faymora("run", "p.yaml")
        self.assert_only(done, ["7"], 1, count=20)
        self.assertEqual(self.run_faymora("dead", "ls", "dead").code, 0)
        done = self.run_faymora("dead", "retry", "dead")
        self.assertEqual(done.code, 1, done)  # it fails again, and stays
        self.assertEqual([d["item"] for d in self.letters()], ["7"])
        (self.work / "bad").unlink()
        done = self.run_faymora("dead", "retry", "dead")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.letters(), [])
        self.assertEqual(sorted(map(int, self.lines("out"))), list(range(20)), done)
        self.assertEqual(self.tries_of("7"), 1, "it began anew at the first stage")

    def test_long_backoff_before_an_ordered_stage_stops_nobody(self):
        """Item 0 waits 8 s for its second try. All others are worked on by the first stage, and the
        second one holds what it can, meanwhile; the order is kept."""
        self.numbers(100)
        self.write("p.yaml", """
faymora: 1
source: {file: in}
stages:
  - {name: first, workers: 1, backoff: {initial: 8s, jitter: 0}, run: [sh, -c,
     'if [ "$1" = 0 ] && ! [ -e tried ]; then touch tried; exit 3; fi;
      echo "$1" >>first; echo "$1"',
     sh, "{}"]}
  - {name: second, workers: 1, ordered: true,
     run: [sh, -c, 'echo "$1" >>second; echo "$1"', sh, "{}"]}
sink: {file: out}
""")
        run = self.start("run", "p.yaml")
        faytest.wait_for(lambda: run.poll() is not None or (self.work / "second").exists()
                         and len(self.lines("second")) == 99, "the others")
        self.assertNotIn("0", self.lines("first"))
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.read("out"), self.read("in"), done)


if __name__ == "__main__":
    faytest.main()
