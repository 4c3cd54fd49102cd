#!/usr/bin/env python3
"""Mode json: requests and replies with ids."""
import json
import os

import faytest

HEAD = """
import json, os, sys, time
def requests():
    for line in sys.stdin:
        yield json.loads(line)
def reply(request, **more):
    print(json.dumps({"id": request["id"], **more}), flush=True)
"""


class Json(faytest.Case):
    def worker(self, body):
        self.write("worker.py", HEAD + body)

    def json(self, body, *args, text="", **more):
        self.worker(body)
        return faytest.pipeline(self, text + """
stages: [{name: w, run: [python3, worker.py], mode: json}]
dead_letter: {file: dead}
""", "-q", *args, **more)

    def letters(self):
        return [json.loads(line) for line in self.lines("dead")]

    def test_kinds_of_emit(self):
        done = self.json("""
for r in requests():
    reply(r, emit=["text " + r["item"], {"item": "obj"}, {"item": "with", "attrs": {"a": 1}}, 7,
                   1.5, None, True, [1, "x"], {"no": "such"}, {"item": {"$base64": "AP8="}},
                   {"$base64": "YQ=="}, ""])
""", "-o", "out", "--keep-order", input="x\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual((self.work / "out").read_bytes().split(b"\n")[:-1],
                         [b"text x", b"obj", b"with", b"7", b"1.5", b"null", b"true", b'[1,"x"]',
                          b'{"no":"such"}', b"\0\xff", b"a", b""])

    def test_filter_and_fan_out(self):
        done = self.json("""
for r in requests():
    reply(r, emit=[r["item"]] * int(r["item"]))
""", "--keep-order", input="0\n2\n0\n3\n")
        self.assertEqual((done.code, done.out), (0, "2\n2\n3\n3\n3\n"), done)

    def test_errors(self):
        done = self.json("""
for r in requests():
    open("tries", "a").write(r["item"] + "\\n")
    if r["item"] == "never":
        reply(r, error="it is bad", retry=False)
    elif r["item"] == "always":
        reply(r, error="try harder")
    elif r["item"] == "once" and r["attempt"] == 1:
        reply(r, error="not yet", retry=True)
    else:
        reply(r, emit=[r["item"]])
""", input="a\nnever\nalways\nonce\n")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["a", "once"]), done)
        self.assertEqual(sorted(self.lines("tries")),
                         ["a"] + 3 * ["always"] + ["never"] + 2 * ["once"])
        self.assertEqual(sorted((x["item"], x["error"], x["attempts"]) for x in self.letters()),
                         [("always", "try harder", 3), ("never", "it is bad", 1)])

    def test_any_order(self):
        done = self.json("""
held = []
for r in requests():
    held.append(r)
    if len(held) == 3 or r["item"] == "9":
        for h in reversed(held):
            reply(h, emit=[h["item"]])
        held = []
""", "--keep-order", "--set", "w.workers=1", "--set", "w.prefetch=10",
            input="".join(f"{i}\n" for i in range(10)))
        self.assertEqual((done.code, done.out), (0, "".join(f"{i}\n" for i in range(10))), done)

    def test_heartbeat_restarts_the_timeout(self):
        # 6 x 0.25 s of work with a timeout of 1 s: only heartbeats let it live
        done = self.json("""
for r in requests():
    for i in range(6):
        time.sleep(0.25)
        reply(r, heartbeat=i / 6)
    reply(r, emit=["done"])
""", "--timeout", "1s", "--retries", "0", input="a\n")
        self.assertEqual((done.code, done.out), (0, "done\n"), done)

    def test_without_a_heartbeat_it_times_out(self):
        done = self.json("""
for r in requests():
    time.sleep(1000)
""", "--timeout", "100ms", "--retries", "0", input="a\n")
        self.assertEqual(done.code, 1, done)
        self.assertIn("timeout", self.letters()[0]["error"])
        self.assert_nothing_left()

    def test_status(self):
        done = self.json("""
for r in requests():
    reply(r, emit=[json.dumps(r)])
""", "--set", "w.workers=1", "--keep-order", input="x\ny\n")
        self.assertEqual(done.code, 0, done)
        first, second = [json.loads(line) for line in done.out.split("\n")[:-1]]
        self.assertEqual(sorted(first), ["attempt", "attrs", "id", "item"])
        self.assertEqual((first["attempt"], first["item"], type(first["id"])), (1, "x", int))
        attrs = second["attrs"]
        self.assertEqual({k: v for k, v in attrs.items() if k not in ("fay.enqueued",
                                                                      "fay.pressure")},
                         {"fay.id": "1", "fay.attempt": 1, "fay.stage": "w",
                          "fay.node": os.uname().nodename,
                          "fay.parent": "", "fay.workers": 1})
        self.assertIsInstance(attrs["fay.enqueued"], int)
        self.assertLess(abs(attrs["fay.enqueued"] / 1000 - faytest.time.time()), 3600)
        self.assertIn(attrs["fay.pressure"], (-1, 0, 1, 2))

    def test_status_of_a_child_and_of_a_retry(self):
        self.worker("""
for r in requests():
    a = r["attrs"]
    if a["fay.stage"] == "one":
        reply(r, emit=["a", "b"])
    elif a["fay.id"] == "0.1" and a["fay.attempt"] == 1:
        reply(r, error="again")
    else:
        said = r["item"], a["fay.id"], a["fay.parent"], a["fay.attempt"]
        reply(r, emit=[" ".join(map(str, said))])
""")
        done = faytest.pipeline(self, """
            stages:
              - {name: one, run: [python3, worker.py], mode: json}
              - {name: two, run: [python3, worker.py], mode: json}
            """, "-q", "--keep-order", input="x\n")
        self.assertEqual((done.code, done.out), (0, "a 0.0 0 1\nb 0.1 0 2\n"), done)

    def test_typed_attributes_and_items(self):
        done = self.json("""
for r in requests():
    a = {k: v for k, v in r["attrs"].items() if not k.startswith("fay.")}
    reply(r, emit=[json.dumps([r["item"], a])])
""", "-o", "out", text="source: {stdin: true, format: jsonl}\n",
            input='{"n":1,"f":1.5,"s":"x","b":false,"z":null,"l":[1,[2]],"m":{"k":"v"},'
                  '"big":9007199254740993}\n')
        self.assertEqual(done.code, 0, done)
        item, attrs = json.loads(self.read("out"))
        self.assertEqual(attrs, {"n": 1, "f": 1.5, "s": "x", "b": False, "z": None, "l": [1, [2]],
                                 "m": {"k": "v"}, "big": 9007199254740993})
        self.assertIsInstance(attrs["n"], int)

    def test_jsonl_items_are_values(self):
        done = self.json("""
for r in requests():
    reply(r, emit=[{"item": {"got": r["item"]}}])
""", "--keep-order", text="format: jsonl\n", input='{"a":1}\n[2]\n"x"\n3\nnull\n')
        self.assertEqual(done.code, 0, done)
        self.assertEqual([json.loads(line)["got"] for line in done.out.split("\n")[:-1]],
                         [{"a": 1}, [2], "x", 3, None])

    def test_bytes_that_are_no_text(self):
        done = self.json("""
for r in requests():
    reply(r, emit=[{"item": r["item"]}])
""", "-o", "out", input=b"\xff\0x\n")
        self.assertEqual((done.code, (self.work / "out").read_bytes()), (0, b"\xff\0x\n"), done)

    def test_garbage_replaces_the_worker(self):
        done = self.json("""
for r in requests():
    if r["item"] == "bad":
        print("Traceback: no JSON at all", flush=True)
    reply(r, emit=[r["item"]])
""", input="a\nbad\nb\n")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["a", "b"]), done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["attempts"]), ("bad", 3))
        self.assertIn("Traceback", letter["error"])

    def test_a_line_that_is_too_long(self):
        """It says which limit it has passed."""
        for emit, error in (('["y" for y in range(300000)]', "of more than 262144 JSON values"),
                            ('["x" * 1000] * 70000', r"of more than 65MiB \(max_item and 64MiB\)")):
            with self.subTest(error):
                worker = self.write("worker.py", f"""import json, sys
for line in sys.stdin:
    print(json.dumps({{"id": json.loads(line)["id"], "emit": {emit}}}), flush=True)
""")
                done = self.run_faymora("run", "-q", "--mode", "json", "--retries", "0", "--set",
                                        "python3.max_item=1MiB", "--dead-letter", "dead", "--",
                                        "python3", worker, ":::", "a")
                self.assertEqual((done.code, done.out), (1, ""), done)
                self.assertRegex(json.loads(self.read("dead"))["error"], error)
                (self.work / "dead").unlink()

    def test_an_id_that_is_not_in_hand(self):
        done = self.json("""
for r in requests():
    if r["item"] == "bad":
        r["id"] = 12345
    reply(r, emit=[r["item"]])
""", "--retries", "0", input="a\nbad\n")
        self.assertEqual((done.code, done.out), (1, "a\n"), done)
        self.assertIn("12345", self.letters()[0]["error"])

    def test_a_worker_that_dies_with_many_in_hand(self):
        done = self.json("""
for r in requests():
    if r["item"] == "77":
        os.kill(os.getpid(), 9)
    reply(r, emit=[r["item"]])
""", "-o", "out", "--set", "w.prefetch=64", input="".join(f"{i}\n" for i in range(200)))
        self.assertEqual((done.code, [x["item"] for x in self.letters()]), (1, ["77"]), done)
        self.assertEqual(sorted(map(int, self.lines("out"))), [i for i in range(200) if i != 77])

    def test_an_error_text_and_attrs_in_the_letter(self):
        done = self.json("""
for r in requests():
    print("on stderr", file=sys.stderr, flush=True)
    reply(r, error="caf\\u00e9 \\"quoted\\" " + "x" * 5000, retry=False)
""", text="format: jsonl\n", input='{"n":1}\n')
        letter, = self.letters()
        self.assertEqual(done.code, 1, done)
        self.assertTrue(letter["error"].startswith('caf\u00e9 "quoted" xxx'), letter)
        self.assertEqual((letter["attrs"], letter["item"], letter["stderr"]),
                         ({"n": 1}, '{"n":1}', "on stderr\n"))


if __name__ == "__main__":
    faytest.main()
