#!/usr/bin/env python3
"""A journal that was cut or has flipped bits gives the right result or is refused: nothing else."""
import os
import shutil
import subprocess

import faytest

COUNT = 4000
# Slow while there is a file named so: the command of a resumed run must be the same.
WORKER = """
import os, sys, time
for line in sys.stdin:
    if os.path.exists("slow"):
        time.sleep(0.002)
    sys.stdout.write(line)
    sys.stdout.flush()
"""


class Journal(faytest.Case):
    def setUp(self):
        super().setUp()
        self.write("in", "".join(f"{i}\n" for i in range(COUNT)))
        self.worker = self.write("worker.py", WORKER)
        self.args = ["-a", "in", "-o", "out", "--state", "state", "-j", "1", "--", "python3",
                     self.worker]

    def stop_in_the_middle(self):
        """A state directory of a run that was killed, with several records in its journal."""
        self.write("slow", "")
        run = self.start("run", *self.args)
        journal = self.work / "state" / "journal"
        sizes = set()

        def several():
            sizes.add(journal.stat().st_size if journal.exists() else 0)
            return len(sizes) >= 6 or run.poll() is not None

        faytest.wait_for(several, "records in the journal")
        run.kill()
        run.wait()
        self.assert_nothing_left()
        (self.work / "slow").unlink()
        return journal, journal.read_bytes(), (self.work / "out").read_bytes()

    def test_names_are_on_the_disk_before_records_tell_of_them(self):
        """The directory of a new sink, of new dead letters, and of a new state directory, is synced
        before the journal is."""
        trace = ["strace", "-f", "-y", "-qq", "-o", "trace",
                 "-e", "trace=fsync,fdatasync,rename,renameat,renameat2"]
        if not shutil.which("strace") or faytest.SANITIZED or \
                subprocess.run([*trace, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("nothing can be traced here")
        for name in "results", "letters", "states":
            (self.work / name).mkdir()
        done = subprocess.run([*trace, faytest.FAYMORA, "run", "-a", "in", "-o", "results/out",
                               "--dead-letter", "letters/dead", "--state", "states/new/", "-j", "1",
                               "--retries", "0", "--max-failures", "100%", "--mode", "lines", "--",
                               "sh", "-c", "read line; exit 1"], env=self.env,
                              capture_output=True, timeout=faytest.LIMIT_S)
        calls = [line for line in self.lines("trace")
                 if "sync(" in line or "rename" in line]
        real = os.path.realpath(self.work)

        def first(*words):
            found = [i for i, call in enumerate(calls) if all(word in call for word in words)]
            self.assertTrue(found, f"no {words}: {calls[:20]} {done}")
            return found[0]

        self.assertLess(first("fsync", f"<{real}/results>"), first("rename", "journal.new"))
        self.assertLess(first("fsync", f"<{real}/states>"), first("rename", "journal.new"))
        letters = first("fsync", f"<{real}/letters>")
        self.assertLess(letters, first("fdatasync", f"<{real}/letters/dead>"))

    def resume_with(self, journal, bytes, out, what):
        journal.write_bytes(bytes)
        with open("out", "r+b") as file:  # the same inode, as the journal knows it
            file.truncate(0)
            file.write(out)
        done = self.run_faymora("run", "--resume", "--progress", "none", *self.args, limit=60)
        got = (self.work / "out").read_bytes()
        if done.code == 0:
            self.assertEqual(sorted(map(int, got.split())), list(range(COUNT)), f"{what}: {done}")
            return True
        self.assertIn(done.code, (2, 7), f"{what}: {done}")
        self.assertEqual(got, out, f"{what}: refused, but the sink was touched\n{done}")
        self.assertIn("error: ", done.err, what)
        self.assertRegex(done.err, r"journal|state", what)
        return False

    def test_cut_at_any_byte(self):
        journal, whole, out = self.stop_in_the_middle()
        at = sorted(self.random.sample(range(len(whole)), 40))
        at += [0, 1, 8, len(whole) - 1, len(whole)]
        good = sum(self.resume_with(journal, whole[:n], out, f"cut to {n} of {len(whole)}")
                   for n in at)
        self.assertGreater(good, 2)

    def test_flipped_bits(self):
        journal, whole, out = self.stop_in_the_middle()
        good = 0
        for at in sorted(self.random.sample(range(len(whole)), 60)):
            bit = 1 << self.random.randrange(8)
            flipped = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1:]
            good += self.resume_with(journal, flipped, out, f"byte {at} ^ {bit} of {len(whole)}")
        self.assertGreater(good, 2)

    def test_garbage_behind_and_instead(self):
        journal, whole, out = self.stop_in_the_middle()
        for what, bytes in [("zeros behind", whole + b"\0" * 4096),
                            ("0xff behind", whole + b"\xff" * 4096),
                            ("the end twice", whole + whole[-64:]),
                            ("itself twice", whole + whole),
                            ("a text", b"hello\n" * 100),
                            ("zeros", b"\0" * len(whole))]:
            self.resume_with(journal, bytes, out, what)

    def test_a_directory_instead_of_a_journal(self):
        (self.work / "state").mkdir()
        (self.work / "state" / "journal").mkdir()
        done = self.run_faymora("run", "--resume", *self.args)
        self.assertEqual(done.code, 7, done)
        shutil.rmtree("state")
        self.write("state", "a file\n")
        done = self.run_faymora("run", *self.args)
        self.assertEqual(done.code, 7, done)

    def test_the_state_directory_cannot_be_made(self):
        self.args[self.args.index("state")] = "no/such/state"
        done = self.run_faymora("run", *self.args)
        self.assertEqual(done.code, 7, done)
        self.assertFalse((self.work / "out").exists())


if __name__ == "__main__":
    faytest.main()
