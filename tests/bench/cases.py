"""The measurements. Each gives rows of the table; the goals stand beside each."""
import shutil
import statistics
import time

import equalizer
import grid
import memory
from harness import Broken, Row, need, stop

LINE_BYTES = 100
CREDIT = 256


# ---- exec: a process for every Item -----------------------------------------------------------

def exec_(b):
    """`true {}`, two at a time. Each runner has as many Items as it takes for a second and more."""
    true = shutil.which("true")

    def items(n):
        return b.file("numbers", "".join(f"{i}\n" for i in range(n)))

    def ours(n):
        return b.ours(["-j", "2", "--", true, "{}"], n, items(n))

    def bare(n):
        return b.call([b.tool("spawn_rate"), n, 2, true, "{}"])[0]

    def xargs(n):
        return b.call([need("xargs"), "-n1", "-P2", true], items(n))[0]

    def parallel(n):
        return b.call([need("parallel", "GNU"), "-j2", true, "{}"], items(n))[0]

    goals = {"bare spawn": (bare, 0.8), "xargs -n1 -P2": (xargs, 1.0),
             "parallel -j2": (parallel, 5.0)}
    runs = {"ours": rate_of(b, ours)}
    for name, (run, _) in goals.items():
        runs[name] = rate_of(b, run)
    rates = b.interleave(runs)
    return [Row("exec, true {}, 2 slots", rates["ours"], rates[name], "/s", name, (">=", goal))
            for name, (_, goal) in goals.items() if name in rates]


def rate_of(b, run):
    """Items per second, of a size that is found when it is first asked for."""
    sized = []

    def rate():
        if not sized:
            sized.append(b.size(run, 50, 1.5))
        return sized[0] / run(sized[0])
    return rate


# ---- lines: a filter that lives on, file to file ----------------------------------------------

def make_lines(b, count):
    path = b.work / "in"
    with open(path, "w") as file:
        file.writelines(f"{i} ".ljust(LINE_BYTES - 1, "x") + "\n" for i in range(count))
    return path, linesum(b, path)


def linesum(b, path):
    return b.call([b.tool("linesum")], path)[1].split()


def filtered(b, source, expected, run):
    """Lines per second of run(target), whose lines must be those of the source in any order."""
    def rate():
        target = b.work / "out"
        target.unlink(missing_ok=True)
        seconds = run(target)
        found = linesum(b, target)
        if found != expected:
            raise Broken(f"{found[0]} lines came out of {expected[0]}, or changed ones")
        return int(expected[0]) / seconds
    return rate


def lines(b):
    """3 M lines of 100 bytes through two processes of one C filter, every line accounted for."""
    count = b.pick(3000000, 200000)
    source, expected = make_lines(b, count)
    linecat = b.tool("linecat")

    def ours(target):
        return b.ours(["-j", "2", "--mode", "lines", "--", linecat], count, source, target)

    def pipe(*more):
        return lambda target: b.call([need("parallel", "GNU"), "--pipe", "-j2", *more, linecat],
                                     source, target)[0]

    def bare(target):
        return b.call([linecat], source, target)[0]

    goals = {"parallel --pipe": (pipe(), (">=", 2.5)),
             "parallel --pipe --block 10M": (pipe("--block", "10M"), (">=", 1.0)),
             "one filter <in >out": (bare, None)}
    runs = {"ours": filtered(b, source, expected, ours)}
    for name, (run, _) in goals.items():
        runs[name] = filtered(b, source, expected, run)
    rates = b.interleave(runs)
    return [Row(f"lines, {label(count)}, 2 filters", rates["ours"], rates[name], "/s", name, goal)
            for name, (_, goal) in goals.items() if name in rates]


def label(count):
    return f"{count // 1000000} M" if count >= 1000000 else f"{count // 1000} k"


# ---- frames: a C class ------------------------------------------------------------------------

def frames(b):
    """Made-up Items of 100 bytes through a class that passes them on, two workers a stage."""
    pass_on = b.tool("pass_on")

    def ours(stages):
        def run(n):
            path = b.pipeline("frames", n, [f"run: [{pass_on}], mode: frames, workers: 2"] * stages)
            return b.ours([path], n)
        return run

    def star(n):
        return b.call([b.tool("star_rate"), n, 2, CREDIT])[0]

    rows = []
    for stages, goal in ((1, 0.20), (3, 0.08)):
        runs = {}
        for name, run in (("ours", ours(stages)), ("star", star)):
            n = b.size(run, 200000, 2.2)
            runs[name] = lambda run=run, n=n: n / run(n)
        rates = b.interleave(runs)
        rows.append(Row(f"frames, {stages} stage{'s' if stages > 1 else ''} of 2 workers",
                        rates["ours"], rates["star"], "/s", f"bare star, credit {CREDIT}",
                        (">=", goal)))
    return rows


# ---- cpu: Items that are work -----------------------------------------------------------------

def cpu(b):
    """400 Items of 10 ms CPU time over two workers, beside two bare processes with 200 each."""
    count = b.pick(400, 40)
    burner = b.tool("burner")
    items = b.file("numbers", "".join(f"{i}\n" for i in range(count)))

    def bare():
        from_s = time.monotonic()
        both = [b.start([b.tool("burn"), 10, count // 2]) for _ in range(2)]
        try:
            for one in both:
                one.wait()
        finally:
            for one in both:
                stop(one)
        return time.monotonic() - from_s

    rows = []
    for mode in ("lines", "json", "frames"):
        def ours(mode=mode):
            return b.ours(["-j", "2", "--mode", mode, "--", burner, mode, "10"], count, items)

        seconds = b.interleave({"ours": ours, "bare": bare})
        rows.append(Row(f"cpu, {count} Items of 10 ms, {mode}", seconds["ours"], seconds["bare"],
                        "s", "two bare processes", ("<=", 1.03)))
    return rows


# ---- latency ----------------------------------------------------------------------------------

def latency(b):
    """One line is written and its answer waited for, 2,000 times, through three filters."""
    count = b.pick(2000, 200)
    linecat = b.tool("linecat")
    ours = [b.faymora, "run", "-q", "--dead-letter", "none", "-j", "1", "--mode", "lines", "--",
            linecat, "::", linecat, "::", linecat]
    bare = ["sh", "-c", f"'{linecat}' | '{linecat}' | '{linecat}'"]

    found = {"ours": [], "bare": []}
    for _ in range(b.pick(5, 1)):
        for name, argv in (("ours", ours), ("bare", bare)):
            told = b.call([b.tool("stopwatch"), "echo", count, *argv])[1].split()
            found[name].append([float(word) for word in told])

    rows = []
    for n, (percentile, goal) in enumerate((("p50", ("<=", 5.0)), ("p99", None))):
        us = {name: statistics.median(pair[n] for pair in pairs) for name, pairs in found.items()}
        rows.append(Row(f"latency, three lines stages, {percentile}", us["ours"], us["bare"], "us",
                        "three bare processes", goal))
    return rows


# ---- start ------------------------------------------------------------------------------------

def start(b):
    """From the start of `faymora run` to the first byte of the first result."""
    times, spawns = b.pick((20, 200), (5, 50))
    true = shutil.which("true")

    def first(*command):
        argv = [b.faymora, "run", "-q", "--dead-letter", "none", "--", *command]
        watch = [b.tool("stopwatch"), "first", times, *argv]
        return lambda: float(b.call(watch)[1].split()[0]) / 1e3

    def bare():
        told = b.call([b.tool("spawn_rate"), spawns, 1, true])[1]
        return 1e3 / float(told.split()[0])

    rows = []
    for name, command in (("exec", ["echo", "{}", ":::", "x"]),
                          ("lines", [b.tool("linecat"), ":::", "x"])):
        ms = b.interleave({"ours": first(*command), "bare": bare}, b.pick(5, 1))
        rows.append(Row(f"start to first result, {name}", ms["ours"], 3 * ms["bare"] + 10, "ms",
                        f"3 bare spawns ({ms['bare']:.2f}) + 10", ("<=", 1.0)))
    return rows


# ---- journal ----------------------------------------------------------------------------------

def journal(b):
    """Lines from file to file, with --state and without."""
    count = b.pick(3000000, 200000)
    source, expected = make_lines(b, count)
    linecat = b.tool("linecat")

    def ours(*more):
        def run(target):
            shutil.rmtree(b.work / "state", ignore_errors=True)
            return b.ours(["-j", "2", "--mode", "lines", "-a", source, "-o", target, *more, "--",
                           linecat], count)
        return filtered(b, source, expected, run)

    rates = b.interleave({"with": ours("--state", b.work / "state"), "without": ours()})
    return [Row(f"lines, {label(count)}, journal on", rates["with"], rates["without"], "/s",
                "without --state", (">=", 0.8))]


CASES = {"exec": exec_, "lines": lines, "frames": frames, "cpu": cpu, "latency": latency,
         "memory": memory.memory, "start": start, "journal": journal}
ALL = {**CASES, "equalizer": equalizer.equalizer, "grid": grid.grid}
