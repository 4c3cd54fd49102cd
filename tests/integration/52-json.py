#!/usr/bin/env python3
"""--json: whatever is printed for people is an object for programs, whatever is in it."""
import json
import os

import faytest

TORN = '{"id":"9","stage":"a"\n'


class Json(faytest.Case):
    def object(self, *args, code=0, **how):
        """What this command prints with --json: exactly one object, and nothing on stderr."""
        at = args.index("--") if "--" in args else len(args)  # what is behind it is a command's
        done = self.run_faymora(*args[:at], "--json", *args[at:], **how)
        self.assertEqual((done.code, done.err), (code, ""), done)
        self.assertTrue(done.out.endswith("}\n") and done.out.count("\n") == 1, done)
        said = json.loads(done.out)
        self.assertEqual(said["schema"], 1)
        return said

    def test_plan(self):
        self.write("p.yaml", """faymora: 1
name: shop
source: {file: [in.txt]}
stages:
  - {name: a, run: [./x, '{}', "it's \\"q\\" \\u00e9"], workers: {min: 2, max: 5}, timeout: 1500ms}
  - {name: b, sh: "sort | uniq", mode: batch, when: 'n > 3', retries: forever, on_error: stop}
  - {name: c, input: a, run: [cat], when: else, on_error: drop}
sink: {file: out.txt, append: true}
state: .fm
dead_letter: none
""")
        text = self.run_faymora("plan", "p.yaml")
        self.assertEqual(text.code, 0, text)
        said = self.object("plan", "p.yaml")
        self.assertEqual((said["pipeline"], said["file"], said["state"]),
                         ("shop", "p.yaml", ".fm"))
        self.assertEqual((said["source"]["kind"], said["source"]["files"]), ("file", ["in.txt"]))
        self.assertEqual((said["sink"]["file"], said["sink"]["input"]), ("out.txt", ["b", "c"]))
        a, b, c = said["stages"]
        self.assertEqual(a["run"], ["./x", "{}", "it's \"q\" \u00e9"])
        self.assertEqual((a["mode"], a["input"], a["when"], a["timeout"], a["retries"]),
                         ("exec", ["source"], None, 1.5, 2))
        self.assertEqual((a["workers"]["min"], a["workers"]["max"]), (2, 5))
        self.assertEqual((b["run"], b["sh"], b["mode"], b["when"], b["retries"], b["on_error"]),
                         (None, "sort | uniq", "batch", "n > 3", None, "stop"))
        self.assertEqual((c["input"], c["when"], c["on_error"]), (["a"], "else", "drop"))
        # Text and object say the same sentences.
        for promise in said["exactly_once"]:
            mark = "yes" if promise["kept"] else "no "
            self.assertIn(f"  {mark}  {promise['text']}\n", text.out)
        for warning in said["warnings"]:
            stage = f"stage {warning['stage']}: " if warning["stage"] else ""
            self.assertIn(f"  {stage}{warning['text']}\n", text.out)
        self.assertEqual(len(said["exactly_once"]) + len(said["warnings"]),
                         sum(line.startswith("  ") and not line.startswith("    ")
                             for line in text.out.split("\n")))

    def test_plan_of_a_command_line(self):
        said = self.object("plan", "-j", "3", "--", "jq", "-c", ".x", "::", "./y", "{}", ":::", "a")
        self.assertEqual([stage["run"] for stage in said["stages"]],
                         [["jq", "-c", ".x"], ["./y", "{}"]])
        self.assertEqual(said["stages"][0]["workers"],
                         {"min": 3, "max": 3, "start": 3, "pinned": True})
        self.assertEqual(said, self.object("run", "--dry-run", "-j", "3", "--", "jq",
                                           "-c", ".x", "::", "./y", "{}", ":::", "a"))

    def test_plan_says_what_state_is_refused_for(self):
        for words, resumable, about in (([], False, "source"), (["-a", "in"], True, "owner")):
            said = self.object("plan", *words, "--", "cat", stdin=faytest.subprocess.DEVNULL)
            self.assertEqual(said["resumable"], resumable)
            broken = [p["about"] for p in said["exactly_once"] if not p["kept"]]
            self.assertIn(about, broken)

    def test_errors_of_a_plan_are_those_of_lint(self):
        self.write("p.yaml", "faymora: 1\nnam: x\nstages: [{run: [cat], moed: exec}]\n")
        said = self.object("plan", "p.yaml", code=2)
        self.assertEqual(said, self.object("lint", "p.yaml", code=2))
        self.assertEqual([(e["file"], e["line"], e["column"]) for e in said["errors"]],
                         [("p.yaml", 2, 1), ("p.yaml", 3, 23)])
        self.assertEqual(said["errors"][1]["hint"], "did you mean 'mode'?")
        said = self.object("plan", "none.yaml", code=2)
        self.assertEqual(said, self.object("lint", "none.yaml", code=2))
        self.assertEqual(said["errors"][0]["file"], "none.yaml")

        self.write("p.yaml", "faymora: 1\nstages: [{name: a, run: [cat]}]\n")
        said = self.object("plan", "p.yaml", "--set", "a.moed=exec", code=2)
        self.assertEqual([(e["file"], e["line"]) for e in said["errors"]], [(None, 0)])
        self.assertIn("a.moed", said["errors"][0]["message"])

    def test_lint(self):
        self.write("good.yaml", "faymora: 1\nstages: [{run: [cat]}]\n")
        self.write("bad.yaml", "faymora: 1\nstages: []\n")
        self.write("worse.yaml", 'faymora: 1\n"n\\"\\\\\\u00e9": 1\nstages: [{run: [cat]}]\n')
        self.assertEqual(self.object("lint", "good.yaml")["errors"], [])
        said = self.object("lint", "bad.yaml", "good.yaml", "worse.yaml", code=2)
        self.assertEqual([e["file"] for e in said["errors"]], ["bad.yaml", "worse.yaml"])
        for error in said["errors"]:
            self.assertEqual(sorted(error),
                             ["column", "file", "hint", "line", "message", "severity"])
        self.assertIn("\u00e9", said["errors"][1]["message"])

    def test_dead_letters_are_printed_as_they_are(self):
        done = self.run_faymora("run", "-q", "--retries", "0", "--dead-letter", "dead", "--", "sh",
                                "-c", "exit 3", "-", "{}", ":::", "a", "b\"c")
        self.assertEqual(done.code, 1, done)
        letters = self.lines("dead")
        with open("dead", "a", encoding="utf-8") as file:
            file.write(TORN)
        for verb in "ls", "show":
            done = self.run_faymora("dead", verb, "dead", "--json")
            self.assertEqual(done.code, 2, done)  # the torn line: named, and not on stdout
            self.assertEqual(done.out.splitlines(), letters)
            self.assertIn("dead:3: not a dead letter", done.err)
            self.assertEqual([json.loads(line)["item"] for line in done.out.splitlines()],
                             ["a", "b\"c"])
        done = self.run_faymora("dead", "purge", "dead", "1", "--json")
        self.assertEqual((done.code, done.out), (0, ""), done)
        self.assertEqual(json.loads(done.err), {"schema": 1, "purged": 1})

    def test_version(self):
        for args in (["--version"], ["run", "--version"], ["version"]):
            self.assertEqual(self.object(*args)["abi"], 1)
        before = self.run_faymora("--json", "--version")
        self.assertEqual(json.loads(before.out), self.object("--version"))

    def test_init(self):
        said = self.object("init", "exec")
        for name in said["files"]:
            self.assertTrue(os.path.exists(name), said)
        self.assertIn("faymora run pipeline.yaml", said["next"])

    def test_bench(self):
        said = self.object("bench", "spawn")
        self.assertEqual((said["bench"], said["unit"]), ("spawn", "ms"))
        self.assertGreater(min(said["ours"], said["bare"], said["ratio"]), 0)

    def test_a_completion_has_no_such_form(self):
        done = self.run_faymora("completion", "bash", "--json")
        self.assertEqual((done.code, done.out), (2, ""), done)
        self.assertIn("'completion' has no --json", done.err)


if __name__ == "__main__":
    faytest.main()
