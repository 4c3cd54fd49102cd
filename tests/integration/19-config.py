#!/usr/bin/env python3
"""What is wrong with a pipeline or a command line is told with its place, before anything runs."""
import json
import os
import signal

import faytest

BAD = """faymora: 1
nam: x
stages:
  - name: score
    worker: 4
    run: [cat]
    run: [tac]
  - name: score
    run: [cat]
    mode: line
  - {name: c, run: [cat], input: scre, retries: many}
sink: {fil: x}
"""
ERRORS = [(2, 1, "unknown key 'nam'", "did you mean 'name'?"),
          (5, 5, "unknown key 'worker' in stage 'score'", "did you mean 'workers'?"),
          (7, 5, "duplicate key 'run'", "first said in line 6"),
          (8, 11, "two stages are named 'score'", "the other one is in line 4"),
          (10, 11, "'mode' in stage 'score' must be one of", "did you mean 'lines'?"),
          (11, 34, "stage 'c' has an unknown input 'scre'", "did you mean 'score'?"),
          (11, 49, "'retries' in stage 'c' must be", ""),
          (12, 8, "unknown key 'fil' in 'sink'", "did you mean 'file'?")]


class Errors(faytest.Case):
    def lint(self, text, *args, raw=False):
        self.write("p.yaml", text if raw else "faymora: 1\n" + text)
        return self.run_faymora("lint", *args, "p.yaml")

    def test_all_errors_of_a_file_at_once(self):
        done = self.lint(BAD, raw=True)
        self.assertEqual((done.code, done.out), (2, ""), done)
        heads = [line for line in done.err.split("\n") if line.startswith("p.yaml:")]
        self.assertEqual(len(heads), len(ERRORS), done)
        for head, (line, column, text, hint) in zip(heads, ERRORS):
            self.assertTrue(head.startswith(f"p.yaml:{line}:{column}: error: {text}"), head)
            self.assertIn(hint, done.err)
        self.assertIn("    5 |     worker: 4\n      |     ^~~~~~   did you mean 'workers'?\n",
                      done.err)

    def test_the_same_from_run_and_nothing_is_started(self):
        self.write("p.yaml", BAD)
        done = self.run_faymora("run", "p.yaml", input="a\n")
        self.assertEqual((done.code, done.out), (2, ""), done)
        self.assertEqual(done.err.count("p.yaml:"), len(ERRORS))

    def test_json(self):
        done = self.lint(BAD, "--json", raw=True)
        said = json.loads(done.out)
        self.assertEqual((done.code, done.err, said["schema"]), (2, "", 1))
        self.assertEqual([(e["file"], e["line"], e["column"]) for e in said["errors"]],
                         [("p.yaml", line, column) for line, column, _, _ in ERRORS])

    def test_several_files(self):
        self.write("good.yaml", "faymora: 1\nstages: [{run: [cat]}]\n")
        self.write("bad.yaml", "faymora: 1\nstages: []\n")
        done = self.run_faymora("lint", "good.yaml", "bad.yaml", "none.yaml")
        self.assertEqual(done.code, 2, done)
        self.assertIn("bad.yaml:2:", done.err)
        self.assertIn("none.yaml", done.err)
        self.assertNotIn("good.yaml", done.err)
        done = self.run_faymora("lint", "good.yaml")
        self.assertEqual((done.code, done.err), (0, ""), done)

    def test_a_file_that_cannot_be_read(self):
        """Is misuse, like an error in it: 7 is of sources and sinks."""
        self.write("locked.yaml", "faymora: 1\nstages: [{run: [cat]}]\n", mode=0)
        os.mkdir("dir.yaml")
        os.symlink("loop.yaml", "loop.yaml")
        cases = [("none.yaml", "No such file or directory"), ("dir.yaml", "Is a directory"),
                 ("locked.yaml/x", "Not a directory"),
                 ("loop.yaml", "Too many levels of symbolic links")]
        if not os.access("locked.yaml", os.R_OK):
            cases.append(("locked.yaml", "Permission denied"))
        for verb in "run", "plan", "lint":
            for name, why in cases:
                with self.subTest(verb=verb, name=name):
                    done = self.run_faymora(verb, name, input="a\n")
                    self.assertEqual((done.code, done.out), (2, ""), done)
                    self.assertIn(f"{name}: error: cannot be read: {why}", done.err)
        done = self.run_faymora("run", "cat", input="a\n")
        self.assertEqual(done.code, 2, done)
        self.assertIn("-- cat", done.err, "the mistake to expect of who knows xargs")
        done = self.run_faymora("lint", "--json", "none.yaml")
        self.assertEqual((done.code, json.loads(done.out)["errors"][0]["file"]), (2, "none.yaml"))

    def test_fields_of_later_versions_are_refused_by_name(self):
        stage = "stages: [{{run: [cat], {}}}]"
        for text, name in ((stage.format("place: {nodes: x}"), "place"),
                           (stage.format("files: [x]"), "files"),
                           (stage.format("channels: [c]"), "channels"), ("source: put", "put"),
                           ("source: {nats: {url: x}}", "nats"),
                           ("source: {redis: {url: x}}", "redis"),
                           ("source: {http: x}", "http"), ("source: {api: true}", "api"),
                           ("source: {channel: c}", "channel"), ("sink: {http: {url: x}}", "http"),
                           ("sink: {channel: c}", "channel"), ("sink: {nats: x}", "nats"),
                           ("sink: {redis: x}", "redis"), ("sink: {api: true}", "api"),
                           ("dead_letter: {nats: x}", "nats")):
            with self.subTest(text):
                stages = "" if "stages" in text else "stages: [{run: [cat]}]\n"
                done = self.lint(text + "\n" + stages)
                self.assertEqual(done.code, 2, done)
                self.assertRegex(done.err, rf"p.yaml:2:\d+: error: '.*{name}.*not supported yet")

    def test_single_errors(self):
        for text, line, said in (
                ("stages: [{run: [cat]}]\nstages: [{run: [cat]}]\n", 3, "duplicate key 'stages'"),
                ("stages: [{run: [cat], sh: cat}]\n", 2, "'sh'"),
                ("stages: [{name: a}]\n", 2, "command"),
                ("stages: [{run: []}]\n", 2, "empty"), ("name: x\n", None, "stages"),
                ("stages: [{name: a, run: [cat], input: b}, {name: b, run: [cat], input: a}]\n", 2,
                 "cycle|circle"),
                ("stages: [{name: a, run: [cat], input: a}]\n", 2, "cycle|circle|itself"),
                ("stages: [{run: [cat], timeout: 5 parsecs}]\n", 2, "timeout"),
                ("stages: [{run: [cat], workers: {min: 5, max: 2}}]\n", 2, "min"),
                ("stages: [{run: [cat], workers: 5000}]\n", 2, "workers"),
                ("stages: [{run: [cat], max_item: 2GiB}]\n", 2, "max_item"),
                ("stages: [{run: [cat], retries: forever}]\n", 2, "forever"),
                ("stages: [{run: [cat], env: {FAYMORA_X: y}}]\n", 2, "FAYMORA_"),
                ("stages: [{run: [echo, '{nope}']}]\n", 2, "placeholder"),
                ("stages: [{run: [cat], mode: exec}]\nformat: xml\n", 3, "format"),
                ("stages: [{run: [cat]}]\nsource: {file: x, dir: y}\n", 3, "dir"),
                ("stages: [{run: [cat]}]\nsource: &x stdin\nname: *x\n", 4, "alias|anchor"),
                ("stages: [{run: [cat]}\n", None, "YAML"), ("\tx: 1\n", 2, "YAML"),
                ("stages: [{run: [cat, \"a\\0b\"]}]\n", 2, "NUL")):
            with self.subTest(text):
                done = self.lint(text)
                self.assertEqual((done.code, done.out), (2, ""), done)
                self.assertRegex(done.err,
                                 rf"p.yaml:{line or chr(92) + 'd+'}:\d+: error: .*({said})")

    def test_versions(self):
        done = self.lint("faymora: 2\nstages: [{run: [cat]}]\n", raw=True)
        self.assertEqual(done.code, 2, done)
        self.assertRegex(done.err, "p.yaml:1:10: error: this pipeline needs faymora >=")
        done = self.lint("stages: [{run: [cat]}]\n", raw=True)
        self.assertEqual(done.code, 2, done)
        self.assertIn("faymora: 1", done.err)

    def test_block_and_flow_and_stdin(self):
        block = ("faymora: 1\nstages:\n  - name: a\n    run:\n"
                 "      - tr\n      - a-z\n      - A-Z\nsink: null\n")
        self.write("in", "a\n")
        done = self.run_faymora("run", "-", "-a", "in", "-o", "out", input=block)
        self.assertEqual((done.code, self.read("out")), (0, "A\n"), done)
        done = self.run_faymora("run", "-", "-q", "-a", "in", "-o", "-",
                                input='{"faymora": 1, "stages": [{"run": ["tr", "a-z", "A-Z"]}]}')
        self.assertEqual((done.code, done.out), (0, "A\n"), done)

    def test_defaults_are_merged(self):
        done = faytest.pipeline(self, """
            defaults: {retries: 0, env: {A: "1"}}
            stages:
              - name: a
                run: [sh, -c, 'echo x >>a; [ "$1" != bad ] || exit 1; echo $1$A', -, "{}"]
              - name: b
                run: [sh, -c, 'echo x >>b; [ "$1" != bad2 ] || exit 1; echo $1$A', -, "{}"]
                retries: 1
            dead_letter: none
            """, "-q", input="bad\nbad\n")
        self.assertEqual((done.code, len(self.lines("a"))), (1, 2), done)

    def test_no_dead_letter_file(self):
        done = self.run_faymora("run", "-q", "--dead-letter", "none", "--retries", "0", "--",
                                "false", "{}",
                                ":::", "a", "b")
        self.assertEqual((done.code, sorted(os.listdir())), (1, [".err0", ".out0", "tmp"]), done)


class CommandLine(faytest.Case):
    def test_set(self):
        text = """
            stages:
              - {name: one, run: [sh, -c, 'echo x >>tries; exit 1', "{}"]}
            dead_letter: none
            """
        done = faytest.pipeline(self, text, "-q", "--set", "one.retries=0", input="a\n")
        self.assertEqual((done.code, self.lines("tries")), (1, ["x"]), done)
        done = faytest.pipeline(self, text, "-q", "--set", "limits.failures=1", "--set",
                                "one.retries=0",
                                input="a\nb\nc\n")
        self.assertEqual(done.code, 5, done)
        for wrong, said in (("one.retris=0", "did you mean 'retries'"), ("two.retries=0", "two"),
                            ("one.retries=x", "retries"), ("one", "one"),
                            ("one.place.nodes=x", "place")):
            with self.subTest(wrong):
                done = faytest.pipeline(self, text, "--set", wrong, input="a\n")
                self.assertEqual((done.code, done.out), (2, ""), done)
                self.assertIn(said, done.err)

    def test_jobs_and_mode_apply_to_every_stage(self):
        done = self.run_faymora("run", "-q", "--dry-run", "-j", "2-5", "--mode", "batch", "--",
                                "cat", "::", "cat")
        self.assertEqual((done.code, done.out.count("batch:"), done.out.count("2 to 5")), (0, 2, 2),
                         done)
        done = self.run_faymora("run", "-q", "-j", "3", "--", "sh", "-c",
                                'echo $$; mkdir $$; '
                                'while [ $(ls -d [0-9]* | wc -l) -lt 3 ]; do sleep .01; done',
                                "{}", ":::", "a", "b", "c")
        self.assertEqual((done.code, len(done.out.split())), (0, 3), done)
        for wrong in "0", "5-2", "x", "-1", "2000":
            self.assertEqual(self.run_faymora("run", "-j", wrong, "--", "cat", ":::", "a").code, 2,
                             wrong)

    def test_global_flags_before_and_behind_the_verb(self):
        for args in (["-q", "--json", "run"], ["run", "-q", "--json"], ["--json", "run", "-q"]):
            done = self.run_faymora(*args, "--", "echo", "--json", "-q", "{}", ":::", "a")
            self.assertEqual((done.code, done.out), (0, "--json -q a\n"), done)
            self.assertEqual(json.loads(done.err)["in"], 1)
        for args in (["--version"], ["run", "--version"], ["version"]):
            done = self.run_faymora(*args)
            self.assertEqual(done.code, 0, done)
            self.assertRegex(done.out, r"^faymora \d+\.\d+\.\d+")

    def test_help(self):
        for args in (["-h"], ["--help"], ["help"], ["run", "-h"], ["help", "run"], ["dead", "-h"],
                     ["lint", "--help"],
                     ["plan", "-h"], ["init", "-h"], ["bench", "-h"], ["completion", "-h"]):
            done = self.run_faymora(*args)
            self.assertEqual((done.code, done.err), (0, ""), done)
            self.assertIn("faymora", done.out)

    def test_usage(self):
        for args, said in (([], "faymora"), (["rn"], "run"), (["run"], "run"),
                           (["run", "--retires", "1", "--", "cat"],
"--retries"), (["run", "--retries"], "--retries"), (["run", "--"], "command"),
                           (["run", "--", "::", "cat"], "command"),
                           (["run", "a.yaml", "b.yaml"], "b.yaml"),
                           (["run", "--format", "xml", "--", "cat"], "xml"),
                           (["run", "--resume", "--", "cat"], "--state"),
                           (["completion", "fish"], "bash"),
                           (["run", "--timeout", "x", "--", "cat"], "x")):
            with self.subTest(args):
                done = self.run_faymora(*args)
                self.assertEqual((done.code, done.out), (2, ""), done)
                self.assertIn(said, done.err)

    def test_later_flags_and_commands_are_refused_by_name(self):
        for args, said in ((["run", "--grid", "h:1", "--", "cat"], "--grid"),
                           (["run", "--detach", "--", "cat"], "--detach"),
                           (["put", "x"], "put"), (["spawn"], "spawn"), (["drain"], "drain")):
            with self.subTest(args):
                done = self.run_faymora(*args)
                self.assertEqual((done.code, done.out), (2, ""), done)
                self.assertIn(said, done.err)

    def test_plan(self):
        self.write("p.yaml",
                   "faymora: 1\nstages:\n  - {name: a, run: [./x, '{}']}\n"
                   "  - {name: b, run: [sort], mode: batch}\n")
        done = self.run_faymora("plan", "p.yaml")
        self.assertEqual((done.code, done.err), (0, ""), done)
        for text in ("./x {}", "mode     exec", "mode     batch", "sort", "exactly once",
                     "a  <- source", "b  <- a"):
            self.assertIn(text, done.out)
        self.assertEqual(self.run_faymora("run", "--dry-run", "p.yaml").out, done.out)
        done = self.run_faymora("plan", "-a", "in", "-o", "out", "--", "cat")
        self.assertIn("file in", " ".join(done.out.split()))

    def test_completion(self):
        done = self.run_faymora("completion", "bash")
        self.write("c", done.out + "\ncomplete -p faymora\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(faytest.subprocess.run(["bash", "-eu", "c"],
                                                stdout=faytest.subprocess.DEVNULL).returncode, 0)

    def test_init(self):
        for kind in "exec", "lines", "json", "c":
            with self.subTest(kind):
                os.makedirs(f"{kind}.d")
                done = self.run_faymora("init", kind, cwd=f"{kind}.d")
                self.assertEqual(done.code, 0, done)
                done = self.run_faymora("lint", "pipeline.yaml", cwd=f"{kind}.d")
                self.assertEqual((done.code, done.err), (0, ""), done)
                before = {p: p.read_bytes() for p in (self.work / f"{kind}.d").iterdir()}
                self.assertNotEqual(self.run_faymora("init", kind, cwd=f"{kind}.d").code, 0)
                self.assertEqual({p: p.read_bytes() for p in (self.work / f"{kind}.d").iterdir()},
                                 before)
                if kind != "c":
                    done = self.run_faymora("run", "-q", "pipeline.yaml", input="one\ntwo\n",
                                            cwd=f"{kind}.d")
                    self.assertEqual((done.code, done.out.count("\n")), (0, 2), done)


class Codes(faytest.Case):
    def test_0_and_1(self):
        self.assertEqual(self.run_faymora("run", "-q", "--", "echo", "{}", ":::", "a").code, 0)
        done = self.run_faymora("run", "-q", "--retries", "0", "--", "false", "{}", ":::", "a")
        self.assertEqual(done.code, 1, done)

    def test_3_a_program_that_is_not_there(self):
        self.write("notes", "text\n")
        self.write("weird", "#!/no/such/interpreter\n", 0o755)
        self.write("in", "a\nb\n")
        for program, said, hint in (("./none", "No such file", ""),
                                    ("no-such-program", "No such file", "PATH"),
                                    ("./notes", "Permission denied", "chmod +x"),
                                    ("./weird", "No such file", "interpreter")):
            for more in [], ["{}"]:
                with self.subTest(program, more=more), open("in", "rb") as file:
                    done = self.run_faymora("run", "-q", "--", program, *more, stdin=file)
                    self.assertEqual((done.code, done.out), (3, ""), done)
                    self.assertRegex(done.err,
                                     rf"error: cannot start stage '[a-z0-9-]+': {program}: {said}")
                    self.assertIn(hint, done.err)
                    self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_CUR), 0,
                                     "an Item was consumed")
        self.assertFalse([n for n in os.listdir() if "dead" in n])

    def test_3_a_directory_that_is_not_there(self):
        for mode in "exec", "lines":
            done = faytest.pipeline(self, f"stages: [{{run: [cat], mode: {mode}, cwd: none/here}}]",
                                    "-q", input="a\n")
            self.assertEqual((done.code, done.out), (3, ""), done)
            self.assertIn("cannot start stage 'cat': cwd none/here: No such file or directory",
                          done.err)

    def test_3_a_second_stage_that_is_not_there(self):
        with open(self.write("in", "a\n"), "rb") as file:
            done = self.run_faymora("run", "-q", "--", "sh", "-c", "echo >>begun", "{}", "::",
                                    "./none", stdin=file)
            self.assertEqual(done.code, 3, done)
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_CUR), 0)
        self.assertFalse(os.path.exists("begun"))

    def test_3_a_worker_that_dies_at_once(self):
        done = self.run_faymora("run", "-q", "--", "sh", "-c", "echo why >&2; exit 9", ":::", "a")
        # 1: the Item's three tries were used up; 3: five workers were gone before that
        self.assertIn((done.code, done.out), ((1, ""), (3, "")), done)
        self.assertIn("why", done.err)

    def test_5(self):
        many = "".join(f"{i}\n" for i in range(100))
        done = self.run_faymora("run", "--retries", "0", "--max-failures", "3", "--", "sh", "-c",
                                '[ $(($1 % 2)) = 1 ]', "-", "{}", input=many)
        self.assertEqual(done.code, 5, done)
        self.assertIn("too many Items have failed", done.err)
        done = faytest.pipeline(self,
                                "stages: [{run: ['false', '{}'], on_error: stop, retries: 0}]",
                                "-q", input="a\n")
        self.assertEqual(done.code, 5, done)
        self.assertIn("on_error: stop", done.err)

    def test_5_circuit_breaker(self):
        done = self.run_faymora("run", "--retries", "0", "--dead-letter", "dead", "--", "sh", "-c",
                                "exit 4", "{}",
                                input="".join(f"{i}\n" for i in range(1000)))
        self.assertEqual(done.code, 5, done)
        self.assertIn("20 Items", done.err)
        if os.path.exists("dead"):
            self.assertLess(len(self.lines("dead")), 40)

    def test_drop(self):
        done = faytest.pipeline(self,
                                "stages: [{run: [sh, -c, '[ $1 != b ] && echo $1', -, '{}'], "
                                "on_error: drop, retries: 0}]",
                                "--json", input="a\nb\nc\n")
        self.assertEqual((done.code, sorted(done.out.split())), (0, ["a", "c"]), done)
        said = json.loads(done.err.strip().split("\n")[-1])
        self.assertEqual((said["dropped"], said["dead"]), (1, 0))

    def test_signals(self):
        for number in signal.SIGINT, signal.SIGTERM:
            process = self.start("run", "-q", "--", "cat", "-u", stdin=faytest.subprocess.PIPE)
            faytest.wait_for(lambda p=process: faytest.descendants(p.pid), "an Instance")
            faytest.wait_for(lambda p=process: len(faytest.descendants(p.pid)) > 1, "a worker")
            process.send_signal(number)
            self.assertEqual(self.finish(process).code, -number)
            process.stdin.close()
        self.assert_nothing_left()

    def test_run_time(self):
        done = faytest.pipeline(self, """
            source: {generate: {rate: 100}}
            stages: [{run: [cat, -u]}]
            limits: {run_time: 300ms}
            """, "-q")
        self.assertEqual((done.code, len(done.out) > 0), (5, True), done)
        self.assertIn("run_time", done.err)


if __name__ == "__main__":
    faytest.main()
