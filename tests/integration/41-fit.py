#!/usr/bin/env python3
"""As many workers as fit into the machine: by what they need, stated or measured."""
import json
import os

import faytest

CORES = len(os.sched_getaffinity(0))


class Fit(faytest.Case):
    def peak(self, pipeline, count, stage=0):
        """The most workers that the stage had, all Items done."""
        self.write("p.yaml", pipeline)
        done = self.run_faymora("run", "p.yaml", "--json", "--events", "ev",
                                input="".join(f"{i}\n" for i in range(count)))
        self.assertEqual(done.code, 0, done)
        summary = json.loads(done.err.splitlines()[-1])
        self.assertEqual(summary["in"], count)
        return summary["stages"][stage]["workers_peak"]

    def test_stated_cores(self):
        """Sleepers that would fit by the hundred, if they did not say that they need a core."""
        peak = self.peak("""
faymora: 1
stages: [{name: s, run: [sh, -c, "sleep 0.05", "{}"], mode: exec, resources: {cpu: 0.5}}]
sink: null
""", 60)
        self.assertGreaterEqual(peak, CORES)
        self.assertLessEqual(peak, 2 * CORES)

    def test_more_than_the_machine_has(self):
        """One there must be."""
        peak = self.peak("""
faymora: 1
stages: [{name: s, run: [sh, -c, "sleep 0.01", "{}"], mode: exec, resources: {cpu: 4096}}]
sink: null
""", 20)
        self.assertEqual(peak, 1)

    def test_stated_memory(self):
        """Each says that it needs a third of what there is, which is what an event says."""
        self.peak("""
faymora: 1
stages: [{name: s, run: [sh, -c, "sleep 0.05", "{}"], mode: exec, workers: {max: 2}}]
sink: null
""", 20)
        events = [json.loads(line) for line in self.lines("ev")]
        third = int(max(e["bytes"] for e in events if e.get("bytes"))) // 3
        peak = self.peak(f"""
faymora: 1
stages:
  - {{name: s, run: [sh, -c, "sleep 0.05", "{{}}"], mode: exec, resources: {{memory: {third}}}}}
sink: null
""", 60)
        self.assertGreaterEqual(peak, 2)
        self.assertLessEqual(peak, 3)

    def test_children_that_compute(self):
        """What they wait for is not seen: a crowd of them must not look cheap."""
        self.write("child.sh", "while read a; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done;"
                               " echo $a; done")
        self.write("outer.py", """import subprocess, sys
child = subprocess.Popen(["sh", "child.sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for line in sys.stdin.buffer:
    child.stdin.write(line)
    child.stdin.flush()
    sys.stdout.buffer.write(child.stdout.readline())
    sys.stdout.buffer.flush()
""")
        peak = self.peak("""
faymora: 1
stages: [{name: s, run: [python3, outer.py], mode: lines}]
sink: null
""", 300)
        self.assertLessEqual(peak, 2 * CORES)

    def test_sleepers_behind_burners(self):
        """The cores are busy with the first stage: the second, which needs next to nothing of
        them, gets its share all the same."""
        peak = self.peak("""
faymora: 1
stages:
  - {name: burn, run: [sh, -c, "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); done; echo", "{}"],
     mode: exec}
  - {name: sleep, run: [sh, -c, "sleep 0.3; echo", "{}"], mode: exec}
sink: null
""", 300, stage=1)
        self.assertGreater(peak, CORES)


if __name__ == "__main__":
    faytest.main()
