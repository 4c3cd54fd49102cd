#!/usr/bin/env python3
"""Every example runs and gives what plain Python makes of the same files."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["FAYMORA_SOURCE"])
BUILD = pathlib.Path(os.environ["FAYMORA_BUILD"])
FAYMORA = os.environ["FAYMORA"]
EXAMPLES = SOURCE / "examples"
LICENSES = pathlib.Path("/usr/share/common-licenses")
LIMIT_S = 120


def run(*command, check=0, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, timeout=LIMIT_S,
                          capture_output=True, text=True, **options)
    if done.returncode != check:
        raise AssertionError(f"{command}: exit {done.returncode}, not {check}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done


class Examples(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="faymora-examples-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        # Worked on as copies: where the tree is read-only, and so that nothing is left in it.
        self.examples = self.work / "examples"
        shutil.copytree(EXAMPLES, self.examples)
        self.env = {**os.environ, "TMPDIR": str(self.work), "LC_ALL": "C"}

    def corpus(self):
        """The licences of this system, and what makes trouble: names, bytes, emptiness."""
        corpus = self.work / "texts"
        shutil.copytree(LICENSES, corpus, symlinks=True)
        (corpus / "a name with 'quotes' and $(touch hacked)").write_text("unusual unusual names\n")
        (corpus / "-dash").write_text("dashes matter")
        return corpus

    def files(self, corpus):
        return [p for p in corpus.rglob("*") if p.is_file() and not p.is_symlink()]

    def test_every_example_has_a_readme_and_runs_here(self):
        known = {"text-statistics", "python-json", "c-class"}
        there = {p.name for p in EXAMPLES.iterdir() if p.is_dir()}
        self.assertEqual(there, known, "an example without a test")
        for name in known:
            self.assertTrue((EXAMPLES / name / "README.md").is_file(), name)

    def test_text_statistics(self):
        corpus = self.corpus()
        count = collections.Counter()
        for path in self.files(corpus):
            text = path.read_bytes().decode("latin-1")
            count.update(w.lower() for w in re.findall("[A-Za-z]+", text))
        expected = sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:40]

        done = run(self.examples / "text-statistics/run", corpus, 40, env=self.env, cwd=self.work)
        got = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual([(word, int(n)) for n, word in got], expected)
        files = len(self.files(corpus))
        self.assertRegex(done.stderr, rf"run [0-9a-f]+: {files} in .* 0 dead")
        self.assertFalse((self.work / "hacked").exists())

    def test_text_statistics_sets_what_is_no_text_aside(self):
        corpus = self.work / "mixed"
        corpus.mkdir()
        (corpus / "text").write_text("one two two\n")
        (corpus / "binary").write_bytes(bytes(range(256)))
        done = subprocess.run([self.examples / "text-statistics/run", corpus, "5"], env=self.env,
                              cwd=self.work, capture_output=True, text=True, timeout=LIMIT_S)
        letters = list(self.work.glob("text-statistics-*.dead.jsonl"))
        self.assertEqual(len(letters), 1, done.stderr)
        letter = json.loads(letters[0].read_text())
        self.assertEqual((letter["item"], letter["exit"], letter["attempts"]),
                         (str(corpus / "binary"), 65, 1))
        self.assertEqual(done.returncode, 1)

    def test_python_json(self):
        corpus = self.corpus()
        (corpus / "latin").write_bytes(b"caf\xe9\n")
        expected = {}
        for path in self.files(corpus):
            if path.name == "latin":
                continue
            parts = [p.split() for p in path.read_text(encoding="utf-8").split("\n\n") if p.split()]
            for number, words in enumerate(parts, 1):
                expected[str(path), number] = len(words)

        letters = self.work / "dead.jsonl"
        env = {**self.env, "DEAD_LETTERS": str(letters)}
        done = run(self.examples / "python-json/run", corpus, env=env, check=1)
        got = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(got), len(expected))
        self.assertEqual({(g["file"], g["paragraph"]): g["words"] for g in got}, expected)
        for paragraph in got:
            self.assertEqual(paragraph.get("long", False), paragraph["words"] >= 100, paragraph)

        dead = [json.loads(line) for line in letters.read_text().splitlines()]
        self.assertEqual([(d["item"], d["stage"], d["attempts"]) for d in dead],
                         [(str(corpus / "latin"), "split", 1)])
        self.assertIn("not UTF-8", dead[0]["error"])

    def test_c_class(self):
        example = self.examples / "c-class"
        env = self.c_environment()
        run("make", "-C", example, env=env)
        words = self.work / "words"
        words.write_bytes(b"one\n\ntwo\n")
        program = run(FAYMORA, "run", "--keep-order", "--mode", "frames", "--input", words, "--",
                      "./upcase", env=env, cwd=example)
        self.assertEqual(program.stdout, "ONE\nTWO\n")
        module = run(FAYMORA, "run", "pipeline.yaml", "--keep-order", "--input", words, env=env,
                     cwd=example)
        self.assertEqual(module.stdout, "ONE\nTWO\n")

    def c_environment(self):
        """cc and pkg-config find the headers and the library of the tree that is tested."""
        tools = self.work / "bin"
        tools.mkdir()
        cc = tools / "cc"
        flags = os.environ.get("CFLAGS", "").replace(";", " ")
        cc.write_text(f'#!/bin/sh\nexec {shutil.which(os.environ.get("CC", "gcc"))} {flags} "$@"\n')
        cc.chmod(0o755)
        (tools / "faymora-worker.pc").write_text(
            "Name: faymora-worker\nDescription: of the build tree\nVersion: 0\n"
            f"Cflags: -I{SOURCE}/include\nLibs: -L{BUILD} -Wl,-rpath,{BUILD} -lfaymora-worker\n")
        return {**self.env, "PATH": f"{tools}:{self.env['PATH']}", "CC": "cc",
                "PKG_CONFIG_PATH": str(tools)}

    def test_demo(self):
        done = run(self.examples / "demo.sh", env=self.env, cwd="/")
        numbers = re.findall(r"^(\d+)(?: \w+)?$", done.stdout, re.M)
        self.assertRegex(done.stdout, r"(?m)^\d+\tthe$")
        self.assertEqual(numbers[-5:], ["1999", "2000", "2000", "3000000", "3000000"], done.stdout)
        left = [p.name for p in self.work.iterdir() if p.name != "examples"]
        self.assertEqual(left, [], "the demo leaves something behind")


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=1).result.wasSuccessful() else 1)
