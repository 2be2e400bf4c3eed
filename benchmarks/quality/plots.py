"""The plots of the quality benchmark, made from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality.rows import MEASURES, OURS, PLAIN, Row, difference, figures, grouped, job_of, mean

TICKS = tuple(digit * 10**power for power in range(6) for digit in (1, 2, 5))  # human labels at an axis


def plot_gains(path: Path, rows: Sequence[Row]) -> None:
    """Gains over plain distillation, one bar per set and part."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    gains = {measure: difference(figures(rows, measure), (OURS, 0.0), (PLAIN, 0.0)) for measure in MEASURES}
    whole = gains[MEASURES[0]]
    if whole is None:
        return
    found = whole.of_jobs
    figure, axes = pyplot.subplots(figsize=(8, 0.4 * len(found) + 1.5))
    for offset, (measure, gain) in zip((-0.2, 0.2), gains.items(), strict=True):
        values = [0.0 if gain is None else gain.of_jobs.get(job, 0.0) for job in found]
        axes.barh([place + offset for place in range(len(found))], values, 0.38, label=measure.replace("_", " "))
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("shortlist over plain distillation, points")
    axes.legend()
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)


def plot_curves(path: Path, rows: Sequence[Row]) -> None:
    """Learning curves over human labels, one panel per set; none where a single number of labels was measured."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    curve = grouped([row for row in rows if row.get("human_labels")], job_of)
    if len({row["human"] for found in curve.values() for row in found}) < 2:
        return
    columns = 3
    lines = -(-len(curve) // columns)
    figure, grid = pyplot.subplots(lines, columns, figsize=(4 * columns, 3 * lines), squeeze=False)
    for axes in grid.flat[len(curve) :]:
        axes.set_axis_off()
    for axes, (job, found) in zip(grid.flat, curve.items(), strict=False):
        for method, chosen in grouped(found, lambda row: row["method"]).items():
            points = sorted(grouped(chosen, lambda row: row["human_labels"]).items())
            axes.plot(
                [count for count, _ in points],
                [mean(point, "test_accuracy") for _, point in points],
                "o-",
                label=method,
            )
        ceiling = figures(rows, "test_accuracy").get(job, {}).get(("gold", 0.0))
        if ceiling is not None:
            axes.axhline(ceiling, color="grey", linestyle=":", label="all gold labels")
        axes.set(title=job, xscale="log", xlabel="human labels", ylabel="test accuracy, %")
        low, high = min(row["human_labels"] for row in found), max(row["human_labels"] for row in found)
        ticks = [tick for tick in TICKS if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
        axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)
