#!/usr/bin/env python3
"""Workers that come and go with the load: whoever goes has nothing in hand."""
import collections
import json
import subprocess

import faytest

RETIREMENTS = 40  # in each of the six: more than 200 in all
BURST = 40


class Elastic(faytest.Case):
    """Items come in bursts. Before the next one all workers have gone but `min`."""

    def elastic(self, mode, least):
        careful = faytest.tool("careful", sdk=True)
        self.write("p.yaml", f"""faymora: 1
stages:
  - name: w
    run: [{careful}, log, {mode}, "5000"]
    mode: {mode}
    workers: {{min: {least}, max: 12}}
    equalizer: {{period: 10ms}}
    buffering: none
""")
        return self.start("run", "-q", "p.yaml", "-o", "out", "--events", "ev",
                          stdin=subprocess.PIPE)

    def events(self, name):
        """Those whose lines are whole."""
        text = self.read("ev") if (self.work / "ev").exists() else ""
        events = [json.loads(line) for line in text.split("\n")[:-1]]
        return [e for e in events if e["event"] == name]

    def workers(self):
        return len(self.events("worker.up")) - len(self.events("worker.down"))

    def processes(self, run):
        return [pid for instance in faytest.instances(run.pid) for pid in
                faytest.children(instance)]

    def burst(self, run, sent, least):
        """The next Items, until all of them are out and only `least` workers are left."""
        run.stdin.write("".join(f"{i}\n" for i in range(sent, sent + BURST)).encode())
        run.stdin.flush()
        sent += BURST
        faytest.wait_for(lambda: len(self.lines("out")) >= sent, f"{sent} results")
        faytest.wait_for(lambda: len(self.processes(run)) == least and self.workers() == least,
                         f"{least} workers")
        return sent

    def come_and_go(self, mode, least):
        run = self.elastic(mode, least)
        faytest.wait_for((self.work / "out").exists, "the sink")
        sent = 0
        while len(self.events("worker.down")) < RETIREMENTS:
            sent = self.burst(run, sent, least)
        down = self.events("worker.down")
        self.assertEqual({(e["exit"], e["signal"], e["error"]) for e in down},
                         {(0, 0, "retired")}, down)
        run.stdin.close()
        done = self.finish(run)
        self.assertEqual(done.code, 0, done)
        self.check_items(sent)

    def check_items(self, sent):
        everyone = [str(i) for i in range(sent)]
        self.assertEqual(sorted(self.lines("out"), key=int), everyone)
        notes = [line.split(" ", 2) for line in self.lines("log")]
        self.assertEqual([note for note in notes if note[1] == "!"], [])
        begun = collections.Counter((pid, item) for pid, sign, item in notes if sign == "+")
        ended = collections.Counter((pid, item) for pid, sign, item in notes if sign == "-")
        self.assertEqual(begun, ended)  # by the same worker
        self.assertEqual(sorted((item for _, item in begun.elements()), key=int), everyone)

    def test_lines(self):
        self.come_and_go("lines", 2)

    def test_lines_from_none(self):
        self.come_and_go("lines", 0)

    def test_json(self):
        self.come_and_go("json", 2)

    def test_json_from_none(self):
        self.come_and_go("json", 0)

    def test_frames(self):
        self.come_and_go("frames", 2)

    def test_frames_from_none(self):
        self.come_and_go("frames", 0)


if __name__ == "__main__":
    faytest.main()
