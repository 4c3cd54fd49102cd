#!/usr/bin/env python3
"""Workers that do not keep to what was agreed: each has an outcome of its own, and none keeps a run
from ending or takes other Items along."""
import json
import os
import subprocess

import faytest

PRELUDE = """
import json, os, signal, sys, time
def lines():
    for line in iter(sys.stdin.readline, ""):
        yield line.rstrip("\\n")
def answer(text):
    sys.stdout.write(text + "\\n"); sys.stdout.flush()
"""


class Rogues(faytest.Case):
    def go(self, body, *more, mode="lines", count=20, fields="", retries=0, limit=60):
        """Runs a Python worker on 0..count-1; its Items that failed, in their order."""
        worker = self.write("worker.py", PRELUDE + body)
        self.write("in", "".join(f"{i}\n" for i in range(count)))
        self.write("p.yaml", f"""
faymora: 1
source: {{file: in}}
stages:
  - {{name: rogue, run: [python3, {worker}], mode: {mode}, workers: 1, retries: {retries},
     backoff: {{initial: 1ms}}, {fields}}}
sink: {{file: out}}
dead_letter: {{file: dead}}
""")
        done = self.run_faymora("run", "p.yaml", *more, limit=limit)
        self.assert_nothing_left()
        path = self.work / "dead"
        letters = path.read_text().splitlines() if path.exists() else []
        done.dead = [json.loads(line) for line in letters]
        out = self.work / "out"
        done.items = out.read_bytes().decode("latin-1").split("\n")[:-1] if out.exists() else []
        return done

    def assert_bad(self, done, bad, error, count=20):
        """Only those have failed, for that reason; all others are in the sink."""
        self.assertEqual([d["item"] for d in done.dead], [str(b) for b in bad], done)
        good = [i for i in range(count) if i not in bad]
        self.assertEqual(sorted(map(int, done.items)), good, done)
        for letter in done.dead:
            self.assertRegex(letter["error"], error)
        self.assertEqual(done.code, 1 if bad else 0, done)

    # ---- streams ----

    def test_closes_stdin(self):
        done = self.go("""
for n in lines():
    answer(n)
    if n == "7":
        os.close(0); time.sleep(1000)
""", fields="prefetch: 1", retries=1)
        self.assert_bad(done, [], "")

    def test_closes_stdin_with_an_item_in_hand(self):
        done = self.go("""
for n in lines():
    if n == "7":
        os.close(0); os.close(1); time.sleep(1000)
    answer(n)
""")
        self.assert_bad(done, [7], "closed")

    def test_ends_well_with_items_in_hand(self):
        for status in 0, 3:
            with self.subTest(status=status):
                done = self.go(f"""
for n in lines():
    if n == "7":
        sys.exit({status})
    answer(n)
""")
                self.assert_bad(done, [7], "exit")
                (self.work / "dead").unlink()

    def test_ends_well_after_a_few_items(self):
        done = self.go("""
for i, n in zip(range(5), lines()):
    answer(n)
""", retries=2)
        self.assert_bad(done, [], "")

    # ---- what it prints ----

    def test_prints_more_than_it_was_asked(self):
        done = self.go("""
for n in lines():
    answer(n)
    if n == "7":
        answer("more"); answer("and more")
        time.sleep(1000)
""", fields="prefetch: 1", count=8)
        self.assertEqual((done.code, done.dead), (5, []), done)
        self.assertNotIn("more", done.items)
        self.assertRegex(done.err, "stage 'rogue': a worker printed more lines than")

    def test_prints_without_end(self):
        for mode in "lines", "json":
            with self.subTest(mode=mode):
                done = self.go("""
for n in lines():
    if n == "7" or '"7"' in n.replace(": ", ":")[-5:]:
        while True:
            sys.stdout.write("x" * 65536)
    if not n.isdigit():
        n = json.loads(n)
        n = json.dumps({"id": n["id"], "emit": [n["item"]]})
    answer(n)
""", mode=mode, fields="max_item: 1MiB")
                self.assert_bad(done, [7], "max_item")
                (self.work / "dead").unlink()

    def test_prints_without_end_and_unasked(self):
        """No Item has come yet: what it prints is one line that is too long, and not several."""
        run = self.start("run", "-q", "--mode", "lines", "--set", "cat.max_item=1MiB", "--", "cat",
                         "/dev/zero", stdin=subprocess.PIPE)
        done = self.finish(run, 60)
        run.stdin.close()
        self.assertEqual(done.code, 3, done)
        self.assertRegex(done.err, r"stage 'cat' .*max_item \(1MiB\)")
        self.assertNotIn("more lines", done.err)

    def test_prints_items_without_end_in_exec_mode(self):
        self.write("in", "1\n2\n3\n")
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--retries", "0", "--dead-letter",
                                "dead", "--set", "sh.max_output=1MiB", "--", "sh", "-c",
                                'test $1 = 2 && exec yes; echo $1', "sh", "{}")
        self.assertEqual(done.code, 1, done)
        self.assertEqual([json.loads(d)["item"] for d in self.lines("dead")], ["2"])
        self.assertIn("max_output", self.read("dead"))
        self.assertEqual(sorted(self.lines("out")), ["1", "3"])
        self.assert_nothing_left()

    def test_prints_garbage_instead_of_json(self):
        for garbage in ("hello", "{", "[]", "null", '{"id":99999,"emit":[]}', '{"id":"x"}',
                        '{"emit":["x"]}', "\\xff\\x00", "[" * 5000, '{"id":1e999}',
                        '{"id":7,"emit":["\\\\ud800"]}', '{"id":7,"emit":[],"error":"e"}'):
            with self.subTest(garbage=garbage[:20]):
                done = self.go(f"""
for line in lines():
    request = json.loads(line)
    if request["item"] == "7":
        sys.stdout.buffer.write(b'''{garbage}\\n'''); sys.stdout.flush(); time.sleep(1000)
    answer(json.dumps({{"id": request["id"], "emit": [request["item"]]}}))
""", mode="json", count=10)
                self.assert_bad(done, [7], ".", count=10)
                (self.work / "dead").unlink()

    def test_answers_every_item_with_json_that_is_nested_too_deep(self):
        """Each error quotes another line, and yet all are alike: the circuit breaker sees it."""
        done = self.go("""
for line in lines():
    request = json.loads(line)
    depth = 3000 + request["id"]
    answer('{"id": %d, "emit": [%s]}' % (request["id"], "[" * depth + "]" * depth))
""", mode="json", count=40)
        self.assertEqual((done.code, len(done.dead), done.items), (5, 20, []), done)
        self.assertIn("failed alike: printed a line of JSON nested more than 2048 deep", done.err)

    def test_answers_an_item_twice(self):
        done = self.go("""
for line in lines():
    request = json.loads(line)
    reply = json.dumps({"id": request["id"], "emit": [request["item"]]})
    answer(reply)
    if request["item"] == "7":
        answer(reply)
""", mode="json", retries=3)
        self.assertEqual(sorted(map(int, done.items)), list(range(20)), done)
        self.assertEqual(done.code, 0, done)

    def test_is_no_frames_program(self):
        self.write("in", "1\n")
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--mode", "frames", "--", "true")
        self.assertEqual(done.code, 3, done)
        self.assertEqual(self.read("out") if os.path.exists("out") else "", "")

    # ---- frames ----

    def test_gives_items_back_for_ever(self):
        """Nobody has asked for that: it counts in the end, and others do what it will not."""
        body = """
import socket, struct
s = socket.socket(fileno=3)
def read(size):
    data = b""
    while len(data) < size:
        data += s.recv(size - len(data)) or sys.exit(0)
    return data
def send(kind, payload):
    s.sendall(struct.pack("<IBBH", len(payload), kind, 0, 0) + payload)
send(1, struct.pack("<II", 1, os.getpid()))
while True:
    size, kind, flags, worker = struct.unpack("<IBBH", read(8))
    payload = read(size)
    if kind == 2:
        send(10, struct.pack("<IQ", os.getpid(), 0))
    if kind == 4:
        sys.exit(0)
    if kind == 6:
        first, = struct.unpack_from("<Q", payload)
        count, = struct.unpack_from("<I", payload, 16)
        if b"work" not in payload:
            send(15, struct.pack("<QI", first, count))
        else:
            send(12, struct.pack("<QIQB", first, 1, 0, 0) + struct.pack("<IBBH", 1, 0, 0, 0)
                 + struct.pack("<I", 4) + b"done")
"""
        self.write("worker.py", PRELUDE + body)
        self.write("in", "".join(f"{i}\n" for i in range(5)) + "work\n")
        done = self.run_faymora("run", "-q", "-a", "in", "-o", "out", "-j", "1", "--mode", "frames",
                                "--set", "python3.prefetch=1", "--set",
                                "python3.backoff.initial=1ms", "--dead-letter", "dead", "--joblog",
                                "log", "--", "python3", "worker.py", limit=30)
        self.assertEqual((done.code, self.lines("out")), (1, ["done"]), done)
        letters = [json.loads(line) for line in self.lines("dead")]
        self.assertEqual(sorted(x["item"] for x in letters), list("01234"), done)
        self.assertEqual({x["attempts"] for x in letters}, {3})
        self.assertIn("gave it back", letters[0]["error"])
        self.assertIn("more than 16 times", letters[0]["error"])
        self.assertEqual(len(self.lines("log")), 1 + 5 * 3 + 1)
        self.assert_nothing_left()

    # ---- children ----

    def test_children_that_outlive_it(self):
        for mode in "exec", "lines", "batch":
            with self.subTest(mode=mode):
                self.write("in", "1\n2\n3\n")
                words = ["sh", "-c", "setsid sleep 1000 & sleep 1000 & " + {
                    "exec": "echo $1", "lines": "cat", "batch": "cat"}[mode], "sh"]
                done = self.run_faymora("run", "-a", "in", "-o", "out", "--mode", mode, "--",
                                        *words, *(["{}"] if mode == "exec" else []))
                self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["1", "2", "3"]), done)
                self.assert_nothing_left()

    # ---- time ----

    def test_ignores_term(self):
        """It is killed when its grace is over."""
        done = self.go("""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for n in lines():
    answer(n)
while True:
    time.sleep(1000)
""", fields="stop: {grace: 200ms}")
        self.assert_bad(done, [], "")

    def test_never_answers(self):
        done = self.go("""
for n in lines():
    while n == "7":
        time.sleep(1000)
    answer(n)
""", fields="timeout: 300ms")
        self.assert_bad(done, [7], "timeout")

    def test_stops_itself(self):
        done = self.go("""
for n in lines():
    if n == "7":
        os.kill(os.getpid(), signal.SIGSTOP)
    answer(n)
""", fields="timeout: 300ms")
        self.assert_bad(done, [7], "timeout")

    def test_heartbeats_keep_an_item_from_its_timeout(self):
        done = self.go("""
for line in lines():
    request = json.loads(line)
    if request["item"] == "7":
        for i in range(10):
            time.sleep(0.1)
            answer(json.dumps({"id": request["id"], "heartbeat": i / 10}))
    answer(json.dumps({"id": request["id"], "emit": [request["item"]]}))
""", mode="json", fields="timeout: 600ms", count=9)
        self.assert_bad(done, [], "", count=9)

    def test_holds_its_output_back(self):
        """One hint, and it gets the end of its input, since that brings the answer out."""
        done = self.go("""
held = []
for n in lines():
    held.append(n)
for n in held:
    answer(n)
""", fields="stall: 200ms, prefetch: 20")
        self.assert_bad(done, [], "")
        self.assertEqual(done.err.count("may hold its output back"), 1, done)

    def test_part_of_a_pipeline_dies_with_an_item(self):
        """The rest of it waits for more, and would for ever."""
        self.write("in", "1\n2\n3\n")
        self.write("half.py", PRELUDE + """
for n in lines():
    if n == "2" and not os.path.exists("died"):
        open("died", "w"); os.kill(os.getpid(), signal.SIGKILL)
    answer(n)
""")
        done = self.run_faymora("run", "-a", "in", "-o", "out", "--mode", "lines", "--set",
                                "sh.stall=200ms", "--", "sh", "-c", "cat | python3 half.py")
        self.assertEqual((done.code, sorted(self.lines("out"))), (0, ["1", "2", "3"]), done)

    # ---- stderr ----

    def test_writes_much_to_stderr(self):
        done = self.go("""
for n in lines():
    for i in range(100):
        sys.stderr.write("e" * 99 + "\\n")
    answer(n)
    if n == "7":
        sys.stderr.write("x" * 10000000)
""", count=100)
        self.assert_bad(done, [], "", count=100)
        self.assertGreaterEqual(len(done.err), 100 * 100 * 100)

    def test_stderr_that_nobody_reads(self):
        """faymora's own stderr is a pipe that is full: the run goes on."""
        read, write = os.pipe()
        try:
            os.set_blocking(write, False)
            try:
                while True:
                    os.write(write, b"x" * 4096)
            except BlockingIOError:
                pass
            os.set_blocking(write, True)
            self.write("in", "".join(f"{i}\n" for i in range(2000)))
            run = self.start("run", "-a", "in", "-o", "out", "--progress", "none", "--quiet", "--",
                             "sh", "-c", "while read -r n; do echo $n of many >&2; echo $n; done",
                             stderr=write)
            self.assertEqual(self.finish(run).code, 0)
            self.assertEqual(len(self.lines("out")), 2000)
        finally:
            os.close(read)
            os.close(write)


if __name__ == "__main__":
    faytest.main()
