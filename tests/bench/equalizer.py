"""Elasticity on real processes: what the Equalizer does with a load, beside the best fixed number
of workers (found by trying) and the greatest one.

All runs of a load that sleeps go on side by side, as they need next to no CPU time; those that burn
it are alone. What is counted:

    settle   seconds from a change until no Item that becomes due in the next second waits longer
             than 100 ms (or half a start) besides being worked on; where the load falls, until
             there are at most 1.25 times the workers of the end
    p99      seconds from when an Item was due until its last worker was done with it
    w-s      worker-seconds: from the start of a worker to its end, all stages
    actions  workers started and retired; a reversal is the opposite within 20 periods (1 s, or ten
             times as long as workers take to start)
"""
import json
import math
import subprocess
import time

import loads
import quiet
from harness import Broken, LIMIT_S, Row, stop, summary

MOST = 32  # what `workers: max` is here
FACTORS = (0.8, 1.0, 1.2, 1.5, 2.0, 2.6)  # of the offered load at its peak: numbers to try
TICK_S = 0.1
GOALS = {"p99": ("<=", 1.5), "whole": ("<=", 1.1)}
COLUMNS = ((22, "<"), (14, "<"), (9, ">"), (9, ">"), (9, ">"), (8, ">"), (9, ">"))


# ---- one run ----------------------------------------------------------------------------------

class Run:
    """A load with so many workers: `workers` is "auto", "max" or a list, one number a stage."""

    def __init__(self, b, load, workers):
        self.b, self.load, self.workers = b, load, workers
        self.label = workers if isinstance(workers, str) else "-".join(map(str, workers))
        self.place = b.work / f"{load.name}-{self.label}"
        self.child = None

    def pinned(self, stage):
        if self.workers == "auto":  # burners: as many as the cores can do with
            return "" if self.load.burns else f", workers: {{max: {MOST}}}"
        return f", workers: {MOST if self.workers == 'max' else self.workers[stage]}"

    def start(self):
        self.place.mkdir()
        stages = "\n".join(
            f"  - {{name: s{n + 1}, run: {json.dumps(stage.argv(self.b.tool('task')))}, "
            f"mode: {stage.mode}{self.pinned(n)}}}" for n, stage in enumerate(self.load.stages))
        path = self.place / "run.yaml"
        path.write_text(
            f"faymora: 1\nsource: {{generate: {{size: 1, rate: {self.load.pace.yaml()}}}}}\n"
            f"sink: {{file: {self.place / 'out'}}}\nstages:\n{stages}\n")
        args = self.b.run_argv(["--events", self.place / "events", path])
        with open(self.place / "err", "wb") as err:
            self.child = self.b.start(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=err)
        self.wall = time.time() - time.monotonic()

    def finish(self):
        try:
            code = self.child.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Broken(f"{self.place.name}: not done in {LIMIT_S} s") from None
        finally:
            stop(self.child)
        err = (self.place / "err").read_text()
        if code != 0:
            raise Broken(f"{self.place.name}: exit status {code}\n{err[-500:]}")
        self.told = summary(err)
        self.b.check(self.told, self.load.pace.items)
        self.read_items()
        self.read_workers()
        self.measure()

    # -- what the run has left behind

    def read_items(self):
        """self.items: [(due, [(begun, done) of each stage])], seconds since the first was due."""
        rows = []
        for line in (self.place / "out").read_text().splitlines():
            number, *times = map(int, line.split())
            rows.append((number, [t / 1e6 for t in times]))
        rows.sort()
        if [row[0] for row in rows] != list(range(self.load.pace.items)):
            raise Broken(f"{self.place.name}: Items are missing or doubled")
        dues = self.load.dues
        # None can begin before it is due, and the first of an idle run begin at once.
        self.epoch = min(times[0] - dues[number] for number, times in rows)
        self.items = [(dues[number], [(times[i] - self.epoch, times[i + 1] - self.epoch)
                                      for i in range(0, len(times), 2)])
                      for number, times in rows]
        self.ended = max(stages[-1][1] for _, stages in self.items)

    def read_workers(self):
        """self.lives: [(stage, born, up, gone)], likewise; born = its start was begun."""
        self.lives, up = [], {}
        for line in (self.place / "events").read_text().splitlines():
            event = json.loads(line)
            at = event["ts"] - self.wall - self.epoch
            if event["event"] == "worker.up":
                up[event["stage"], event["worker"]] = (at - event["seconds"], at)
            elif event["event"] == "worker.down":
                key = event["stage"], event["worker"]
                self.add_life(key, up.pop(key, (at, at)), at)
        for key, life in up.items():
            self.add_life(key, life, self.ended)

    def add_life(self, key, life, gone):
        stage = int(key[0][1:]) - 1
        self.lives.append((stage, *life, min(gone, self.ended)))

    # -- figures

    def waits(self):
        """[(due, seconds waited besides being worked on)]"""
        for due, stages in self.items:
            worked = sum(done - begun for begun, done in stages)
            yield due, stages[-1][1] - due - worked

    def measure(self):
        sojourns = sorted(stages[-1][1] - due for due, stages in self.items)
        self.p50 = sojourns[len(sojourns) // 2]
        self.p99 = sojourns[min(len(sojourns) - 1, int(len(sojourns) * 0.99))]
        self.worker_s = sum(max(0, gone - born) for _, born, _, gone in self.lives)
        self.actions, self.reversals = self.count_actions()
        self.settles = [self.settle(*change) for change in self.load.disturbed]

    def count_actions(self):
        """Those that the stages began with, and those that ended with the run, are none."""
        actions = reversals = 0
        for stage in range(len(self.load.stages)):
            lives = [life for life in self.lives if life[0] == stage]
            acts = [(born, 1) for _, born, _, _ in lives if born > 0.02]
            acts += [(gone, -1) for _, _, _, gone in lives if gone < self.ended]
            acts.sort()
            actions += len(acts)
            reversals += sum(later[1] != act[1] and later[0] - act[0] < 20 * self.load.period
                             for act, later in zip(acts, acts[1:]))
        return actions, reversals

    def alive(self, at, stage=None):
        return sum(born <= at < gone for which, born, _, gone in self.lives
                   if stage in (None, which))

    def settle(self, changed, falls):
        until = min([t for t, _ in self.load.disturbed if t > changed] + [self.load.pace.lasts])
        most = max(0.1, self.load.period)
        waits = [(due, waited) for due, waited in self.waits() if changed <= due < until]
        last_late = max((due for due, waited in waits if waited > most), default=changed)
        settled = changed
        for due, waited in waits:  # the first second without a late one
            if waited > most:
                settled = due
            elif due - settled >= 1:
                break
        else:
            settled = last_late
        if falls:
            few = self.alive(until - 0.5)
            most_workers = max(1.25 * few, few + 2)
            times = [changed + i * TICK_S for i in range(int((until - changed) / TICK_S))]
            settled = max([settled] + [t + TICK_S for t in times if self.alive(t) > most_workers])
        return settled - changed

    # -- for the drawing

    def series(self):
        # Between the times at which Items are due: those have not been given out yet.
        ticks = [(i + 0.37) * TICK_S for i in range(int(self.ended / TICK_S) + 1)]
        stages = []
        for n, stage in enumerate(self.load.stages):
            came = [due if n == 0 else done[n - 1][1] for due, done in self.items]
            begun = [done[n][0] for _, done in self.items]
            item = [sum(c <= t for c in self.load.dues) - 1 for t in ticks]
            up = [sum(up <= t < gone for which, _, up, gone in self.lives if which == n)
                  for t in ticks]
            stages.append({
                "workers": [self.alive(t, n) for t in ticks],
                "capacity": [round(u / stage.seconds(max(i, 0)), 2) for u, i in zip(up, item)],
                "arrival": [round(self.load.pace.rate(t), 2) for t in ticks],
                "backlog": [sum(c <= t for c in came) - sum(s <= t for s in begun)
                            for t in ticks]})
        return {"tick": TICK_S, "stages": stages}

    def as_json(self, series):
        told = {"label": self.label, "p50": self.p50, "p99": self.p99, "worker_s": self.worker_s,
                "actions": self.actions, "reversals": self.reversals, "settle": self.settles,
                "ended": self.ended, "peaks": [s["workers_peak"] for s in self.told["stages"]]}
        if series:
            told["series"] = self.series()
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in told.items()}


# ---- a load -----------------------------------------------------------------------------------

def numbers_to_try(load):
    tried = []
    for factor in FACTORS:
        numbers = [min(MOST, max(1, math.ceil(factor * load.peak(n))))
                   for n in range(len(load.stages))]
        if numbers not in tried:
            tried.append(numbers)
    return tried


def best_of(fixed):
    """The cheapest whose p99 is hardly worse than that of the greatest number."""
    good = [run for run in fixed if run.p99 <= 1.2 * fixed[-1].p99]
    return min(good, key=lambda run: run.worker_s)


def try_load(b, load):
    runs = [Run(b, load, workers) for workers in ("auto", "max", *numbers_to_try(load))]
    together = [[run] for run in runs] if load.burns else [runs]
    for group in together:
        try:
            for run in group:
                run.start()
            for run in group:
                run.finish()
        finally:
            for run in group:
                if run.child is not None:
                    stop(run.child)
    return runs[0], best_of(runs[2:]), runs[1], runs


def cells(values):
    return "  ".join(f"{value:{side}{width}}"
                     for value, (width, side) in zip(values, COLUMNS)).rstrip()


def line_of(name, how, run):
    settles = " ".join(f"{s:.1f}" for s in run.settles) or "-"
    return cells([name, how, settles, f"{run.p99 * 1e3:.0f} ms", f"{run.worker_s:.1f}",
                  run.actions, run.reversals])


def rows_of(load, auto, best):
    whole = GOALS["whole"] if load.whole else None
    return [Row(f"{load.name}: p99", auto.p99 * 1e3, best.p99 * 1e3, "ms",
                f"best fixed ({best.label})", GOALS["p99"]),
            Row(f"{load.name}: worker-seconds", auto.worker_s, best.worker_s, "w-s",
                f"best fixed ({best.label})", whole)]


# ---- a finite input -----------------------------------------------------------------------------

def finite(b):
    """So many lines through a cold line of three stages that burn CPU time, from a pipe."""
    items, times, cores = b.pick(400, 40), (5, 10, 5), 2
    lines = "".join(f"{i}\n" for i in range(items))
    source = b.file("finite", lines)
    stages = "\n".join(
        f"  - {{name: s{n}, run: [{b.tool('task')}, lines, burn, '{ms}', '0'], mode: lines}}"
        for n, ms in enumerate(times, 1))
    path = b.file("finite.yaml", f"faymora: 1\nname: finite\nstages:\n{stages}\n")

    def ours():
        with open(source, "rb") as file:
            cat = b.start(["cat"], stdin=file, stdout=subprocess.PIPE)
            try:
                begun = time.monotonic()
                child = b.start(b.run_argv([path]), stdin=cat.stdout, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)
                err = child.communicate(timeout=LIMIT_S)[1].decode()
                took = time.monotonic() - begun
            finally:
                stop(cat)
        b.check(summary(err), items)
        return took

    def bare():
        """The same work in processes that do nothing else: what the machine has left for us."""
        begun = time.monotonic()
        both = [b.start([b.tool("burn"), sum(times), items // cores]) for _ in range(cores)]
        try:
            for one in both:
                one.wait()
        finally:
            for one in both:
                stop(one)
        return time.monotonic() - begun

    seconds = b.interleave({"ours": ours, "bare": bare}, b.pick(3, 1))
    bound = items * sum(times) / 1e3 / cores + sum(times) / 1e3
    return [Row("finite input, 3 stages cold", seconds["ours"], bound, "s",
                "work / cores + critical path", ("<=", 1.1)),
            Row("finite input, 3 stages cold", seconds["ours"], seconds["bare"], "s",
                "two bare processes, the same work")]


# ---- all ----------------------------------------------------------------------------------------

def equalizer(b):
    rows, found = [], []
    b.say(cells(["load", "workers", "settle s", "p99", "w-s", "actions", "reversals"]))
    every = loads.all_loads()
    for name in b.pick(list(every), ["step", "burn"]):
        load = every[name]
        auto, best, most, runs = try_load(b, load)
        b.say(line_of(load.name, "Equalizer", auto))
        b.say(line_of("", f"best: {best.label}", best))
        b.say(line_of("", f"max: {MOST}", most))
        rows += rows_of(load, auto, best)
        found.append({"name": load.name, "what": load.what, "best": best.label, "most": MOST,
                      "disturbed": load.disturbed,
                      "runs": [run.as_json(run in (auto, best, most)) for run in runs]})
    b.say("")
    b.save("equalizer.json", {"loads": found})
    return rows + finite(b) + quiet.quiet(b)
