"""What every measurement needs: building the helpers, running ours and the peers, table rows."""
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT_S = 180
SETTLE_S = 5


class Broken(Exception):
    """A run failed, or lost an Item."""


class LeftOut(Exception):
    """A peer is not there."""


class Row:
    """A line of the table. `goal`: (comparison, number) about ours / peer, or None: shown only."""

    def __init__(self, what, ours, peer, unit, against, goal=None, ratio=None):
        self.what, self.ours, self.peer, self.unit = what, ours, peer, unit
        self.against, self.goal = against, goal
        self.ratio = ratio if ratio is not None else ours / peer

    def met(self):
        if self.goal is None:
            return None
        comparison, number = self.goal
        if comparison == ">=":
            return self.ratio >= number
        if comparison == "<=":
            return self.ratio <= number
        return 1 - number <= self.ratio <= 1 + number  # "+-"

    def goal_text(self):
        if self.goal is None:
            return ""
        comparison, number = self.goal
        return f"1 +-{number:.2f}" if comparison == "+-" else f"{comparison} {number:.2f}"

    def cells(self):
        verdict = {True: "met", False: "MISSED", None: ""}[self.met()]
        return [self.what, amount(self.ours, self.unit),
                f"{amount(self.peer, self.unit)} {self.against}", f"{self.ratio:.3f}",
                self.goal_text(), verdict]

    def as_json(self, case):
        return {"case": case, "what": self.what, "unit": self.unit, "ours": self.ours,
                "peer": self.peer, "against": self.against, "ratio": round(self.ratio, 4),
                "goal": self.goal_text() or None, "met": self.met()}


def amount(value, unit):
    if unit == "/s":
        return f"{value / 1e6:.2f} M/s" if value >= 1e5 else f"{value:,.0f} /s"
    return f"{value:,.{0 if value >= 1000 else 2}f} {unit}"


# ---- the bench: where things are, and how they are run ----------------------------------------

class Bench:
    def __init__(self, work, quick, nodes=None):
        self.work, self.quick, self.nodes = pathlib.Path(work), quick, nodes
        built = ROOT / "build/release/faymora"
        self.faymora = pathlib.Path(os.environ.get("FAYMORA", built)).resolve()
        self.bin = ROOT / "build/bench/bin"
        self.notes = []
        self.say = print
        self.rounds = 1 if quick else 3
        # Whatever is set around us must not change what is measured.
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("FAYMORA", "RAKTR"))}
        self.env.update(LC_ALL="C", TMPDIR=str(self.work))

    def tool(self, name):
        return str(self.bin / name)

    def save(self, name, found):
        """What a case has found besides its rows, for whoever draws it."""
        (self.bin.parent / name).write_text(json.dumps(found, indent=1) + "\n")

    def note(self, text):
        """Something to be said below the table."""
        if text not in self.notes:
            self.notes.append(text)

    def pick(self, full, quick):
        return quick if self.quick else full

    def file(self, name, text):
        path = self.work / name
        path.write_text(text)
        return path

    # -- building

    def build(self):
        if not os.access(self.faymora, os.X_OK):
            raise SystemExit(f"bench: {self.faymora} is not there; make build")
        self.bin.mkdir(parents=True, exist_ok=True)
        for source in sorted([*HERE.glob("peers/*.c"), *HERE.glob("helpers/*.c")]):
            self.compile(source)

    def compile(self, source):
        argv = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-o", self.tool(source.stem),
                str(source)]
        if "#include <faymora.h>" in source.read_text():
            library = self.faymora.parent / "libfaymora-worker.a"
            if not library.exists():
                library = ROOT / "build/release/libfaymora-worker.a"
            argv += [f"-I{ROOT}/include", str(library), "-ljansson", "-lmsgpackc", "-lbsd",
                     "-lpthread"]
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {source.name} cannot be compiled\n{done.stderr}")

    # -- running

    def call(self, argv, stdin=None, stdout=None):
        """Runs a command, its stdin and stdout files; gives (seconds, stdout, stderr)."""
        with contextlib.ExitStack() as files:
            source = files.enter_context(open(stdin or os.devnull, "rb"))
            target = files.enter_context(open(stdout, "wb")) if stdout else subprocess.PIPE
            from_s = time.monotonic()
            child = self.start(argv, stdin=source, stdout=target, stderr=subprocess.PIPE)
            try:
                out, err = child.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                raise Broken(f"not done in {LIMIT_S} s: {' '.join(map(str, argv))}") from None
            finally:
                stop(child)
            seconds = time.monotonic() - from_s
        err = err.decode(errors="replace")
        if child.returncode != 0:
            raise Broken(f"exit status {child.returncode}: {' '.join(map(str, argv))}\n"
                         f"{err[-500:]}")
        return seconds, (out or b"").decode(), err

    def start(self, argv, **streams):
        return subprocess.Popen([str(word) for word in argv], cwd=self.work, env=self.env,
                                start_new_session=True, **streams)

    def run_argv(self, args):
        return [self.faymora, "run", "--json", "--progress", "none", "--dead-letter", "none", *args]

    def ours(self, args, items, stdin=None, stdout=None):
        """A run of ours over so many Items, none of which may be missing; gives the seconds."""
        seconds, _, err = self.call(self.run_argv(args), stdin, stdout or os.devnull)
        self.check(summary(err), items)
        return seconds

    def check(self, told, items):
        for name, expected in (("in", items), ("done", items), ("dead", 0), ("dropped", 0)):
            if told[name] != expected:
                raise Broken(f"{name}: {told[name]} Items instead of {expected}")

    def pipeline(self, name, items, stages, more=""):
        """A file: made-up Items of 100 bytes through these stages into nothing."""
        lines = "\n".join(f"  - {{name: s{n}, {stage}}}" for n, stage in enumerate(stages, 1))
        return self.file(f"{name}.yaml", f"faymora: 1\nname: {name}\n{more}sink: null\n"
                         f"source: {{generate: {{count: {items}, size: 100}}}}\nstages:\n{lines}\n")

    # -- measuring

    def settle(self):
        """Waits for a quiet machine, not for ever; says so when it is not."""
        if self.quick:
            return
        for _ in range(SETTLE_S * 2):
            before = busy_s()
            time.sleep(0.5)
            used = (busy_s() - before) / 0.5
            if used < 0.1:
                return
        self.note("something else kept the processors busy: repeat the run on an idle machine")

    def interleave(self, runs, rounds=None):
        """Each of the named functions once a round (A B A B), so that a machine that drifts does so
        for all of them. Gives the median of each; a peer that is not there is left out."""
        values = {name: [] for name in runs}
        for _ in range(rounds or self.rounds):
            for name, run in runs.items():
                if values[name] is not None:
                    try:
                        values[name].append(run())
                    except LeftOut as why:
                        self.note(f"left out: {name}: {why}")
                        values[name] = None
        return {name: statistics.median(v) for name, v in values.items() if v}

    def size(self, run, n, seconds, most=10**9):
        """How many Items take run(n) about so many seconds: tried with few, then with more."""
        seconds = self.pick(seconds, 0.2)
        for _ in range(6):
            used = run(n)
            if used >= seconds * 0.9 or n >= most:
                break
            n = min(most, int(n * min(20, 1.2 * seconds / max(used, 1e-3))) + 1)
        return n


def stop(child):
    """Ends what we have started, and what it has."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def summary(err):
    for line in reversed(err.splitlines()):
        if line.startswith("{") and '"schema"' in line:
            return json.loads(line)
    raise Broken(f"no summary on stderr:\n{err[-500:]}")


def busy_s():
    """The processors' busy time so far."""
    with open("/proc/stat") as file:
        ticks = list(map(int, file.readline().split()[1:9]))
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def need(program, version_word=None):
    """The path of a peer's program. `version_word`: what the --version of the right one says."""
    path = shutil.which(program)
    if path is None:
        raise LeftOut(f"{program} is not installed; tools/install-packages bench")
    if version_word is not None:
        told = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True).stdout
        if version_word not in told:
            raise LeftOut(f"{path} is another {program}")
    return path


def machine(bench):
    model = platform.machine()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    version = subprocess.run([bench.faymora, "--version"], capture_output=True, text=True).stdout
    return {"date": datetime.date.today().isoformat(), "linux": platform.release(),
            "processor": model, "processors": os.cpu_count(), "version": version.strip()}
