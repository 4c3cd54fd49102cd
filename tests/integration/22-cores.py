#!/usr/bin/env python3
"""Without a flag: workers that sleep grow far beyond the cores, those that compute do not."""
# serial: whether workers may grow is a matter of how busy the cores are
import json
import os
import signal
import subprocess

import faytest

CORES = len(os.sched_getaffinity(0))


class Cores(faytest.Case):
    @staticmethod
    def start_burner():
        return subprocess.Popen(["sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL)

    def workers(self):
        text = self.read("ev") if (self.work / "ev").exists() else ""
        return text.count('"worker.up"') - text.count('"worker.down"')

    def test_sleepers_grow_beyond_the_cores(self):
        """Also where others keep the cores busy: they need next to nothing of them."""
        burners = [self.start_burner() for _ in range(CORES)]
        few = set(sorted(os.sched_getaffinity(0))[:2])
        items = self.write("items", "".join(f"{i}\n" for i in range(100000)))
        with open(items) as stdin:
            run = self.start("run", "-q", "--events", "ev", "--", "sh", "-c", "sleep 0.2", "{}",
                             stdin=stdin, preexec_fn=lambda: os.sched_setaffinity(0, few))
        try:
            faytest.wait_for(lambda: self.workers() > 8 * len(few), "many sleepers", 60)
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
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
