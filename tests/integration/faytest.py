"""What the integration tests share: a directory each, faymora started and watched, the processes
below it found through /proc and ended by pid, and a look for what a run has left behind.

    class Things(faytest.Case):
        def test_it(self):
            done = self.run_faymora("run", "--", "echo", "{}", input="a\n")
            self.assertEqual((done.code, done.out), (0, "a\n"), done)

    if __name__ == "__main__":
        faytest.main()
"""
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import uuid

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("FAYMORA_SOURCE", HERE.parents[1]))
BUILD = pathlib.Path(os.environ.get("FAYMORA_BUILD", SOURCE / "build/release"))
FAYMORA = os.environ.get("FAYMORA", str(BUILD / "faymora"))
CFLAGS = os.environ.get("CFLAGS", "").replace(";", " ").split()
SANITIZED = any("sanitize" in flag for flag in CFLAGS)
LIMIT_S = 120  # nothing that is waited for takes that long, unless it never comes
MARK = "FAYTEST_MARK"


# ---- processes ----------------------------------------------------------------------------------

def stat_of(pid):
    """The fields of /proc/PID/stat behind the name, or None: [0] state, [1] parent, [19] start."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (OSError, IndexError):
        return None


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] not in "ZX"


def descendants(root):
    """Those alive below `root`, nearest first."""
    below = {}
    for pid in pids():
        stat = stat_of(pid)
        if stat and stat[0] not in "ZX":
            below.setdefault(int(stat[1]), []).append(pid)
    found = []
    todo = [root]
    while todo:
        children = below.get(todo.pop(0), [])
        found += children
        todo += children
    return found


def children(pid):
    return [p for p in descendants(pid) if (stat_of(p) or "??")[1] == str(pid)]


def words_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode("latin-1").split("\0")[:-1]
    except OSError:
        return []


def instances(run_pid):
    """The Instances of a run, in the order of its stages."""
    return sorted(p for p in children(run_pid)
                  if os.path.basename((words_of(p) or [""])[0]).startswith("faymora"))


def send(pid, number, under=None):
    """Whether the signal went to that process, and to no later one of the same number."""
    start = (stat_of(pid) or [None] * 20)[19]
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        same = start is not None and (stat_of(pid) or [None] * 20)[19] == start
        if not same or (under is not None and pid not in descendants(under)):
            return False
        signal.pidfd_send_signal(fd, number)
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def wait_for(condition, what, limit=LIMIT_S):
    """Asks until `condition` gives something true, and returns that."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain for {what}")
        time.sleep(0.01)


# ---- tools --------------------------------------------------------------------------------------

_built = {}
_tools = None


def tool(name, sdk=False):
    """Compiles tools/NAME.c once, and returns the program's path. With the worker library it is
    built as that is; else plain, since a sanitizer's runtime and a preloaded library do not mix."""
    global _tools
    if _tools is None:
        _tools = tempfile.TemporaryDirectory(prefix="faytest-tools-")
    if name not in _built:
        path = os.path.join(_tools.name, name)
        command = [*shlex.split(os.environ.get("CC", "cc")), "-D_GNU_SOURCE", "-O1", "-g", "-Wall",
                   "-Werror", "-o", path, str(HERE / "tools" / f"{name}.c")]
        if sdk:
            command += [*CFLAGS, f"-I{SOURCE}/include", f"-L{BUILD}", f"-Wl,-rpath,{BUILD}",
                        "-lfaymora-worker"]
        subprocess.run([*command, "-pthread"], check=True)
        _built[name] = path
    return _built[name]


# ---- cases --------------------------------------------------------------------------------------

class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        out = self.out or ""
        return f"exit {self.code}\n--- out ({len(out)})\n{out[-1000:]}\n--- err\n{self.err[-3000:]}"


class Case(unittest.TestCase):
    """Each test stands in a directory of its own, `self.work`, that is removed; TMPDIR is an empty
    one in it, and whatever the test leaves running is a failure."""

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="faytest-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.work)
        self.tmp = self.work / "tmp"
        self.tmp.mkdir()
        self.mark = uuid.uuid4().hex
        self.env = {**os.environ, "TMPDIR": str(self.tmp), "LC_ALL": "C", MARK: self.mark}
        self.seed = int(os.environ.get("FAYTEST_SEED", random.randrange(1 << 30)))
        self.random = random.Random(self.seed)
        self.addCleanup(self.leave_nothing)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        began = time.monotonic()
        super().run(result)
        bad = len(result.failures) + len(result.errors) > before
        print(f"{'FAILED' if bad else 'ok':6} {time.monotonic() - began:5.1f} s  "
              f"{self._testMethodName}" + (f"  FAYTEST_SEED={self.seed}" if bad else ""),
              file=sys.stderr, flush=True)

    def left(self):
        """Processes of this test that are alive, whoever their parent is."""
        needle = f"{MARK}={self.mark}".encode()
        found = []
        for pid in pids():
            try:
                if needle in pathlib.Path(f"/proc/{pid}/environ").read_bytes() and alive(pid):
                    found.append(pid)
            except OSError:
                pass
        return found

    def leave_nothing(self):
        left = [(pid, words_of(pid)) for pid in self.left()]
        for pid, _ in left:
            send(pid, signal.SIGKILL)
        if left and self._outcome.success:
            raise AssertionError(f"left running: {left}")

    def assert_nothing_left(self, limit=20):
        """Processes end, and then there is no file in TMPDIR."""
        try:
            wait_for(lambda: not self.left(), "the processes to end", limit)
        except AssertionError:
            self.fail(f"left running: {[(p, words_of(p), stat_of(p)) for p in self.left()]}")
        self.assertEqual(sorted(os.listdir(self.tmp)), [], "left in TMPDIR")

    def write(self, name, text, mode=0o644):
        """In one step: whoever watches the directory may take the file away at once."""
        path = self.work / name
        new = self.work.parent / (self.work.name + ".new")
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.chmod(mode)
        os.replace(new, path)
        return str(path)

    def read(self, name):
        return (self.work / name).read_text(errors="surrogateescape")

    def lines(self, name):
        return self.read(name).split("\n")[:-1]

    def start(self, *args, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=None, **more):
        """Starts `faymora ARGS`. What it prints goes to files (see `finish`) unless said."""
        number = getattr(self, "_started", 0)
        self._started = number + 1
        out = open(self.work / f".out{number}", "wb") if stdout is None else stdout
        err = open(self.work / f".err{number}", "wb") if stderr is None else stderr
        process = subprocess.Popen([FAYMORA, *map(str, args)], stdin=stdin, stdout=out, stderr=err,
                                   env={**self.env, **(env or {})}, **more)
        process.texts = [self.work / f".out{number}", self.work / f".err{number}"]
        for file, given in (out, stdout), (err, stderr):
            if given is None:
                file.close()
        return process

    def text_of(self, process, stream=2):
        path = process.texts[stream - 1]
        return path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""

    def finish(self, process, limit=LIMIT_S):
        """Waits for its end. One that takes too long is a failure with what it has said."""
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            tree = [(p, words_of(p)[:4]) for p in descendants(process.pid)]
            process.kill()
            process.wait()
            self.fail(f"still running after {limit} s, above {tree}\n"
                      f"{self.text_of(process)[-3000:]}")
        return Done(code, self.text_of(process, 1), self.text_of(process, 2))

    def run_faymora(self, *args, input=None, limit=LIMIT_S, **more):
        if input is not None:
            path = self.write(f".in{getattr(self, '_started', 0)}", input)
            more["stdin"] = open(path, "rb")
        process = self.start(*args, **more)
        if input is not None:
            more["stdin"].close()
        return self.finish(process, limit)


def main():
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)


def pipeline(case, text, *args, **more):
    """Runs a pipeline file of that text. `text` may leave out the first line that all have."""
    name = f"p{getattr(case, '_started', 0)}.yaml"
    text = textwrap.dedent(text)
    case.write(name, text if "faymora:" in text else "faymora: 1\n" + text)
    return case.run_faymora("run", name, *args, **more)
