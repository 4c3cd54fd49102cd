"""How often our own processes wake up, and what CPU time that takes: under a load that stays as it
is, and with nothing to do."""
import contextlib
import os
import subprocess
import time

from harness import Row, stop

RATE, MS = 20, 60  # 1.2 workers' work
WARM_S = 5


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def spent(pid):
    """(times it has gone to sleep, seconds of CPU time)"""
    with open(f"/proc/{pid}/status") as file:
        slept = [line for line in file if line.startswith("voluntary_ctxt_switches")]
    with open(f"/proc/{pid}/schedstat") as file:
        return int(slept[0].split()[1]), int(file.read().split()[0]) / 1e9


def watch(runs, seconds):
    """[[(wake-ups, seconds of CPU time) of the owner, of each Instance] of each run]"""
    time.sleep(WARM_S)
    pids = [[run.pid, *children(run.pid)] for run in runs]
    before = [[spent(pid) for pid in ours] for ours in pids]
    time.sleep(seconds)
    after = [[spent(pid) for pid in ours] for ours in pids]
    return [[(b[0] - a[0], b[1] - a[1]) for a, b in zip(*pair)] for pair in zip(before, after)]


def quiet(b):
    seconds = b.pick(60, 3)
    path = b.file("constant.yaml", f"""faymora: 1
source: {{generate: {{size: 1, rate: {RATE}}}}}
sink: null
stages: [{{run: [{b.tool('task')}, frames, sleep, '{MS}', '0'], mode: frames,
          workers: {{max: 32}}}}]
""")
    reader, writer = os.pipe()
    nothing = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    runs = []
    try:
        runs.append(b.start(b.run_argv([path]), stdin=subprocess.DEVNULL, **nothing))
        runs.append(b.start(b.run_argv(["--mode", "lines", "--", b.tool("linecat")]), stdin=reader,
                            **nothing))
        constant, idle = watch(runs, seconds)
    finally:
        for run in runs:
            stop(run)
        for end in (reader, writer):
            with contextlib.suppress(OSError):
                os.close(end)
    items = RATE * seconds
    rows = [Row(f"wake-ups an Item, {who}", wakes / items, 2, "", "it comes, its result comes",
                ("<=", 1.05))
            for who, (wakes, _) in zip(("owner", "instance"), constant)]
    rows.append(Row("CPU of all of ours, 20 Items/s", 100 * sum(cpu for _, cpu in constant)
                    / seconds, 100, "%", "a core"))
    rows.append(Row("CPU of an idle run", 100 * sum(cpu for _, cpu in idle) / seconds, 0.05, "%",
                    "that rounds to 0.1", ("<=", 1.0)))
    return rows
