#!/usr/bin/env python3
"""Mode exec: a process for each Item, which is among its arguments and in its environment."""
import json
import os

import faytest

ARGUMENT_MAX = 128 * 1024  # of Linux: one argument, its NUL included


class Placeholders(faytest.Case):
    def filled(self, item, *words, **more):
        """What the words become for that Item, each between brackets."""
        show = self.write("show", '#!/bin/sh\nprintf "[%s]" "$@"\necho\n', 0o755)
        done = self.run_faymora("run", "-q", "--", show, *words, input=item + "\n", **more)
        self.assertEqual((done.code, done.err), (0, ""), done)
        return done.out.rstrip("\n")

    def test_nobody_waits_behind_a_slow_one(self):
        """Short Items are leased one ahead; behind one that turns out to be slow they are given
        to others."""
        self.write("in", "".join(f"{i}\n" for i in range(200)))
        script = '[ "$1" != 100 ] || while ! [ -e go ]; do sleep 0.02; done; echo "$1"'
        run = self.start("run", "-j", "2", "-a", "in", "-o", "out", "--",
                         "sh", "-c", script, "sh", "{}")
        faytest.wait_for(lambda: (self.work / "out").exists() and
                         len(self.lines("out")) == 199, "all but the slow one")
        self.write("go", "")
        self.assertEqual(self.finish(run).code, 0)
        self.assertEqual(sorted(map(int, self.lines("out"))), list(range(200)))

    def test_parts_of_the_item(self):
        words = ["{}", "{.}", "{/}", "{//}", "{/.}", "<{}>{}"]
        self.assertEqual(self.filled("a/b c/d.tar.gz", *words),
                         "[a/b c/d.tar.gz][a/b c/d.tar][d.tar.gz][a/b c][d.tar]"
                         "[<a/b c/d.tar.gz>a/b c/d.tar.gz]")
        self.assertEqual(self.filled("plain", *words),
                         "[plain][plain][plain][.][plain][<plain>plain]")
        self.assertEqual(self.filled("a.b/c", "{.}", "{/.}", "{//}"), "[a.b/c][c][a.b]")
        self.assertEqual(self.filled("/x", "{//}", "{/}"), "[/][x]")

    def test_nothing_in_an_item_is_shell(self):
        item = """$(touch hacked) `touch hacked` ; touch hacked ' " \\ * ~ {} {#} \t&"""
        self.assertEqual(self.filled(item, "{}", "{}"), f"[{item}][{item}]")
        self.assertFalse(os.path.exists("hacked"))

    def test_members_and_attributes(self):
        item = '{"user":{"name":"Eve","tags":["x","y"]},"n":7,"f":1.5,"b":true,"z":null,"t":"a b"}'
        self.assertEqual(self.filled(item, "{.user.name}", "{.n}", "{.f}", "{.b}", "{.t}"),
                         "[Eve][7][1.5][true][a b]")
        self.assertEqual(self.filled(item, "{@n}", "{@t}", "{@b}", "<{@absent}>", "{.user.tags}",
                                     limit=60), '[][][][<>][["x","y"]]', "lines have no attributes")
        done = self.run_faymora("run", "-q", "--format", "jsonl", "--", "printf",
                                '["%s","%s","%s"]',
                                "{@n}", "{@t}", "<{@absent}>", input=item + "\n")
        self.assertEqual((done.code, done.out), (0, '["7","a b","<>"]\n'), done)

    def test_numbers_and_names(self):
        done = self.run_faymora("run", "-q", "--keep-order", "-j", "1", "--", "echo", "{#}", "{%}",
                                "{id}",
                                "{attempt}", "{node}", "{{}}", "{{#}}", "{print $1}", "${X}", ":::",
                                "a", "b", "c")
        node = os.uname().nodename
        rest = "{} {#} {print $1} ${X}"
        self.assertEqual(done.out.split("\n")[:-1],
                         [f"{n} 1 {n - 1} 1 {node} {rest}" for n in (1, 2, 3)], done)

    def test_slots_are_from_1_and_one_for_each_worker(self):
        gate = ('mkdir "slot$1"; while [ "$(ls -d slot* | wc -l)" -lt 3 ]; do sleep 0.01; done; '
                'echo "$1"')
        done = self.run_faymora("run", "-q", "-j", "3", "--", "sh", "-c", gate, "-", "{%}",
                                input="a\nb\nc\n")
        self.assertEqual((done.code, sorted(done.out.split())), (0, ["1", "2", "3"]), done)

    def test_attempt(self):
        script = 'echo "$1 $FAYMORA_ATTEMPT" >>tries; [ "$1" = 3 ]'
        done = self.run_faymora("run", "-q", "--", "sh", "-c", script, "-", "{attempt}", ":::", "x")
        self.assertEqual((done.code, self.read("tries")), (0, "1 1\n2 2\n3 3\n"), done)

    def test_unknown_placeholders_are_errors_before_anything_runs(self):
        done = self.run_faymora("run", "--", "touch", "{.}x", "{@}", ":::", "a")
        self.assertEqual(done.code, 2, done)
        self.assertFalse(os.path.exists("ax"))


class Environment(faytest.Case):
    def test_variables(self):
        faytest.pipeline(self, """
            name: things
            stages:
              - {name: one, run: [sh, -c, 'env >env; env -0 >env0', -, "{}"], env: {MINE: yes}}
            """, "-q", input="it em\n")
        env = dict(line.split("=", 1) for line in self.lines("env") if "=" in line)
        self.assertEqual({k: env.get(f"FAYMORA_{k}") for k in
                          ("ITEM", "ITEM_ATTRS", "ID", "ATTEMPT", "STAGE", "NODE", "PIPELINE",
                           "SLOT")},
                         {"ITEM": "it em", "ITEM_ATTRS": "{}", "ID": "0", "ATTEMPT": "1",
                          "STAGE": "one",
                          "NODE": os.uname().nodename, "PIPELINE": "things", "SLOT": "1"})
        self.assertRegex(env["FAYMORA_RUN"], "^[0-9a-f]{4,}$")
        self.assertEqual((env["MINE"], env["PATH"]), ("yes", os.environ["PATH"]))

    def test_attributes_as_json(self):
        done = faytest.pipeline(self, """
            format: jsonl
            stages: [{name: one, run: [sh, -c, 'echo "$FAYMORA_ITEM_ATTRS"', "{}"]}]
            """, "-q", input='{"n":1,"s":"a \\"b\\"","l":[1,{"x":null}]}\n')
        self.assertEqual(json.loads(done.out), {"n": 1, "s": 'a "b"', "l": [1, {"x": None}]}, done)

    def test_sh_takes_the_item_from_the_environment_alone(self):
        item = """$(touch hacked) '"; touch hacked #"""
        done = faytest.pipeline(self, """
            stages: [{name: sh, sh: 'printf "%s" "$FAYMORA_ITEM" | wc -c'}]
            """, "-q", input=item + "\n")
        self.assertEqual((done.code, done.out), (0, f"{len(item)}\n"), done)
        self.assertFalse(os.path.exists("hacked"))
        done = faytest.pipeline(self, """
            stages: [{name: sh, mode: exec, sh: 'echo {}'}]
            """, input=item + "\n")
        self.assertEqual((done.code, done.out), (2, ""), done)
        self.assertIn("FAYMORA_ITEM", done.err)

    def test_stdin_is_empty(self):
        done = self.run_faymora("run", "-q", "--", "sh", "-c", 'wc -c; echo "$1"', "-", "{}",
                                input="a\nb\n")
        self.assertEqual(sorted(done.out.split()), ["0", "0", "a", "b"], done)


class Items(faytest.Case):
    def test_from_the_command_line(self):
        done = self.run_faymora("run", "-q", "--keep-order", "--", "echo", "<{}>", ":::", "a b", "",
                                "-n",
                                "--", "::x")
        self.assertEqual((done.code, done.out), (0, "<a b>\n<>\n<-n>\n<-->\n<::x>\n"), done)

    def test_a_dash_is_passed_as_it_is(self):
        done = self.run_faymora("run", "-q", "--", "printf", "%s\n", "{}", input="-n\n--help\n-\n")
        self.assertEqual((done.code, sorted(done.out.split())), (0, ["-", "--help", "-n"]), done)

    def letters(self, name="dead"):
        return [json.loads(line) for line in self.lines(name)]

    def test_one_with_a_nul_is_dead_at_once(self):
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--", "sh", "-c",
                                'echo "$1" | tee -a begun', "-", "{}", input=b"a\nb\0c\nd\n")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["a", "d"]), done)
        letter, = self.letters()
        self.assertEqual((letter["id"], letter["attempts"], letter["item"]), ("1", 1, "b\0c"))
        self.assertIn("NUL", letter["error"])
        self.assertEqual(sorted(self.lines("begun")), ["a", "d"])

    def test_one_that_is_too_long_is_dead_at_once(self):
        fits = "x" * (ARGUMENT_MAX - 1 - len("FAYMORA_ITEM="))
        done = self.run_faymora("run", "-q", "--keep-order", "--dead-letter", "dead", "--", "sh",
                                "-c",
                                'echo "${#1}" | tee -a begun', "-", "{}",
                                input=f"{fits}\n{'y' * ARGUMENT_MAX}\nz\n")
        self.assertEqual((done.code, done.out), (1, f"{len(fits)}\n1\n"), done)
        letter, = self.letters()
        self.assertEqual((letter["id"], letter["attempts"]), ("1", 1))
        self.assertRegex(letter["error"], "(?i)too long|longer")
        self.assertEqual(len(self.lines("begun")), 2)

    def test_arguments_that_are_too_long_together(self):
        item = "x" * (ARGUMENT_MAX - 100)
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--", "true", *["{}"] * 30,
                                input=item + "\n")
        self.assertEqual(done.code, 1, done)
        letter, = self.letters()
        self.assertEqual(letter["attempts"], 1)
        self.assertRegex(letter["error"], "(?i)too long|longer")

    def test_bytes_that_are_no_text(self):
        item = bytes(range(1, 256)).replace(b"\n", b"")
        done = self.run_faymora("run", "-q", "-o", "out", "--", "printf", "%s", "{}",
                                input=item + b"\n")
        self.assertEqual((done.code, (self.work / "out").read_bytes()), (0, item + b"\n"), done)


class Results(faytest.Case):
    def test_every_line_is_one(self):
        done = self.run_faymora("run", "-q", "--keep-order", "--", "seq", "{}", "::", "echo",
                                "{id}", "{}",
                                input="2\n0\n3\n")
        self.assertEqual((done.code, done.out), (0, "0.0 1\n0.1 2\n2.0 1\n2.1 2\n2.2 3\n"), done)

    def test_whole_output_is_one(self):
        text = """
            stages:
              - {name: two, run: [printf, 'a\\nb\\n%s\\n', "{}"], emit: whole}
            sink: {stdout: true, format: netstring}
            """
        done = faytest.pipeline(self, text, "-q", input="x\n")
        self.assertEqual((done.code, done.out), (0, "6:a\nb\nx\n,"), done)

    def test_empty_whole_output_is_a_filter(self):
        done = faytest.pipeline(self, "stages: [{name: t, run: ['true', '{}'], emit: whole}]",
                                "--json",
                                input="x\ny\n")
        self.assertEqual((done.code, done.out), (0, ""), done)

    def test_filter(self):
        done = self.run_faymora("run", "--json", "--", "sh", "-c", '[ "$1" = b ] || echo "$1"', "-",
                                "{}",
                                "::", "cat", "-u", input="a\nb\nc\n")
        self.assertEqual((done.code, sorted(done.out.split())), (0, ["a", "c"]), done)

    def test_large_output_stays_whole(self):
        done = self.run_faymora("run", "-q", "--keep-order", "-o", "out", "--", "seq", "{}", "::",
                                "cat", "-u",
                                input="300000\n5\n")
        self.assertEqual(done.code, 0, done)
        self.assertEqual(self.lines("out"), [str(n) for n in (*range(1, 300001), *range(1, 6))])

    def test_output_of_a_failed_try_is_dropped(self):
        script = 'echo "$2 of $1"; [ "$2" = 2 ]'
        done = self.run_faymora("run", "-q", "--", "sh", "-c", script, "-", "{}", "{attempt}",
                                ":::", "a")
        self.assertEqual((done.code, done.out), (0, "2 of a\n"), done)


class Exits(faytest.Case):
    def run_exit(self, code, *args):
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", *args, "--", "sh", "-c",
                                'echo "$1" >>tries; echo said >&2; '
                                f'[ "$1" = ok ] || exit {code}',
                                "-", "{}", ":::", "ok", "bad")
        return done, self.lines("tries").count("bad")

    def letter(self):
        letter, = [json.loads(line) for line in self.lines("dead")]
        return letter

    def test_65_is_poison(self):
        done, tries = self.run_exit(65)
        self.assertEqual((done.code, tries), (1, 1), done)
        letter = self.letter()
        self.assertEqual((letter["exit"], letter["attempts"], letter["stderr"], letter["item"]),
                         (65, 1, "said\n", "bad"))

    def test_others_are_tried_again(self):
        done, tries = self.run_exit(9)
        self.assertEqual((done.code, tries), (1, 3), done)
        self.assertEqual((self.letter()["exit"], self.letter()["attempts"]), (9, 3))

    def test_retries_0(self):
        done, tries = self.run_exit(9, "--retries", "0")
        self.assertEqual((done.code, tries), (1, 1), done)

    def test_75_is_tried_again_whatever_is_said(self):
        done, tries = self.run_exit(75, "--set", "sh.retry_on=[timeout]")
        self.assertEqual((done.code, tries), (1, 3), done)
        self.assertEqual(self.letter()["exit"], 75)

    def test_retry_on_without_exit(self):
        done, tries = self.run_exit(9, "--set", "sh.retry_on=[timeout]")
        self.assertEqual((done.code, tries), (1, 1), done)

    def test_signal(self):
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--retries", "1", "--", "sh",
                                "-c",
                                'kill -SEGV $$', "{}", ":::", "x")
        self.assertEqual(done.code, 1, done)
        letter = self.letter()
        self.assertEqual((letter["signal"], letter["attempts"], "exit" in letter),
                         ("SEGV", 2, False))

    def test_126_and_127_stop_the_run(self):
        for code in 126, 127:
            with self.subTest(code):
                done, tries = self.run_exit(code)
                self.assertEqual((done.code, tries), (3, 1), done)
                self.assertIn(str(code), done.err)
                self.assertFalse(os.path.exists("dead"))
                os.unlink("tries")


if __name__ == "__main__":
    faytest.main()
