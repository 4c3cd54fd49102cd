#!/usr/bin/env python3
"""Draws docs/run.svg: a terminal in which a real run has just ended. Needs build/release/faymora.

    docs/draw-run.py >docs/run.svg

The commands below are run in a terminal of their own. Of the progress bar, which is redrawn in
place, one frame is kept."""
import html
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import fcntl
import termios

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS, SIZE, ADVANCE, LINE = 96, 14, 8.43, 20
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "34": "#79c0ff", "1": "#ffffff"}
TEXT, BACK, PROMPT = "#c9d1d9", "#0d1117", "#8b949e"

SCORE = """#!/bin/sh
[ "$1" != 1234 ] || { echo "1234 cannot be scored" >&2; exit 65; }
sleep 0.02
echo "$1 $(( $1 * 7 % 100 ))"
"""
COMMANDS = [
    "seq 2000 | faymora run -j 1-16 -- ./score.sh {} :: sed 's/^/item /' >scores",
    "echo $?",
    "wc -l <scores",
    "faymora dead ls score-sh-*.dead.jsonl",
]


def capture(command, env, cwd):
    """What the command writes to its terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(["bash", "-c", command], cwd=cwd, env=env, stdin=slave,
                               stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            break
        output += chunk
    os.close(master)
    return output.decode(), process.wait()


def screen(output):
    """The lines that stay, and of those redrawn in place one frame from the last third."""
    lines, bar = [], None
    for line in output.replace("\r\n", "\n").split("\n"):
        frames = [f for f in re.split(r"\r|\x1b\[2?K", line) if f.strip()]
        bars = [f for f in frames if "\u2502" in f]
        if bars:
            bar = (len(lines), bars[len(bars) // 3])
        lines += [f for f in frames if f not in bars][-1:]
    if bar is not None:
        lines.insert(*bar)
    return lines


def spans(line):
    colour, at, result = TEXT, 0, []
    for piece in re.split(r"(\x1b\[[\d;]*m)", line):
        escape = re.fullmatch(r"\x1b\[([\d;]*)m", piece)
        if escape:
            colour = COLOURS.get(escape[1], TEXT)
        elif piece:
            result.append((at, colour, piece))
            at += len(piece)
    return result


def draw(lines):
    height = 56 + LINE * len(lines)
    width = int(COLUMNS * ADVANCE) + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" role="img">',
           "<title>A run of faymora in a terminal</title>",
           f'<rect width="{width}" height="{height}" rx="8" fill="{BACK}"/>']
    for i, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f")):
        out.append(f'<circle cx="{20 + 18 * i}" cy="18" r="5" fill="{colour}"/>')
    out.append(f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\','
               f'monospace" font-size="{SIZE}" xml:space="preserve">')
    for row, line in enumerate(lines):
        for at, colour, text in spans(line):
            x = 20 + at * ADVANCE
            length = len(text) * ADVANCE
            out.append(f'<text x="{x:.1f}" y="{52 + row * LINE}" fill="{colour}" '
                       f'textLength="{length:.1f}">{html.escape(text)}</text>')
    out += ["</g>", "</svg>"]
    return "\n".join(out) + "\n"


def main():
    lines, status = [], 0
    with tempfile.TemporaryDirectory() as directory:
        (pathlib.Path(directory) / "score.sh").write_text(SCORE)
        (pathlib.Path(directory) / "score.sh").chmod(0o755)
        env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
               "PATH": f"{ROOT / 'build/release'}:{os.environ['PATH']}"}
        env.pop("NO_COLOR", None)
        for command in COMMANDS:
            lines.append(f"\x1b[1m$ {command}\x1b[0m")
            output, status = capture(command.replace("$?", str(status)), env, directory)
            lines += screen(output)
    sys.stdout.write(draw(lines))


if __name__ == "__main__":
    main()
