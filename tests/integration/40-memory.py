#!/usr/bin/env python3
"""Memory is bounded by the windows, whatever the length of the input: a leak would show as a
slope."""
import time

import faytest

FEW, MANY = 2_000_000, 10_000_000  # even the few are enough to fill all windows
FACTOR = 1.5
SPARE_KIB = 2048  # of allocators and page tables; five times the Items would leak more


def pss(pid):
    """KiB of a process, its shared pages shared out; None once it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


class Memory(faytest.Case):
    def peak(self, count, *more, name, pipeline):
        """The most that each of our processes has had, the owner first."""
        self.write(f"{name}.yaml", pipeline.format(count=count, line=faytest.tool("line"),
                                                   frame=faytest.tool("frame", sdk=True)))
        run = self.start("run", f"{name}.yaml", *more)
        most, samples = {}, 0
        while run.poll() is None:
            for pid in [run.pid, *faytest.instances(run.pid)]:
                most[pid] = max(most.get(pid, 0), pss(pid) or 0)
            samples += 1
            time.sleep(0.02)
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.assertGreater(samples, 1)
        return list(most.values())

    def setUp(self):
        super().setUp()
        if faytest.SANITIZED:
            self.skipTest("sanitizers keep what was freed")

    def compare(self, pipeline, *more, many=MANY, few=FEW, spare=SPARE_KIB):
        small = self.peak(few, *more, name="few", pipeline=pipeline)
        large = self.peak(many, *more, name="many", pipeline=pipeline)
        self.assertEqual(len(small), len(large))
        for i, (a, b) in enumerate(zip(small, large)):
            self.assertLessEqual(b, a * FACTOR + spare, f"process {i}: KiB {small} and {large}")

    def test_lines(self):
        self.compare("""
faymora: 1
source: {{generate: {{count: {count}, size: 64}}}}
stages: [{{run: [cat], mode: lines, workers: 2}}]
sink: null
""")

    def test_two_stages_of_frames_in_order(self):
        self.compare("""
faymora: 1
source: {{generate: {{count: {count}, size: 64}}}}
stages:
  - {{name: a, run: [{frame}], mode: frames, workers: 2}}
  - {{name: b, run: [{frame}], mode: frames, workers: 1, ordered: true}}
sink: null
""", few=FEW // 4, many=MANY // 5)

    def test_with_a_journal_and_a_file(self):
        self.compare("""
faymora: 1
source: {{generate: {{count: {count}, size: 64}}}}
stages: [{{run: [cat], mode: lines, workers: 2}}]
sink: {{file: out-{count}}}
state: state-{count}
""")

    def test_a_slow_stage_behind_a_fast_one(self):
        """What has piled up is what the windows hold, in the owner and in the Instances. How far
        both queues are full at once is chance, so that a queue more (8,192 Items of 1 KB) tells
        nothing; a leak of the Items would be five times as much."""
        self.compare("""
faymora: 1
source: {{generate: {{count: {count}, size: 1000}}}}
stages:
  - {{name: fast, run: [cat], mode: lines, workers: 1}}
  - {{name: slow, run: [{line}, -u, "10"], mode: lines, workers: 1}}
sink: null
""", few=20_000, many=80_000, spare=8192)


if __name__ == "__main__":
    faytest.main()
