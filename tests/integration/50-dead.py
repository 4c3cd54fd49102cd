#!/usr/bin/env python3
"""Dead letters: looked at, tried again, forgotten."""
import json
import os

import faytest

TWO = """
name: two
stages:
  - name: first
    run: [sh, -c, 'echo x >>firsts; [ "$1" != b1 ] || [ -e fixed ] || exit 65; echo "first $1"',
          -, "{}"]
  - name: second
    run: [sh, -c, 'echo x >>seconds; case $1 in *2) [ -e fixed ] || exit 65;; esac;
          echo "second $1"', -, "{}"]
dead_letter: {file: dead}
"""


class Dead(faytest.Case):
    def letters(self, name="dead"):
        return [json.loads(line) for line in self.lines(name)]

    def dead(self, verb, *args, **more):
        return self.run_faymora("dead", verb, *args, **more)

    def inline(self, *items):
        """One stage that refuses all its Items until there is a file `fixed`."""
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--", "sh", "-c",
                                '[ -e fixed ] || { echo "why $1" >&2; exit 65; }; echo "ok $1"',
                                "-", "{}", ":::",
                                *items)
        self.assertEqual(done.code, 1, done)

    def test_a_run_goes_on_writing_where_its_file_was_purged(self):
        """The purged file is another one; the next letters are in it, not in the old one."""
        script = 'while ! [ -e "go$1" ]; do sleep 0.01; done; exit 3'
        run = self.start("run", "-j", "1", "--retries", "0", "--dead-letter", "dead", "--",
                         "sh", "-c", script, "sh", "{}", ":::", "1", "2")
        self.write("go1", "")
        faytest.wait_for(lambda: self.read("dead").count("\n") == 1
                         if (self.work / "dead").exists() else False, "the first letter")
        self.assertEqual(self.run_faymora("dead", "purge", "dead", "0").code, 0)
        self.write("go2", "")
        done = self.finish(run)
        self.assertEqual(done.code, 1, done)
        self.assertEqual([json.loads(line)["item"] for line in self.lines("dead")], ["2"])

    def test_purge_through_a_link(self):
        """The letters go from the file; the link to it stays."""
        self.write("in", "1\n2\n")
        done = self.run_faymora("run", "-a", "in", "--retries", "0", "--dead-letter", "dead.jsonl",
                                "--", "sh", "-c", "exit 1", "{}")
        self.assertEqual(done.code, 1, done)
        (self.work / "link").symlink_to("dead.jsonl")
        done = self.run_faymora("dead", "purge", "link")
        self.assertEqual(done.code, 0, done)
        self.assertTrue((self.work / "link").is_symlink())
        self.assertEqual(self.read("dead.jsonl"), "")

    def test_the_letter(self):
        self.inline("a", "b")
        first, second = sorted(self.letters(), key=lambda x: x["id"])
        self.assertEqual({k: first[k] for k in ("id", "stage", "attempts", "node", "exit", "error",
                                                "stderr",
                                                "pipeline", "attrs", "item")},
                         {"id": "0", "stage": "sh", "attempts": 1, "node": os.uname().nodename,
                          "exit": 65,
                          "error": "exit 65", "stderr": "why a\n", "pipeline": None, "attrs": {},
                          "item": "a"})
        self.assertIsInstance(first["hash"], str)
        self.assertEqual(first["argv"][-3:], second["argv"][-3:])
        self.assertEqual((second["id"], second["item"]), ("1", "b"))

    def test_default_name(self):
        done = self.run_faymora("run", "--retries", "0", "--", "false", "{}", ":::", "a")
        name, = [n for n in os.listdir() if n.endswith(".dead.jsonl")]
        self.assertRegex(name, r"^false-[0-9a-f]{4,}\.dead\.jsonl$")
        self.assertIn(f"1 dead → {name}", done.err)
        done = self.run_faymora("run", "-q", "--", "true", "{}", ":::", "a")
        self.assertEqual([n for n in os.listdir() if n.endswith(".dead.jsonl")], [name],
                         "made without need")

    def test_what_is_no_text(self):
        self.inline("a\udcff")
        letter, = self.letters()
        self.assertEqual((letter.get("item"), letter["item_b64"]), (None, "Yf8="))
        self.write("fixed", "")
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, done.out), (0, "ok a\udcff\n"), done)

    def test_ls(self):
        self.inline("a", "b", "c")
        done = self.dead("ls", "dead")
        self.assertEqual((done.code, done.err), (0, ""), done)
        rows = done.out.split("\n")[:-1]
        self.assertEqual(rows[0].split()[:5], ["ID", "STAGE", "TRIES", "CAUSE", "ITEM"])
        self.assertEqual(sorted(row.split()[0] for row in rows[1:]), ["0", "1", "2"])
        self.assertIn("exit 65", rows[1])
        done = self.dead("ls", "--json", "dead")
        self.assertEqual(done.out, self.read("dead"))
        done = self.dead("ls", "dead", "1")
        self.assertEqual((done.code, done.out.count("\n")), (0, 2), done)
        self.assertEqual(self.dead("ls", "dead", "77").code, 1)
        self.assertEqual(self.dead("ls", "none").code, 7)
        self.write("bad", "{\n")
        self.assertEqual(self.dead("ls", "bad").code, 2)
        self.assertEqual(self.dead("ls").code, 2)

    def test_show(self):
        self.inline("a", "b")
        done = self.dead("show", "dead", "1")
        self.assertEqual(done.code, 0, done)
        for text in "item 1", "'sh'", "exit 65", "why b", os.uname().nodename:
            self.assertIn(text, done.out)
        self.assertNotIn("why a", done.out)
        self.assertEqual(json.loads(self.dead("show", "--json", "dead", "1").out)["item"], "b")
        self.assertEqual(self.dead("show", "dead", "9").code, 1)

    def test_purge(self):
        self.inline("a", "b", "c")
        done = self.dead("purge", "dead", "1")
        self.assertEqual((done.code, sorted(x["item"] for x in self.letters())), (0, ["a", "c"]),
                         done)
        self.assertEqual((self.dead("purge", "dead").code, self.read("dead")), (0, ""))

    def test_retry_inline(self):
        self.inline("a", "b", "c")
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, done.out, len(self.letters())), (1, "", 3), done)
        self.write("fixed", "")
        done = self.dead("retry", "-q", "dead", "1")
        self.assertEqual((done.code, done.out), (0, "ok b\n"), done)
        self.assertEqual(sorted(x["item"] for x in self.letters()), ["a", "c"])
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, sorted(done.out.split("\n"))), (0, ["", "ok a", "ok c"]), done)
        self.assertEqual(self.letters() if os.path.exists("dead") else [], [])
        self.assertEqual([n for n in os.listdir() if "dead" in n and n != "dead"], [])

    def test_an_id_that_no_letter_has(self):
        self.inline("a")
        before = self.read("dead")
        for verb in "ls", "show", "retry", "purge":
            done = self.dead(verb, "dead", "nobody")
            self.assertEqual((done.code, done.out, self.read("dead")), (1, "", before), done)
            self.assertIn("dead: no letter has this id", done.err)

    def test_what_the_sink_has_refused_cannot_be_retried(self):
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--set",
                                "source.format=netstring", "--set", "sink.format=lines", "--set",
                                "cat.format=netstring", "--mode", "batch", "--", "cat",
                                input="3:a\nb,")
        letter, = self.letters()
        self.assertEqual((done.code, letter["stage"], letter["item"]), (1, "sink", "a\nb"), done)
        before = self.read("dead")
        done = self.dead("retry", "dead")
        self.assertEqual((done.code, done.out, self.read("dead")), (2, "", before), done)
        self.assertIn("the sink has refused it: the sink's format 'lines' cannot hold", done.err)
        self.assertIn("sink.format=netstring", done.err)
        self.assertNotIn("no stage 'sink'", done.err)

    def test_retry_of_one_file_by_two(self):
        self.write("p.yaml", """
faymora: 1
stages:
  - {name: s, run: [sh, -c, '[ -e fixed ] || exit 65; echo "$1" >>tries;
     while [ ! -e go ]; do sleep 0.05; done; echo "ok $1"', -, "{}"]}
dead_letter: {file: dead}
""")
        self.assertEqual(self.run_faymora("run", "-q", "p.yaml", input="a\n").code, 1)
        self.write("fixed", "")
        first = self.start("dead", "retry", "-q", "dead")
        faytest.wait_for(lambda: os.path.exists("tries") or first.poll() is not None, "the worker")
        for verb in "retry", "purge":
            done = self.dead(verb, "dead")
            self.assertEqual((done.code, done.out), (7, ""), done)
            self.assertIn(f"dead: another process ({first.pid}) is retrying or purging", done.err)
        os.unlink("fixed")
        self.inline("more")  # a run that appends does not wait
        second = self.start("dead", "retry", "dead", "0", "--quiet")
        self.write("fixed", "")
        self.write("go", "")
        done = self.finish(first)
        self.assertEqual((done.code, done.out), (0, "ok a\n"), done)
        done = self.finish(second)
        self.assertEqual((done.code, done.out), (0, "ok more\n"), done)
        self.assertEqual((self.lines("tries"), self.read("dead")), (["a"], ""))
        self.assertEqual([n for n in os.listdir() if "dead" in n and n != "dead"], [])

    def test_retried_items_enter_at_their_stage(self):
        self.write("two.yaml", "faymora: 1\n" + TWO)
        done = self.run_faymora("run", "-q", "two.yaml", input="a1\nb1\na2\nc1\n")
        self.assertEqual((done.code, sorted(done.out.split("\n"))),
                         (1, ["", "second first a1", "second first c1"]), done)
        letters = {x["id"]: x for x in self.letters()}
        self.assertEqual({i: (x["stage"], x["item"]) for i, x in letters.items()},
                         {"1": ("first", "b1"), "2.0": ("second", "first a2")})
        self.assertEqual(letters["1"]["pipeline"], str(self.work / "two.yaml"))
        self.write("fixed", "")
        os.unlink("firsts")
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, sorted(done.out.split("\n"))),
                         (0, ["", "second first a2", "second first b1"]), done)
        self.assertEqual(len(self.lines("firsts")), 1)

    def test_what_fails_again_stays_with_what_it_failed_of(self):
        self.write("s",
                   "#!/bin/sh\n[ $1 != b ] || exit ${CODE:-65}\n[ -e fixed ] || exit 65\necho $1\n",
                   0o755)
        self.run_faymora("run", "-q", "--dead-letter", "dead", "--retries", "0", "--", "./s", "{}",
                         ":::", "a", "b")
        self.write("fixed", "")
        done = self.dead("retry", "-q", "dead", env={"CODE": "9"})
        self.assertEqual((done.code, done.out), (1, "a\n"), done)
        letter, = self.letters()
        self.assertEqual((letter["item"], letter["exit"], letter["id"]), ("b", 9, "1"))

    def test_retry_dead_flag_leaves_the_file(self):
        self.write("two.yaml", "faymora: 1\n" + TWO)
        self.run_faymora("run", "-q", "two.yaml", input="a1\nb1\na2\n")
        before = self.read("dead")
        self.write("fixed", "")
        done = self.run_faymora("run", "-q", "two.yaml", "--retry-dead", "dead", "--dead-letter",
                                "other")
        self.assertEqual((done.code, sorted(done.out.split("\n"))),
                         (0, ["", "second first a2", "second first b1"]), done)
        self.assertEqual(self.read("dead"), before)

    def test_retry_appends_to_the_file_of_the_sink(self):
        self.write("p.yaml", """faymora: 1
name: p
stages: [{name: s, run: [sh, -c, '[ $1 != b ] || [ -e fixed ] || exit 65; echo $1', -, "{}"]}]
sink: {file: out}
dead_letter: {file: dead}
""")
        self.run_faymora("run", "-q", "p.yaml", input="a\nb\n")
        self.write("fixed", "")
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, self.read("out")), (0, "a\nb\n"), done)

    def test_a_pipeline_that_has_changed_or_gone(self):
        self.write("p.yaml",
                   "faymora: 1\nstages: [{name: s, run: ['false', '{}'], retries: 0}]\n"
                   "dead_letter: {file: dead}\n")
        self.run_faymora("run", "-q", "p.yaml", input="a\n")
        self.write("p.yaml",
                   "faymora: 1\nstages: [{name: s, run: [echo, 'new {}']}]\n"
                   "dead_letter: {file: dead}\n")
        before = self.read("dead")
        done = self.dead("retry", "dead")
        self.assertEqual((done.code, done.out), (0, "new a\n"), done)
        self.assertIn("p.yaml", done.err)
        self.assertRegex(done.err, "(?i)warn|chang")
        self.write("dead", before)
        self.write("p.yaml", "faymora: 1\nstages: [{name: other, run: [echo, 'new {}']}]\n")
        done = self.dead("retry", "dead")
        self.assertEqual((done.out, self.letters()), ("", [json.loads(before)]), done)
        self.assertNotEqual(done.code, 0)
        os.unlink("p.yaml")
        done = self.dead("retry", "dead")
        self.assertEqual((done.out, self.read("dead")), ("", before), done)
        self.assertIn(done.code, (2, 7), done)

    def test_letters_of_several_pipelines_in_one_file(self):
        for name in "one", "two":
            self.write(f"{name}.yaml", f"""faymora: 1
name: {name}
stages: [{{name: s, run: [sh, -c, '[ -e fixed ] || exit 65; echo {name} $1', -, "{{}}"]}}]
dead_letter: {{file: dead}}
""")
            self.run_faymora("run", "-q", f"{name}.yaml", input="a\n")
        self.assertEqual(len(self.letters()), 2)
        self.write("fixed", "")
        done = self.dead("retry", "-q", "dead")
        self.assertEqual((done.code, sorted(done.out.split("\n"))), (0, ["", "one a", "two a"]),
                         done)

    def test_children_keep_their_ids(self):
        done = self.run_faymora("run", "-q", "--dead-letter", "dead", "--", "seq", "{}", "::", "sh",
                                "-c",
                                '[ $1 != 2 ] || [ -e fixed ] || exit 65; echo $FAYMORA_ID', "-",
                                "{}", ":::", "3")
        self.assertEqual((done.code, sorted(done.out.split())), (1, ["0.0", "0.2"]), done)
        self.assertEqual(self.letters()[0]["id"], "0.1")
        self.assertEqual(self.dead("retry", "-q", "dead").code, 1)
        self.assertEqual([x["id"] for x in self.letters()], ["0.1"])

    def test_retried_items_are_items_of_a_new_run(self):
        """Numbered from 0, in the order of the file; what dies again is in it under its old id."""
        run = ("--retries", "0", "-j", "1", "--", "sh", "-c",
               "[ -e fixed ] && [ $1 != d ] || exit 65; echo $FAYMORA_ID $1", "-", "{}")
        self.run_faymora("run", "-q", "--dead-letter", "dead", *run, ":::", "a", "b", "c", "d")
        before = [(letter["id"], letter["item"]) for letter in self.letters()]
        self.write("fixed", "")
        self.write("copy", self.read("dead"))
        done = self.dead("retry", "-q", "dead", "1", "2", "3")
        self.assertEqual((done.code, sorted(done.out.split("\n"))), (1, ["", "0 b", "1 c"]), done)
        self.assertEqual([(letter["id"], letter["item"]) for letter in self.letters()],
                         [before[0], before[3]])
        done = self.run_faymora("run", "-q", "--dead-letter", "none", "--retry-dead", "copy", *run)
        self.assertEqual(sorted(done.out.split("\n")), ["", "0 a", "1 b", "2 c"], done)

    def test_ids_of_those_that_die_again(self):
        self.inline("a", "b", "c")
        self.dead("retry", "-q", "dead", "2", "1")
        self.assertEqual(sorted((x["id"], x["item"]) for x in self.letters()),
                         [("0", "a"), ("1", "b"), ("2", "c")])


if __name__ == "__main__":
    faytest.main()
