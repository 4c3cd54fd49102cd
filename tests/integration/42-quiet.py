#!/usr/bin/env python3
"""How often our own processes wake up: for data, and hardly ever else. Counted, not timed: what a
busy machine changes is when they wake up, not how often they do it of their own accord."""
import os
import time

import faytest

WATCHED_S = 3


def wakeups(pid):
    with open(f"/proc/{pid}/status") as file:
        lines = [line for line in file if line.startswith("voluntary_ctxt_switches")]
    return int(lines[0].split()[1])


class Quiet(faytest.Case):
    def ours(self, process):
        """The owner and its Instances."""
        return [process.pid, *faytest.children(process.pid)]

    def count(self, process, condition):
        before = {pid: wakeups(pid) for pid in self.ours(process)}
        faytest.wait_for(condition, "what is counted until")
        return [wakeups(pid) - before[pid] for pid in before]

    def done(self):
        return self.read("out").count("\n") if os.path.exists("out") else 0

    def test_an_idle_run_sleeps(self):
        process = self.start("run", "-q", "-o", "out", "--", "cat", "-u", "::", "cat", "-u",
                             stdin=faytest.subprocess.PIPE)
        process.stdin.write(b"x\n")
        process.stdin.flush()
        faytest.wait_for(lambda: self.done() == 1, "the first Item")
        begun = time.monotonic()
        counted = self.count(process, lambda: time.monotonic() - begun > WATCHED_S)
        seconds = time.monotonic() - begun
        # A ping a second to each other end, and one from it; and the end of what came before.
        self.assertLess(counted[0], 4 * seconds + 10, counted)
        self.assertLess(max(counted[1:]), 2 * seconds + 10, counted)
        process.stdin.close()
        self.assertEqual(self.finish(process).code, 0)

    def test_a_constant_load_is_not_evaluated(self):
        """Twice for each Item: it comes, its result comes. Once more and it would be a timer's."""
        self.write("run.yaml", """
faymora: 1
source: {generate: {size: 1, rate: 25}}
sink: {file: out}
stages: [{run: [sh, -c, "while read -r x; do sleep 0.06; echo $x; done"], mode: lines,
          workers: {max: 16}}]
""")
        process = self.start("run", "-q", "run.yaml")
        faytest.wait_for(lambda: self.done() > 100, "a load that is known")
        begun = self.done()
        counted = self.count(process, lambda: self.done() >= begun + 100)
        items = self.done() - begun
        self.assertLess(max(counted), 2.4 * items + 10, counted)
        process.send_signal(faytest.signal.SIGTERM)
        self.finish(process)


if __name__ == "__main__":
    faytest.main()
