"""The loads of the bench of elasticity: how Items come, and what they cost in each stage.

A pace is a list of pieces (seconds, rate, rate at its end), as `generate: {rate: ..}` takes it.
Item number n is due when the area below it reaches n: what the generator does, done again here, so
that how long an Item took is measured from when it was due, not from when the run had a place for
it.
"""
import bisect
import math


class Pace:
    def __init__(self, *pieces):
        self.pieces = [(piece[0], piece[1], piece[-1]) for piece in pieces]
        self.begins, self.areas = [0.0], [0.0]
        for lasts, begin, end in self.pieces:
            self.begins.append(self.begins[-1] + lasts)
            self.areas.append(self.areas[-1] + lasts * (begin + end) / 2)
        self.lasts = self.begins[-1]
        self.items = math.ceil(self.areas[-1] - 1e-6)

    def yaml(self):
        def piece(lasts, begin, end):
            to = f", to: {end:g}" if end != begin else ""
            return f"{{for: {lasts:g}s, rate: {begin:g}{to}}}"
        return f"[{', '.join(piece(*p) for p in self.pieces)}]"

    def rate(self, t):
        i = min(bisect.bisect_right(self.begins, t) - 1, len(self.pieces) - 1)
        lasts, begin, end = self.pieces[i]
        return begin + (end - begin) * (t - self.begins[i]) / lasts if 0 <= t < self.lasts else 0

    def due(self, n):
        i = min(bisect.bisect_right(self.areas, n + 1e-6) - 1, len(self.pieces) - 1)
        lasts, begin, end = self.pieces[i]
        slope, items = (end - begin) / lasts, max(0.0, n - self.areas[i])
        root = math.sqrt(max(0.0, begin * begin + 2 * slope * items))
        return self.begins[i] + (2 * items / (begin + root) if items > 0 else 0)


class Stage:
    """`changes`: [(item, factor)]: from that Item on each takes so many times `ms`."""

    def __init__(self, ms, work="sleep", mode="frames", start_s=0, changes=()):
        self.ms, self.work, self.mode, self.start_s = ms, work, mode, start_s
        self.changes = changes

    def argv(self, program):
        return [program, self.mode, self.work, f"{self.ms:g}", f"{self.start_s:g}",
                *(f"{item}:{factor:g}" for item, factor in self.changes)]

    def seconds(self, item):
        factor = 1
        for since, changed in self.changes:
            factor = changed if item >= since else factor
        return self.ms * factor / 1e3


class Load:
    """`disturbed`: [(second, whether it falls)]: from where the time to settle counts."""

    def __init__(self, name, what, pace, stages, disturbed, whole=False):
        self.name, self.what, self.pace, self.stages = name, what, pace, stages
        self.disturbed, self.whole = disturbed, whole
        self.burns = any(stage.work == "burn" for stage in stages)
        self.start_s = max(stage.start_s for stage in stages)
        self.period = max(0.05, self.start_s / 2)  # T of the Equalizer, as it is by default
        self.dues = [pace.due(n) for n in range(pace.items)]

    def offered(self, stage, t):
        """R: workers that are busy all the time at that second."""
        item = bisect.bisect_right(self.dues, t) - 1
        return self.pace.rate(t) * self.stages[stage].seconds(max(item, 0))

    def peak(self, stage):
        steps = int(self.pace.lasts * 10)
        return max(self.offered(stage, i / 10) for i in range(steps))


def step(low, high, seconds, **stage):
    a, b, c = seconds
    return Pace((a, low), (b, high), (c, low)), [Stage(**stage)], [(a, False), (a + b, True)]


def sine(low, high, period, periods, pieces=16):
    """As ramps, which begin at the middle."""
    middle, swing = (low + high) / 2, (high - low) / 2
    rates = [round(middle + swing * math.sin(2 * math.pi * i / pieces), 2)
             for i in range(pieces + 1)]
    return Pace(*[(period / pieces, rates[i], rates[i + 1]) for i in range(pieces)] * periods)


def all_loads():
    loads = [
        Load("step", "step x10 up and down, 100 ms of sleep",
             *step(5, 50, (8, 10, 8), ms=100), whole=True),
        Load("spike", "spike x10 for 2 s, 100 ms of sleep",
             Pace((6, 10), (2, 100), (10, 10)), [Stage(100)], [(6, False), (8, True)]),
        Load("sine", "sine, 5 to 35 Items/s in 8 s, 100 ms of sleep",
             sine(5, 35, 8, 3), [Stage(100)], []),
        Load("shift", "the bottleneck shifts: 30 and 120 ms of sleep, then 120 and 30",
             Pace((20, 30)), [Stage(30, changes=[(300, 4)]), Stage(120, changes=[(300, 0.25)])],
             [(10, False)]),
        Load("slow", "workers become 4 times slower, 40 ms of sleep",
             Pace((20, 30)), [Stage(40, changes=[(300, 4)])], [(10, False)]),
        Load("start-0.3", "step x10 up and down, workers start in 0.3 s",
             *step(5, 50, (8, 10, 8), ms=100, start_s=0.3)),
        Load("start-2", "step x10 up and down, workers start in 2 s",
             *step(5, 50, (8, 16, 10), ms=100, start_s=2)),
        Load("unseen-0.3", "the same, mode lines: 0.3 s that nobody is told of",
             *step(5, 50, (8, 10, 8), ms=100, start_s=0.3, mode="lines")),
        Load("burn", "step x10 up and down, 20 ms of CPU time",
             *step(4, 40, (6, 10, 6), ms=20, work="burn")),
    ]
    return {load.name: load for load in loads}
