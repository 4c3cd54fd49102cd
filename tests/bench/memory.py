"""The memory of our own processes: the owner and its Instances, not the workers, which are users'.

PSS from /proc/PID/smaps_rollup, sampled every 3 ms through a `lines` run: a page that several
processes share counts to each in part, so the sum is what the run costs the machine. The first
third of a run is left out (start-up), the median of the others counts, the peak is shown.

What is queue windows: the same run with `queue: {items: 16, bytes: 64KiB}`, which is as good as
none. What a process needs there is what it needs beyond its windows, and the difference to the
default queues is what the windows hold. These grow to 20 ms of the
measured rate; the row with fixed queues shows what grows besides.
"""
import pathlib
import statistics
import subprocess
import time

from harness import Broken, LIMIT_S, Row, stop, summary

MIB = 1024.0  # smaps_rollup counts in KiB
EVERY_S = 0.003
TINY = ", queue: {items: 16, bytes: 64KiB}"
FIXED = ", queue: {items: 1024, bytes: 64MiB}"  # the default, but one that is stated does not grow


def memory(b):
    few, many = b.pick((10**6, 2 * 10**7), (10**6, 4 * 10**6))
    runs = {"few": (few, ""), "many": (many, ""), "few, fixed": (few, FIXED),
            "many, fixed": (many, FIXED), "tiny": (few, TINY)}
    found = {name: [] for name in runs}
    for _ in range(b.rounds):
        for name, (items, queue) in runs.items():
            found[name].append(sample_run(b, items, queue))
    mib = {name: {role: statistics.median(s[role] for s in samples)
                  for role in ("owner", "instance", "all", "peak")}
           for name, samples in found.items()}

    few_label, many_label = (f"{n / 1e6:g} M" for n in (few, many))
    rows = [Row(f"memory, {many_label} Items, all of ours", mib["many"]["all"],
                mib["few"]["all"], "MiB", f"with {few_label}", ("+-", 0.10))]
    rows.append(Row("memory, the same, queues fixed", mib["many, fixed"]["all"],
                    mib["few, fixed"]["all"], "MiB", f"with {few_label}"))
    for role in ("owner", "instance"):
        rows.append(Row(f"memory, {role}, without windows", mib["tiny"][role], 4.0, "MiB",
                        "PSS", ("<=", 1.0)))
    for role in ("owner", "instance"):
        rows.append(Row(f"memory, {role}, with its windows", mib["many"][role],
                        mib["tiny"][role], "MiB", "without windows"))
    rows.append(Row(f"memory, {many_label} Items, peak", mib["many"]["peak"],
                    mib["many"]["all"], "MiB", "its median"))
    return rows


def sample_run(b, items, stage_more):
    """A `lines` run of made-up Items. Gives MiB: of the owner, of its largest Instance, of all of
    ours, and the peak of the latter."""
    path = b.pipeline("memory", items, [f"run: [{b.tool('linecat')}], mode: lines, workers: 2"
                                        + stage_more])
    with open(b.work / "err", "wb") as err:
        child = b.start(b.run_argv([path]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=err)
    samples = []
    limit = time.monotonic() + LIMIT_S
    try:
        while child.poll() is None:
            if time.monotonic() > limit:
                raise Broken(f"not done in {LIMIT_S} s")
            sample = sample_processes(child.pid)
            if sample is not None:
                samples.append(sample)
            time.sleep(EVERY_S)
    finally:
        stop(child)
    err = (b.work / "err").read_text()
    if child.returncode != 0:
        raise Broken(f"exit status {child.returncode}\n{err[-500:]}")
    b.check(summary(err), items)
    if len(samples) < 6:
        raise Broken(f"over before it could be looked at: {len(samples)} samples")
    steady = samples[len(samples) // 3:]
    return {"owner": statistics.median(s["owner"] for s in steady),
            "instance": statistics.median(s["instance"] for s in steady),
            "all": statistics.median(s["all"] for s in steady),
            "peak": max(s["all"] for s in samples)}


def sample_processes(owner):
    """MiB now; None when the owner has no Instance (not yet, or not any more)."""
    try:
        instances = [pss(pid) for pid in children(owner) if is_instance(pid)]
        own = pss(owner)
    except OSError:
        return None
    if not instances:
        return None
    return {"owner": own, "instance": max(instances), "all": own + sum(instances)}


def children(pid):
    return [int(word) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for word in (task / "children").read_text().split()]


def is_instance(pid):
    return b"--instance" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) / MIB
    raise OSError(f"no PSS of {pid}")  # it has just ended
