#!/usr/bin/env python3
"""Draws what `make bench-equalizer` has found: docs/equalizer-LOAD.svg for each load.

    tests/bench/plot_equalizer.py [JSON] [DIRECTORY]     build/bench/equalizer.json, docs

A row of panels for each stage, over the same seconds: workers; Items that arrive and that the
workers could do, a second; Items that wait. Lines differ in dashes and have their names beside
them, so that no colour is needed to tell them apart; colours suit a light and a dark page.
"""
import html
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WIDTH, LEFT, RIGHT, TOP, HEIGHT, GAP, BOTTOM = 860, 46, 150, 62, 92, 34, 30
PLOT = WIDTH - LEFT - RIGHT
STYLE = """
text { font: 12px sans-serif; fill: #24292f } .title { font-size: 15px } .small { font-size: 11px }
.axis { stroke: #8c959f; fill: none } .ours { stroke: #0550ae; stroke-width: 1.8; fill: none }
.fixed { stroke: #bc4c00; stroke-width: 1.4; stroke-dasharray: 6 3; fill: none }
.load { stroke: #57606a; stroke-width: 1.4; stroke-dasharray: 2 2; fill: none }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis { stroke: #6e7681 }
.ours { stroke: #79c0ff } .fixed { stroke: #ffa657 } .load { stroke: #b1bac4 } }
"""


def steps(values, tick, scale, bottom):
    """A path that holds each value until the next one."""
    x_scale, y_scale = scale
    path, last = [], None
    for i, value in enumerate(values):
        if value == last:
            continue
        x, y = LEFT + i * tick * x_scale, bottom - value * y_scale
        path.append(f"M{x:.1f} {y:.1f}" if last is None else f"H{x:.1f}V{y:.1f}")
        last = value
    path.append(f"H{LEFT + len(values) * tick * x_scale:.1f}")
    return "".join(path)


def spread(places, least=13):
    """Moves labels apart, from the top down."""
    moved, last = {}, float("-inf")
    for name, y in sorted(places.items(), key=lambda place: place[1]):
        last = moved[name] = max(y, last + least)
    return moved


def panel(caption, lines, seconds, top):
    """`lines`: [(name, class, values, tick)]. Gives SVG."""
    bottom = top + HEIGHT
    most = max(1, max(max(values) for _, _, values, _ in lines))
    scale = PLOT / seconds, HEIGHT / most
    out = [f'<text x="{LEFT}" y="{top - 8}">{html.escape(caption)}</text>',
           f'<path class="axis" d="M{LEFT} {top}V{bottom}H{LEFT + PLOT}"/>']
    out += [f'<text class="small" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g}</text>'
            for value, y in ((most, top), (0, bottom))]
    for _, kind, values, tick in lines:
        out.append(f'<path class="{kind}" d="{steps(values, tick, scale, bottom)}"/>')
    places = spread({name: bottom - values[-1] * scale[1] for name, _, values, _ in lines})
    for name, kind, _, _ in lines:
        y = places[name]
        out.append(f'<path class="{kind}" d="M{LEFT + PLOT + 6} {y:.1f}h18"/>')
        out.append(f'<text class="small" x="{LEFT + PLOT + 28}" y="{y + 4:.1f}">'
                   f'{html.escape(name)}</text>')
    return out


def axis(seconds, y):
    every = next(n for n in (1, 2, 5, 10, 20, 60) if seconds / n <= 12)
    return [f'<text class="small" x="{LEFT + t * PLOT / seconds:.1f}" y="{y}" '
            f'text-anchor="middle">{t} s</text>' for t in range(0, int(seconds) + 1, every)]


def figures(name, run):
    return f"{name}: p99 {run['p99'] * 1e3:.0f} ms, {run['worker_s']:.0f} worker-seconds"


def draw(load):
    runs = {run["label"]: run for run in load["runs"]}
    ours, fixed, most = runs["auto"], runs[load["best"]], runs["max"]
    all_name = f"all {load['most']}, not drawn"
    fixed_name = f"best fixed, {load['best']}"
    seconds = max(len(run["series"]["stages"][0]["workers"]) * run["series"]["tick"]
                  for run in (ours, fixed))
    out, top = [], TOP + GAP
    for n, (mine, theirs) in enumerate(zip(ours["series"]["stages"], fixed["series"]["stages"])):
        of = f" of stage {n + 1}" if len(ours["series"]["stages"]) > 1 else ""
        tick = ours["series"]["tick"]
        panels = [(f"workers{of}, those that start included",
                   [("Equalizer", "ours", mine["workers"], tick),
                    (fixed_name, "fixed", theirs["workers"], tick)]),
                  (f"Items a second{of}", [("arrive", "load", mine["arrival"], tick),
                                           ("capacity", "ours", mine["capacity"], tick)]),
                  (f"Items that wait{of}", [("Equalizer", "ours", mine["backlog"], tick),
                                            (fixed_name, "fixed", theirs["backlog"], tick)])]
        for caption, lines in panels:
            out += panel(caption, lines, seconds, top)
            top += HEIGHT + GAP
    height = top + BOTTOM - GAP
    out += axis(seconds, height - 10)
    head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{html.escape(load['what'])}</title>", f"<style>{STYLE}</style>",
            f'<text class="title" x="{LEFT}" y="22">{html.escape(load["what"])}</text>',
            f'<text class="small" x="{LEFT}" y="42">{html.escape(figures("Equalizer", ours))}'
            f"; {html.escape(figures(fixed_name, fixed))}</text>",
            f'<text class="small" x="{LEFT}" y="58">'
            f'{html.escape(figures(all_name, most))}</text>']
    return "\n".join(head + out + ["</svg>"]) + "\n"


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/bench/equalizer.json"
    target = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "docs")
    for load in json.loads(pathlib.Path(source).read_text())["loads"]:
        (target / f"equalizer-{load['name']}.svg").write_text(draw(load))


if __name__ == "__main__":
    main()
