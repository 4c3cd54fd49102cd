#!/usr/bin/env python3
"""Mode frames: a class in C, as a program and as a module."""
import json
import os
import shlex
import subprocess

import faytest

built = {}


def build(directory, name, *flags):
    """The class as a program, or with -DMODULE as a module; compiled once."""
    if name not in built:
        module = "-DMODULE" in flags
        path = os.path.join(directory, name)
        links = ["-shared", "-fPIC"] if module else [f"-L{faytest.BUILD}",
                                                     f"-Wl,-rpath,{faytest.BUILD}"]
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-D_GNU_SOURCE", "-g", "-Wall",
                        "-Werror",
                        *flags, *faytest.CFLAGS, f"-I{faytest.SOURCE}/include", *links, "-o", path,
                        str(faytest.HERE / "tools/feat_class.c"), "-pthread",
                        *([] if module else ["-lfaymora-worker"])], check=True)
        with open(path, "rb") as file:
            built[name] = file.read()
    return built[name]


class Frames(faytest.Case):
    kind = "program"

    def class_(self, name="feat", *flags):
        module = self.kind == "module"
        flags = [*flags, "-DMODULE"] if module else flags
        file = f"{name}.so" if module else name
        self.write(file, build(self.work, file, *flags), 0o755)
        return f"module: ./{file}" if module else f"run: [./{file}], mode: frames"

    def feat(self, *args, settings="", text="", command=None, **more):
        return faytest.pipeline(self, text + f"""
stages: [{{name: f, {command or self.class_()}, {settings}}}]
dead_letter: {{file: dead}}
""", "-q", "--keep-order", *args, **more)

    def letters(self):
        return [json.loads(line) for line in self.lines("dead")]

    def test_results(self):
        done = self.feat(input="a\nnone\nmany\n\nb\n")
        self.assertEqual((done.code, done.out), (0, "a\n1\n2\n3\n\nb\n"), done)

    def test_many_items(self):
        text = "".join(f"{i}\n" for i in range(100000))
        done = self.feat("-o", "out", "-j", "2", input=text)
        self.assertEqual((done.code, self.read("out")), (0, text), done)

    def test_verdicts(self):
        done = self.feat(input="poison\na\nretry\nonce\nbare poison\nnonsense\n")
        self.assertEqual((done.code, done.out), (1, "a\nonce\n"), done)
        said = {x["item"]: (x["error"], x["attempts"]) for x in self.letters()}
        self.assertEqual((said["poison"], said["retry"]), (("bad number 7", 1), ("not yet", 3)))
        self.assertEqual(said["bare poison"][1], 1)
        self.assertRegex(said["nonsense"][0], "99|verdict")

    def test_defer(self):
        done = self.feat(input="defer\na\ndefer poison\ndefer\n")
        self.assertEqual((done.code, done.out), (1, "later\na\nlater\n"), done)
        self.assertEqual([(x["item"], x["error"], x["attempts"]) for x in self.letters()],
                         [("defer poison", "a thread says no", 1)])

    def test_heartbeat(self):
        done = self.feat("--timeout", "1s", "--retries", "0", input="beat\n")
        self.assertEqual((done.code, done.out), (0, "beaten\n"), done)

    def test_timeout(self):
        done = self.feat("--timeout", "100ms", "--retries", "0", input="hang\na\n")
        self.assertEqual((done.code, done.out), (1, "a\n"), done)
        self.assertIn("timeout", self.letters()[0]["error"])

    def test_crash(self):
        done = self.feat(input="a\ncrash\nb\n")
        self.assertEqual((done.code, done.out), (1, "a\nb\n"), done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["attempts"], letter["exit"]), ("crash", 3, 9))

    def test_stdout_is_free(self):
        done = self.feat(input="print\n")
        self.assertEqual((done.code, done.out), (0, "print\n"), done)
        self.assertEqual(sorted(done.err.split("\n")), ["", "stray on stderr", "stray on stdout"])

    def test_options(self):
        done = self.feat(settings="options: {size: 640, deep: {list: [a, 1]}}", input="options\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(json.loads(done.out), {"size": 640, "deep": {"list": ["a", 1]}}, done)
        done = self.feat(input="options\n")
        self.assertEqual((done.code, done.out), (0, "{}\n"), done)

    def test_life(self):
        done = self.feat("-j", "1", input="a\n")
        self.assertEqual((done.code, self.lines("calls")), (0, ["init", "drain", "fini"]), done)

    def test_status(self):
        done = self.feat("-j", "1", input="a\nstatus\n")
        self.assertEqual((done.code, done.out), (0, "a\n1 1 1 f [] 1 1 1 0\n"), done)

    def test_attributes(self):
        item = '{"do":"get","s":"t","n":7,"f":1.5,"b":true,"z":null,"l":[1,{"a":2}]}'
        done = self.feat(text="source: {stdin: true, format: jsonl}\n", input=item + "\n")
        self.assertEqual((done.code, done.out), (0, 't 7 1.5 1 [1,{"a":2}] 0 fallback 77\n'), done)

    def test_attributes_that_are_set(self):
        done = faytest.pipeline(self, f"""
            source: {{stdin: true, format: jsonl}}
            stages:
              - {{name: f, {self.class_()}}}
              - {{name: show, run: [sh, -c, 'echo "$FAYMORA_ITEM $FAYMORA_ITEM_ATTRS"', "{{}}"]}}
            """, "-q", "--keep-order", input='{"do":"set","n":7}\n')
        self.assertEqual(done.code, 0, done)
        made, copied = [line.split(" ", 1) for line in done.out.split("\n")[:-1]]
        self.assertEqual((made[0], json.loads(made[1])),
                         ("made", {"s": "t\u00e9xt", "i": -2**63, "f": 0.5, "b": True,
                                   "y": {"$base64": "AP8="}, "j": {"l": [1, None, {}]}}))
        self.assertEqual(json.loads(copied[1]), {"do": "set", "n": 7})

    def test_init_that_fails(self):
        done = self.feat(settings="options: {refuse: true}", input="a\n")
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertRegex(done.err, r"error: cannot start stage 'f': .*the licence has run out")
        self.assertIn("hint: buy another", done.err)
        self.assertFalse(os.path.exists("dead"))
        self.assertEqual(self.lines("calls"), ["init"], "tried again")

    def test_init_that_takes_a_while(self):
        """It counts as the worker's start, and no Item is read or given out meanwhile."""
        done = self.feat("--events", "events", settings="options: {slow: true}", input="a\n")
        self.assertEqual((done.code, done.out), (0, "a\n"), done)
        up, = [event for event in map(json.loads, self.lines("events"))
               if event["event"] == "worker.up"]
        self.assertGreaterEqual(up["seconds"], 0.2)

    def test_another_binary_interface(self):
        done = self.feat(command=self.class_("newer", "-DABI=99"), input="a\n")
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertRegex(done.err, r"error: cannot start stage 'f': .*interface 99")
        self.assertIn("hint: ", done.err)


class Module(Frames):
    kind = "module"

    def broken(self, content, name="broken.so"):
        self.write(name, content, 0o755)
        return self.feat(command=f"module: ./{name}", input="a\n")

    def test_modules_that_are_none(self):
        done = self.broken("no object\n")
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertRegex(done.err, r"error: cannot start stage 'f': .*broken.so")
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-x", "c",
                        "-o", "e.so",
                        "/dev/null"], check=True)
        done = self.broken((self.work / "e.so").read_bytes())
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertIn("fay_worker_entry", done.err)

    def test_a_module_that_is_not_there(self):
        done = self.feat(command="module: ./none.so", input="a\n")
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertRegex(done.err, r"error: cannot start stage 'f': .*none.so")

    def test_mode_of_a_module(self):
        done = self.feat(command="module: ./x.so, mode: lines", input="a\n")
        self.assertEqual(done.code, 2, done)
        self.assertRegex(done.err, r"p0.yaml:\d+:\d+: error: .*module")


class Program(faytest.Case):
    def test_a_program_that_does_not_speak(self):
        done = self.run_faymora("run", "-q", "--mode", "frames", "--", "sh", "-c", "exit 4", ":::",
                                "a")
        self.assertEqual((done.code, done.out), (3, ""), done)
        self.assertIn("exit 4", done.err)

    def test_started_by_hand(self):
        build(self.work, "feat")
        self.write("feat", built["feat"], 0o755)
        done = subprocess.run(["./feat"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("faymora run --mode frames -- ./feat", done.stderr)


if __name__ == "__main__":
    faytest.main()
