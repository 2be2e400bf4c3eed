"""Tables, plots and the summary of the quality benchmark, made from its rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.rows import MEASURES, ORDER, Row, average, gains, grouped, job_of, mean, spread, table_rows

# CanDist, ACL 2025, main results with GPT-3.5, train / test, on the same sets (other teacher, RoBERTa-base student)
PAPER_METHODS = ("teacher", "distillation", "freeal", "refinery")
PAPER = {
    "trec": ("71.1 / 77.2", "76.0 / 81.0", "78.2 / 82.3", "79.7 / 87.8"),
    "ag_news": ("88.7 / 88.1", "89.1 / 88.3", "89.6 / 88.6", "89.3 / 88.8"),
    "dbpedia14": ("95.4 / 95.4", "97.5 / 97.6", "97.8 / 97.9", "98.5 / 98.7"),
    "banking77": ("66.1 / 68.9", "69.8 / 72.4", "71.4 / 74.6", "72.9 / 76.0"),
    "medical_abstracts": ("62.3 / 63.4", "62.5 / 63.5", "62.9 / 64.1", "63.8 / 64.2"),
}


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures that the aims are about; LLM = stored teachers, without the offline similarity teacher."""
    over = gains(rows)
    llm = {job: gain for job, gain in over.items() if not job.startswith("similarity/")}
    lowest = min((value for gain in over.values() for value in gain.values()), default=None)
    return {
        "mean_gain_llm_train": average(gain.get("train_accuracy") for gain in llm.values()),
        "mean_gain_llm_test": average(gain.get("test_accuracy") for gain in llm.values()),
        "mean_gain_all_train": average(gain.get("train_accuracy") for gain in over.values()),
        "mean_gain_all_test": average(gain.get("test_accuracy") for gain in over.values()),
        "lowest_gain": None if lowest is None else round(lowest, 3),
        "mean_gain_refinery_llm_train": average(
            gain.get("train_accuracy")
            for job, gain in gains(rows, method="refinery").items()
            if not job.startswith("similarity/")
        ),
        "gain_with_50_labels": {job: round(gain, 2) for job, gain in fifty(rows).items()},
        "share_of_gold_with_5_percent": five_percent(rows),
        "share_of_gold_with_5_percent_adapted": five_percent(rows, "shortlist-adapted"),
        "conformal_coverage": _conformal_mean(rows, "conformal_coverage"),
        "conformal_served": _conformal_mean(rows, "conformal_served"),
        "conformal_target": 90.0,
        "refinery_overhead_of_epoch": overhead(rows, ("selection", "targets")),
        "snapshot_overhead_of_epoch": overhead(rows, ("snapshot",)),
    }


def _conformal_mean(rows: Sequence[Row], measure: str) -> float | None:
    """Mean over sets of a set's mean over its runs."""
    known = [row for row in rows if row.get("conformal_served") is not None]
    return average(mean(found, measure) for found in grouped(known, job_of).values())


def fifty(rows: Sequence[Row]) -> dict[str, float]:
    """Gain in train accuracy over plain distillation with 50 human labels, where the teacher is below 65 %."""
    table, result = table_rows(rows), {}
    for job, found in grouped([row for row in rows if row.get("human") == 50.0], job_of).items():
        methods = table.get(job, {})
        teacher, plain = (mean(methods.get(name, []), "train_accuracy") for name in ("teacher", "distillation"))
        ours = mean([row for row in found if row["method"] == "shortlist"], "train_accuracy")
        if teacher is not None and plain is not None and ours is not None and teacher < 65:
            result[job] = ours - plain
    return result


def five_percent(rows: Sequence[Row], method: str = "shortlist") -> float | None:
    """Mean test accuracy with 5 % human labels as a share of that with all gold labels, percent.

    Sets whose 5 % are too few labels for `method` count with `shortlist`, which is what a team has there.
    """
    pairs = _five_percent_pairs(rows, method).values()
    return round(100.0 * sum(ours for ours, _ in pairs) / sum(gold for _, gold in pairs), 2) if pairs else None


def five_percent_shares(rows: Sequence[Row], method: str = "shortlist") -> dict[str, float]:
    """The same share of every set, percent."""
    return {job: 100.0 * ours / gold for job, (ours, gold) in _five_percent_pairs(rows, method).items() if gold}


def _five_percent_pairs(rows: Sequence[Row], method: str) -> dict[str, tuple[float, float]]:
    """Test accuracy with 5 % human labels and with all gold labels, by job."""
    table = table_rows(rows)
    pairs: dict[str, tuple[float, float]] = {}
    for job, found in grouped([row for row in rows if row.get("human") == 0.05], job_of).items():
        methods = grouped(found, lambda row: row["method"])
        reached = mean(methods.get(method, methods.get("shortlist", [])), "test_accuracy")
        ceiling = mean(table.get(job, {}).get("gold", []), "test_accuracy")
        if reached is not None and ceiling is not None:
            pairs[job] = (reached, ceiling)
    return pairs


def overhead(rows: Sequence[Row], names: tuple[str, ...]) -> float | None:
    """Seconds of the named parts as a share of an epoch's training steps, percent."""
    parts = {row["part"]: row["seconds"] for row in rows if row["method"] == "overhead"}
    return round(100 * sum(parts[name] for name in names) / parts["epoch"], 2) if parts else None


def markdown(rows: Sequence[Row]) -> str:
    """All tables."""
    parts = [_table(rows, measure) for measure in MEASURES]
    return (
        "\n\n".join([*parts, _gain_table(rows), _paper_table(rows), _curve_table(rows), _conformal_table(rows)]) + "\n"
    )


def _cell(rows: Sequence[Row], measure: str) -> str:
    value = mean(rows, measure)
    if value is None:
        return "-"
    deviation = spread(rows, measure)
    return f"{value:.1f} ± {deviation:.1f}" if deviation else f"{value:.1f}"


def _lines(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in body)])


def _table(rows: Sequence[Row], measure: str) -> str:
    table = table_rows(rows)
    names = [name for name in ORDER if any(name in methods for methods in table.values())]
    body = [[job, *(_cell(methods.get(name, []), measure) for name in names)] for job, methods in table.items()]
    title = "Train (annotation) accuracy" if measure == MEASURES[0] else "Test accuracy"
    return f"### {title}, percent, no human labels\n\n" + _lines(["teacher/set", *names], body)


def _gain_table(rows: Sequence[Row]) -> str:
    ours, theirs = gains(rows), gains(rows, method="refinery")
    body = [
        [
            job,
            *(
                f"{gain.get(measure, float('nan')):+.1f}"
                for gain in (theirs.get(job, {}), ours[job])
                for measure in MEASURES
            ),
        ]
        for job in ours
    ]
    head = ["teacher/set", "refinery train", "refinery test", "shortlist train", "shortlist test"]
    return "### Gain over plain distillation, points\n\n" + _lines(head, body)


def _paper_table(rows: Sequence[Row]) -> str:
    body = []
    for job, methods in table_rows(rows).items():
        known = PAPER.get(job.split("/")[1], ())
        for name, printed in zip(PAPER_METHODS, known, strict=False):
            found = methods.get(name, [])
            measured = " / ".join(_cell(found, measure) for measure in MEASURES)
            body.append([job, name, printed, measured])
    return "### Beside the paper (GPT-3.5 and RoBERTa-base there), train / test\n\n" + _lines(
        ["teacher/set", "method", "paper", "here"], body
    )


def _curve_table(rows: Sequence[Row]) -> str:
    curve = [row for row in rows if row.get("human")]
    shares = sorted({row["human"] for row in curve}, key=lambda value: (value > 1, value))
    if not shares:
        return ""
    named = [f"{share:.0f} labels" if share > 1 else f"{share:.0%}" for share in shares]
    body = []
    for job, found in grouped(curve, job_of).items():
        for method, chosen in grouped(found, lambda row: row["method"]).items():
            cells = []
            for share in shares:
                point = [row for row in chosen if row["human"] == share]
                values = [mean(point, measure) for measure in MEASURES]
                cells.append(" / ".join("-" if value is None else f"{value:.1f}" for value in values))
            body.append([job, method, *cells])
    title = "### With human labels: accuracy on the unlabelled train rows / test rows\n\n"
    return title + _lines(["teacher/set", "method", *named], body)


def _conformal_table(rows: Sequence[Row]) -> str:
    names = ("coverage", "served", "size")
    body = [
        [job, *(f"{mean(found, f'conformal_{name}'):.2f}" for name in names), str(len(found))]
        for job, found in grouped([row for row in rows if row.get("conformal_served") is not None], job_of).items()
    ]
    title = "### Conformal sets, target 90 %: coverage, coverage as served (never empty), mean size, on unseen rows\n\n"
    return title + _lines(["teacher/set", *names, "runs"], body)


def write_report(out: Path, rows: Sequence[Row]) -> None:
    """FILE.md and the plots beside FILE.json."""
    out.with_suffix(".md").write_text(markdown(rows))
    from benchmarks.quality.plots import plot_curves, plot_gains

    plot_curves(out.with_suffix(".svg"), rows)
    plot_gains(out.with_name(f"{out.stem}-gains.svg"), rows)
