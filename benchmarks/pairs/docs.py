"""Write the tables and the plot of docs/evidence/pairs.md from the benchmark's JSON.

    python -m benchmarks.pairs.docs RUN.json [RUN2.json ...] --into docs/evidence/pairs.md [--plot]

Runs of different sets are read together; what they are not about stays as it is. The plot is of their pools alone, and
is drawn where it is asked for. The figures go into the JSON beside the page, and from there into it
(`benchmarks.shared.tables`); the plot goes to docs/images.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pairs.choosing import LABELS, RULES
from benchmarks.pairs.summary import MAIN, ground_of, summary
from benchmarks.shared import tables

Row = dict[str, Any]
SHOWN = ("random", "margin", "margin-clusters", "ci-no-diversity", "ci-clusters")  # rules that are plotted
METHODS = ("ours", "TF-IDF pair features", "cosine", "the teacher's answers")


def students(found: Row) -> str:
    """One row per set and number of people's labels: accuracy of each method, and nDCG@10 of search."""
    titles = ["set", "labels", *METHODS, "nDCG@10, ours", "nDCG@10, cosine"]
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    for name, budgets in found.items():
        for budget, methods in budgets.items():
            cells = [f"{100 * methods[method]['accuracy']:.1f}" for method in METHODS]
            ranks = [methods[method].get("ndcg_at_10") for method in ("ours", "cosine")]
            cells += ["" if rank is None else f"{rank:.3f}" for rank in ranks]
            lines.append(f"| {name} | {budget} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rules(found: Row) -> str:
    """One row per ground and kind of labels: random, the gain of every other rule over it with its interval, everything
    labelled, and what random gets of that by the last budget."""
    others = [name for name in RULES if name != "random"]
    titles = ["pool", "labels", "random", *others, "everything", "no label of the pool", "20 % drawn, of everything"]
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    for ground, kinds in found.items():
        for kind, methods in kinds.items():
            cells = [f"{methods['random']['mean']:.3f}", *(_gain(methods[name]) for name in others)]
            cells += [f"{methods['everything']['mean']:.3f}"]
            cells += [f"{methods['nothing']['mean']:.3f}" if "nothing" in methods else ""]
            cells += [f"{100 * methods['random']['last'] / methods['everything']['mean']:.0f} %"]
            lines.append(f"| {ground} | {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _gain(row: Row) -> str:
    half = row.get("half")
    return f"{row['gain']:+.3f}" + ("" if half is None else f" ± {half:.3f}")


def kept(page: Path, table: str) -> list[Row]:
    """The rows of a table of a page."""
    found = json.loads(tables.data_of(page).read_text(encoding="utf-8"))["rows"]
    return [{name: value for name, value in row.items() if name != "table"} for row in found if row["table"] == table]


def joined(page: Path, name: str, table: str) -> str:
    """A table in the place of those rows of the page's that are about the same, by their first cell; others stay."""
    new: dict[Any, list[Row]] = {}
    for row in tables.read(table)[1]:
        new.setdefault(_about(row), []).append(row)
    old = kept(page, name)
    places = dict.fromkeys([*map(_about, old), *new])
    return tables.shown([row for one in places for row in new.get(one) or [row for row in old if _about(row) == one]])


def _about(row: Row) -> Any:
    return next(iter(row.values()))


def plot(path: Path, rows: Sequence[Row]) -> None:
    """The main metric over the budget by rule: a panel per pool and kind of labels, gold and noisy side by side."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    curves: Row = {}
    for row in rows:
        if not isinstance(row["budget"], str) and row["metric"] == MAIN[row["task"]]:
            ground = curves.setdefault(ground_of(row)[0], {}).setdefault(row["labels"], {})
            ground.setdefault(row["method"], {}).setdefault(row["budget"], []).append(row["value"])
    lines = -(-len(curves) // 2)
    figure, grid = pyplot.subplots(lines, 4, figsize=(15, 2.8 * lines), squeeze=False)
    for axes in grid.flat[len(LABELS) * len(curves) :]:
        axes.set_axis_off()
    panels = grid.reshape(-1, len(LABELS))
    for (first, second), (name, kinds) in zip(panels, curves.items(), strict=False):
        second.sharey(first)
        for axes, kind in zip((first, second), LABELS, strict=True):
            _panel(axes, kinds[kind])
            axes.set_title(f"{name}, {kind}", fontsize=9)
    grid.flat[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)


def _panel(axes: Any, ground: dict[str, dict[float, list[float]]]) -> None:
    """Curves of some rules, and what everything labelled is worth."""
    for method in SHOWN:
        points = sorted((100 * budget, sum(found) / len(found)) for budget, found in ground[method].items())
        axes.plot([budget for budget, _ in points], [value for _, value in points], "o-", label=method, markersize=3)
    everything = ground["everything"][1.0]
    axes.axhline(sum(everything) / len(everything), color="grey", linestyle=":", label="everything")
    axes.set(xscale="log", xlabel="labels, % of the pool")
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()


def main() -> None:
    """Replace tables and plot of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="the result files, JSON")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    parser.add_argument("--plot", action="store_true", help="draw the pools of these runs")
    given = parser.parse_args()
    rows = [row for run in given.runs for row in json.loads(run.read_text())["rows"]]
    found = summary(rows)
    new = {"students": students(found["students"]), "rules": rules(found["rules"])}
    tables.keep(given.into, {name: joined(given.into, name, table) for name, table in new.items()})
    if given.plot:
        plot(given.into.parent.parent / "images" / f"{given.into.stem}.svg", rows)


if __name__ == "__main__":
    main()
