#!/usr/bin/env python3
"""What README.md, docs/WORKERS.md and docs/EQUALIZER.md show is true: their marked blocks are run,
in order, in one directory per page.

    <!-- file: NAME [mode=755] -->   the next fenced block is that file
    <!-- run [exit=N] -->            the next fenced block is run by bash; the exit code of its last
                                     command is N (0)
    <!-- output -->                  the next fenced block is what the last run printed on stdout
    <!-- output stderr -->           the same for stderr; run ids and times may differ

Links to files of this repository must lead somewhere, too."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["FAYMORA_SOURCE"])
BUILD = pathlib.Path(os.environ["FAYMORA_BUILD"])
FAYMORA = pathlib.Path(os.environ["FAYMORA"])
PAGES = ["README.md", "docs/WORKERS.md", "docs/EQUALIZER.md"]
LIMIT_S = 120

MARK = re.compile(r"^<!-- (file|run|output)(:? [^>]*)? -->$")


def blocks(text):
    """(kind, arguments, line, body) of each marked block."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        mark = MARK.match(line)
        if mark is None:
            continue
        if not lines[at + 1].startswith("```"):
            raise SystemExit(f"line {at + 1}: a mark without a block behind it")
        end = lines.index("```", at + 2)
        arguments = (mark[2] or "").lstrip(":").split()
        yield mark[1], arguments, at + 1, "\n".join(lines[at + 2:end]) + "\n"


def normal(text):
    text = re.sub(r"\brun [0-9a-f]{4,}\b", "run ID", text)
    text = re.sub(r"-[0-9a-f]{4,}\.dead", "-ID.dead", text)
    return re.sub(r"\b(\d+m)?[\d.]+(ms|us|s)\b", "TIME", text)


def environment(bin_dir):
    """PATH with our programs and a cc that builds workers for them; pkg-config finds the tree."""
    for program in ("faymora", "faymora-worker"):
        (bin_dir / program).symlink_to(FAYMORA.resolve().parent / program)
    compiler = os.environ.get("CC", "cc")
    flags = os.environ.get("CFLAGS", "").replace(";", " ")
    cc = bin_dir / "cc"
    cc.write_text(f'#!/bin/sh\nexec {shutil.which(compiler)} {flags} "$@"\n')
    cc.chmod(0o755)
    (bin_dir / "faymora-worker.pc").write_text(
        "Name: faymora-worker\nDescription: of the build tree\nVersion: 0\n"
        f"Cflags: -I{SOURCE}/include\nLibs: -L{BUILD} -Wl,-rpath,{BUILD} -lfaymora-worker\n")
    return {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}",
            "PKG_CONFIG_PATH": str(bin_dir), "LC_ALL": "C.UTF-8"}


def compare(name, line, expected, got):
    if expected == got:
        return True
    print(f"{name}:{line}: expected\n{expected}but got\n{got}")
    return False


def check_page(name, work, env):
    good, last, seen = True, None, 0
    for kind, arguments, line, body in blocks((SOURCE / name).read_text()):
        seen += 1
        if kind == "file":
            path = work / arguments[0]
            path.write_text(body)
            path.chmod(int(dict(a.split("=") for a in arguments[1:]).get("mode", "644"), 8))
        elif kind == "run":
            expected = int(dict(a.split("=") for a in arguments).get("exit", "0"))
            last = subprocess.run(["bash", "-c", body], cwd=work, env=env,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=LIMIT_S)
            if last.returncode != expected:
                print(f"{name}:{line}: exit {last.returncode}, expected {expected}\n{body}"
                      f"{last.stdout}{last.stderr}")
                good = False
        elif arguments == ["stderr"]:
            good &= compare(name, line, normal(body), normal(last.stderr))
        else:
            good &= compare(name, line, body, last.stdout)
    if seen < 3:
        print(f"{name}: only {seen} marked blocks")
        good = False
    return good


def check_links():
    good = True
    pages = [*SOURCE.glob("*.md"), *(SOURCE / "docs").rglob("*.md"),
             *(SOURCE / "examples").rglob("*.md")]
    for page in pages:
        for target, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", page.read_text()):
            file = (page.parent / target).resolve() if target else page
            if not file.exists():
                print(f"{page.relative_to(SOURCE)}: link to {target}, which is not there")
                good = False
            elif anchor and file.suffix == ".md" and anchor[1:] not in anchors(file):
                print(f"{page.relative_to(SOURCE)}: link to {target}{anchor}: no such heading")
                good = False
    return good


def anchors(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.M):
        heading = re.sub(r"[`*]", "", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", heading).replace(" ", "-"))
    return found


def main():
    good = check_links()
    with tempfile.TemporaryDirectory(prefix="faymora-docs-") as directory:
        root = pathlib.Path(directory)
        (root / "bin").mkdir()
        env = environment(root / "bin")
        for name in PAGES:
            work = root / pathlib.Path(name).stem
            work.mkdir()
            env["TMPDIR"] = str(work)
            good &= check_page(name, work, env)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
