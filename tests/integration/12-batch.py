#!/usr/bin/env python3
"""Mode batch: many Items on the stdin of one process."""
import json

import faytest


class Batch(faytest.Case):
    def batch(self, command, settings="", **more):
        """A stage that notes how large its batches are."""
        worker = self.write("worker", f"#!/bin/sh\ncat >in.$$\nwc -l <in.$$ >>sizes\n{command}\n",
                            0o755)
        return faytest.pipeline(self, f"""
            stages: [{{name: b, run: [{worker}], mode: batch, {settings}}}]
            dead_letter: {{file: dead}}
            """, "-q", "-o", "out", **more)

    def sizes(self):
        return [int(size) for size in self.lines("sizes")]

    def test_items_bounds_a_batch(self):
        done = self.batch("cat in.$$", "batch: {items: 10, wait: 10s}, workers: 1",
                          input="".join(f"{i}\n" for i in range(25)))
        self.assertEqual((done.code, self.sizes()), (0, [10, 10, 5]), done)
        self.assertEqual(sorted(map(int, self.lines("out"))), list(range(25)))

    def test_bytes_bound_a_batch(self):
        done = self.batch("cat in.$$", "batch: {items: 1000, bytes: 100, wait: 10s}, workers: 1",
                          input="".join(f"{i:09}\n" for i in range(100)))
        self.assertEqual(done.code, 0, done)
        self.assertEqual((sum(self.sizes()), max(self.sizes()) <= 12), (100, True), self.sizes())

    def test_an_item_larger_than_bytes_goes_alone(self):
        done = self.batch("cat in.$$", "batch: {items: 1000, bytes: 100, wait: 10s}, workers: 1",
                          input="x" * 5000 + "\ny\n")
        self.assertEqual((done.code, sum(self.sizes())), (0, 2), done)
        self.assertEqual(sorted(map(len, self.lines("out"))), [1, 5000])

    def test_wait_bounds_how_long_it_takes(self):
        process = self.start("run", "-q", "-o", "out", "--mode", "batch", "--set",
                             "cat.batch={items: 1000}",
                             "--", "cat", stdin=faytest.subprocess.PIPE)
        process.stdin.write(b"a\n")
        process.stdin.flush()
        faytest.wait_for(lambda: (self.work / "out").exists() and self.read("out") == "a\n",
                         "the result")
        process.stdin.close()
        self.assertEqual(self.finish(process).code, 0)

    def test_default_size(self):
        done = self.batch("cat in.$$", "workers: 1", input="x\n" * 1000)
        self.assertEqual((done.code, sum(self.sizes()), max(self.sizes()) <= 64), (0, 1000, True),
                         done)

    def test_output_of_all_is_of_all(self):
        done = self.batch("echo sum; awk '{s += $1} END {print s}' in.$$",
                          "batch: {items: 100, wait: 10s}",
                          input="".join(f"{i}\n" for i in range(100)))
        self.assertEqual((done.code, self.lines("out")), (0, ["sum", "4950"]), done)

    def test_nothing_printed_is_a_filter(self):
        done = self.batch("true", input="a\nb\n")
        self.assertEqual((done.code, self.read("out")), (0, ""), done)

    def test_a_failure_halves_until_the_culprit_is_alone(self):
        done = self.batch("cat in.$$; ! grep -qx 13 in.$$",
                          "batch: {items: 32, wait: 10s}, workers: 1",
                          input="".join(f"{i}\n" for i in range(32)))
        self.assertEqual(done.code, 1, done)
        letter, = [json.loads(line) for line in self.lines("dead")]
        self.assertEqual((letter["item"], letter["exit"], letter["attempts"]), ("13", 1, 3))
        self.assertEqual(sorted(map(int, self.lines("out"))), [i for i in range(32) if i != 13])
        self.assertEqual(self.sizes()[0], 32)
        self.assertLess(len(self.sizes()), 32, "each for itself is no halving")

    def test_poison_in_a_batch(self):
        done = self.batch("cat in.$$; if grep -qx 5 in.$$; then exit 65; fi",
                          "batch: {items: 8, wait: 10s}, workers: 1",
                          input="".join(f"{i}\n" for i in range(8)))
        letter, = [json.loads(line) for line in self.lines("dead")]
        self.assertEqual((done.code, letter["item"], letter["attempts"]), (1, "5", 1), done)
        self.assertEqual(len(self.lines("out")), 7)

    def test_a_worker_that_does_not_read(self):
        done = self.run_faymora("run", "-q", "--mode", "batch", "-o", "out", "--", "echo", "x",
                                input="y" * 1000000 + "\n")
        self.assertEqual((done.code, self.read("out")), (0, "x\n"), done)

    def test_127_stops_the_run(self):
        done = self.batch("exit 127", input="a\nb\n")
        self.assertEqual(done.code, 3, done)
        self.assertFalse((self.work / "dead").exists())

    def test_formats(self):
        for name, coded in (("nul", b"ab\0c\nd\0"), ("netstring", b"2:ab,3:c\nd,"),
                            ("u32be", b"\0\0\0\2ab\0\0\0\3c\nd")):
            with self.subTest(name):
                self.write("worker", "#!/bin/sh\nexec cat\n", 0o755)
                done = faytest.pipeline(self, f"""
                    format: {name}
                    stages:
                      - {{name: b, run: [./worker], mode: batch, batch: {{wait: 1s, items: 2}}}}
                    """, "-q", "-o", "out", input=coded)
                self.assertEqual((done.code, (self.work / "out").read_bytes()), (0, coded), done)


if __name__ == "__main__":
    faytest.main()
