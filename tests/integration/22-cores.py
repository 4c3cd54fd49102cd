#!/usr/bin/env python3
"""Without a flag: workers that sleep grow far beyond the cores, those that compute do not."""
# serial: whether workers may grow is a matter of how busy the cores are
import json
import os
import pathlib
import signal

import faytest

CORES = len(os.sched_getaffinity(0))


def busy():
    """The share of time for which the machine's cores were busy since the last call."""
    time = [int(t) for t in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    spent, idle = sum(time), time[3] + time[4]
    before, busy.before = getattr(busy, "before", (0, 0)), (spent, idle)
    return 1 - (idle - before[1]) / max(spent - before[0], 1)


class Cores(faytest.Case):
    def workers(self):
        text = self.read("ev") if (self.work / "ev").exists() else ""
        return text.count('"worker.up"') - text.count('"worker.down"')

    def test_sleepers_grow_beyond_the_cores(self):
        few = set(sorted(os.sched_getaffinity(0))[:2])
        items = self.write("items", "".join(f"{i}\n" for i in range(100000)))
        busy()
        with open(items) as stdin:
            run = self.start("run", "-q", "--events", "ev", "--", "sh", "-c", "sleep 0.2", "{}",
                             stdin=stdin, preexec_fn=lambda: os.sched_setaffinity(0, few))
        try:
            faytest.wait_for(lambda: self.workers() > 8 * len(few), "many sleepers", 60)
        except AssertionError:
            if busy() > 0.9:
                self.skipTest("others keep the cores busy")
            raise
        finally:
            run.send_signal(signal.SIGINT)  # those that sleep finish
            done = self.finish(run)
        self.assertEqual(done.code, -signal.SIGINT, done)

    def test_burners_stay_at_the_cores(self):
        burn = "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done"
        done = self.run_faymora("run", "--json", "--", "sh", "-c", burn, "{}",
                                input="".join(f"{i}\n" for i in range(20 * CORES)))
        self.assertEqual(done.code, 0, done)
        stage, = json.loads(done.err.split("\n")[-2])["stages"]
        self.assertLessEqual(stage["workers_peak"], CORES, done)


if __name__ == "__main__":
    faytest.main()
