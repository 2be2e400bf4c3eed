"""Tables and plot of the sampling benchmark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sampling.run import BUDGETS, EVERYTHING
from model.acquisition.rules import DEFAULT

Rows = Sequence[Mapping[str, Any]]
Areas = dict[tuple[str, str], dict[str, dict[int, float]]]  # (labeller, split) -> method -> seed -> area

REFERENCE = "random"
RESAMPLES = 4000


def area(accuracies: Mapping[float, float]) -> float:
    """Area under accuracy over the logarithm of the budget, divided by its width: a mean accuracy."""
    budgets = np.log([budget for budget in sorted(accuracies) if budget > 0])
    values = np.array([accuracies[budget] for budget in sorted(accuracies) if budget > 0])
    return float(np.trapezoid(values, budgets) / (budgets[-1] - budgets[0]))


def areas(rows: Rows) -> Areas:
    """The area of every split, method and seed."""
    curves: dict[tuple[str, str], dict[str, dict[int, dict[float, float]]]] = {}
    for row in rows:
        if row["method"] != EVERYTHING:
            place = curves.setdefault((row["labeller"], row["split"]), {}).setdefault(row["method"], {})
            place.setdefault(row["seed"], {})[row["budget"]] = row["accuracy"]
    return {
        key: {name: {seed: area(curve) for seed, curve in seeds.items()} for name, seeds in methods.items()}
        for key, methods in curves.items()
    }


def differences(found: Areas, method: str, other: str) -> dict[tuple[str, str], list[float]]:
    """Paired differences of areas, by split, one per seed."""
    return {
        key: [value - methods[other][seed] for seed, value in methods[method].items()]
        for key, methods in found.items()
        if method in methods and other in methods
    }


def interval(groups: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Mean over splits of means over seeds, with a 95 % bootstrap interval that resamples splits and then seeds."""
    random = np.random.default_rng(0)
    least = min(len(group) for group in groups)
    table = np.array([list(group)[:least] for group in groups])  # (splits, seeds)
    mean = float(np.mean([np.mean(group) for group in groups]))
    drawn = np.zeros(RESAMPLES)
    for _ in groups:
        split = random.integers(0, len(groups), RESAMPLES)
        seeds = random.integers(0, least, (RESAMPLES, least))
        drawn += table[split[:, None], seeds].mean(axis=1) / len(groups)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return mean, float(low), float(high)


def summary(rows: Rows) -> dict[str, Any]:
    """By group of splits: area relative to random, splits where it is worse, share of labelling everything."""
    return {
        "default": DEFAULT,
        "groups": {name: group(part) for name, part in grouped(rows).items()},
        "splits": split_table(rows),
    }


def grouped(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by shift and labeller, and all shifted ones together."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        shift, labeller = (
            ("shifted" if row["shifted"] else "in-domain"),
            ("gold" if row["labeller"] == "gold" else "LLM"),
        )
        found[f"{shift}, {labeller} labels"].append(row)
        found[f"{shift}, all"].append(row)
    return dict(sorted(found.items(), reverse=True))


def group(rows: Rows) -> dict[str, Any]:
    """All methods on the splits of one group."""
    found, ceilings = areas(rows), ceiling(rows)
    methods = sorted({method for methods in found.values() for method in methods})
    table: list[dict[str, Any]] = []
    for method in methods:
        gaps = differences(found, method, REFERENCE)
        mean, low, high = interval(list(gaps.values()))
        relative = [np.mean([*m[method].values()]) / np.mean([*m[REFERENCE].values()]) for m in found.values()]
        worst = {key: interval([values]) for key, values in gaps.items()}
        table.append(
            {
                "method": method,
                "area": float(np.mean([np.mean([*m[method].values()]) for m in found.values()])),
                "relative": float(np.mean(relative)),
                "difference": [mean, low, high],
                "default_better_by": ahead(found, method),
                "worse_splits": sorted(f"{key[0]} {key[1]}" for key, value in worst.items() if value[2] < 0),
                "better_splits": sum(value[1] > 0 for value in worst.values()),
                "share_of_everything": share(rows, method, ceilings),
                "share_with_rest": share(rows, method, ceilings, "accuracy_rest"),
            }
        )
    table.sort(key=lambda line: -line["area"])
    return {"splits": len(found), "everything": float(np.mean([*ceilings.values()])), "methods": table}


def ahead(found: Areas, method: str) -> list[float] | None:
    """The default minus a method, with its interval; None if the default was not run."""
    gaps = differences(found, DEFAULT, method)
    return list(interval(list(gaps.values()))) if gaps else None


def ceiling(rows: Rows) -> dict[tuple[str, str], float]:
    """Mean accuracy of labelling everything, by split."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["method"] == EVERYTHING:
            found[row["labeller"], row["split"]].append(row["accuracy"])
    return {key: float(np.mean(values)) for key, values in found.items()}


def share(rows: Rows, method: str, ceilings: Mapping[tuple[str, str], float], column: str = "accuracy") -> float | None:
    """Accuracy at the largest budget over the accuracy of labelling everything, mean over splits; None without rows."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["method"] == method and row["budget"] == max(BUDGETS) and column in row:
            found[row["labeller"], row["split"]].append(row[column])
    if not found:
        return None
    return float(np.mean([np.mean(values) / ceilings[key] for key, values in found.items()]))


def split_table(rows: Rows) -> list[dict[str, Any]]:
    """The default against random, split by split."""
    found = areas(rows)
    lines = []
    for key, gaps in differences(found, DEFAULT, REFERENCE).items():
        mean, low, high = interval([gaps])
        base = float(np.mean([*found[key][REFERENCE].values()]))
        best = max(found[key], key=lambda method: float(np.mean([*found[key][method].values()])))
        lines.append(
            {"labeller": key[0], "split": key[1], "random": base, "difference": [mean, low, high], "best": best}
        )
    return lines


def markdown(found: Mapping[str, Any]) -> str:
    """The summary as tables; areas and differences in points of accuracy."""
    tables = [group_table(name, part, found["default"]) for name, part in found["groups"].items()]
    return "\n".join([*tables, by_split(found)])


def group_table(name: str, part: Mapping[str, Any], default: str) -> str:
    """All methods on one group of splits."""
    lines = [
        f"### {name}: {part['splits']} splits, labelling everything {100 * part['everything']:.1f}",
        "",
        "| method | area | relative | minus random (95 %) | better / worse | at 20 % | with the rest "
        "| default ahead by (95 %) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in part["methods"]:
        title = f"**{line['method']}**" if line["method"] == default else line["method"]
        lines.append(
            f"| {title} | {100 * line['area']:.2f} | {line['relative']:.4f} | {points(line['difference'])} "
            f"| {line['better_splits']} / {len(line['worse_splits'])} | {percent(line['share_of_everything'])} "
            f"| {percent(line['share_with_rest'])} | {points(line['default_better_by'])} |"
        )
    return "\n".join([*lines, ""])


def by_split(found: Mapping[str, Any]) -> str:
    """The default against random on every split."""
    lines = [f"### {found['default']} against random, split by split", ""]
    lines += ["| labeller | split | random | difference (95 %) | best method |", "|---|---|---|---|---|"]
    for line in sorted(found["splits"], key=lambda line: (line["split"], line["labeller"])):
        gap = points(line["difference"])
        lines.append(f"| {line['labeller']} | {line['split']} | {100 * line['random']:.2f} | {gap} | {line['best']} |")
    return "\n".join([*lines, ""])


def percent(share: float | None) -> str:
    """A share, "" where it was not measured."""
    return "" if share is None else f"{100 * share:.1f} %"


def points(values: Sequence[float] | None) -> str:
    """A difference with its interval, in points of accuracy."""
    if values is None:
        return ""
    mean, low, high = (100 * value for value in values)
    return f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"


def plot(rows: Rows, path: Path, methods: Sequence[str] = ()) -> None:
    """Learning curves of the shifted splits, one panel per split, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    shown = methods or (DEFAULT, REFERENCE, "margin", "entropy", "ci-published", "ci-total-variation")
    keys = sorted({(row["labeller"], row["split"]) for row in rows if row["shifted"]})
    if not keys:
        return
    columns = min(4, len(keys))
    lines = -(-len(keys) // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(3.4 * columns, 2.7 * lines), squeeze=False)
    for axis in axes.flat[len(keys) :]:
        axis.set_axis_off()
    ceilings = ceiling(rows)
    for axis, key in zip(axes.flat, keys, strict=False):
        for method in shown:
            points: dict[float, list[float]] = defaultdict(list)
            for row in rows:
                if (row["labeller"], row["split"]) == key and row["method"] == method and row["budget"] > 0:
                    points[row["budget"]].append(100 * row["accuracy"])
            if points:
                style = {"lw": 2.2} if method == DEFAULT else {"lw": 1.0}
                axis.plot(
                    [100 * b for b in sorted(points)],
                    [np.mean(points[b]) for b in sorted(points)],
                    label=method,
                    **style,
                )
        axis.axhline(100 * ceilings[key], color="grey", lw=0.8, ls=":")
        axis.set(xscale="log", title=f"{key[1]} ({key[0]})", xlabel="budget, % of the pool")
        axis.title.set_fontsize(8)
        axis.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
        axis.minorticks_off()
    named = axes.flat[0].get_legend_handles_labels()
    figure.legend(*named, loc="lower center", ncols=len(shown), bbox_to_anchor=(0.5, 1.0))
    figure.tight_layout()
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)
