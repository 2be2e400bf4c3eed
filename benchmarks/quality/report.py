"""Tables, plots and the summary of the quality benchmark, made from its rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.rows import (
    CHOSEN_ON,
    MEASURES,
    OURS,
    PLAIN,
    Difference,
    Row,
    average,
    below_chance,
    corpus_of,
    difference,
    figures,
    grouped,
    job_of,
    kind_of,
    mean,
    measured,
)

SHOWN = {  # columns of the tables without people's labels
    "teacher": "teacher", "commonest": "commonest", "logistic": "logistic", "dawid-skene": "Dawid-Skene",
    "soft": "soft labels", PLAIN: "plain", "refinery": "refinery",
    "refinery-published": "refinery as published", "before": "before",
    OURS: "**shortlist**", "shortlist-even": "told even", "gold": "gold",
}  # fmt: skip
PARTS = dict(zip(MEASURES, ("pool", "new texts"), strict=True))
ALONE = ("supervised", "logistic-people")  # the same people's labels, without any teacher
FIFTY = 50.0
NONE = 0.0


def markdown(rows: Sequence[Row]) -> str:
    """All tables."""
    parts = [
        kinds_table(rows), *(jobs_table(rows, measure) for measure in MEASURES), people_table(rows),
        fifty_table(rows), conformal_table(rows),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def lines(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    top = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*top, *("| " + " | ".join(cells) + " |" for cells in body)])


def _filled(head: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The table without columns in which nothing was measured."""
    kept = [place for place in range(len(head)) if any(cells[place] != "-" for cells in body)]
    return [head[place] for place in kept], [[cells[place] for place in kept] for cells in body]


def counted(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Jobs by kind, without those whose teacher is below chance."""
    out, found = below_chance(rows), dict[str, list[str]]()
    for job in dict.fromkeys(map(job_of, measured(rows))):
        if job not in out:
            found.setdefault(kind_of(job), []).append(job)
    return found


def kinds_table(rows: Sequence[Row]) -> str:
    """Means and differences of every kind of pool, without people's labels."""
    body = []
    for measure, part in PARTS.items():
        found = figures(rows, measure)
        for kind, jobs in _with_halves(counted(rows)).items():
            cells = [_over(difference(found, (OURS, NONE), (rival, NONE), jobs=jobs)) for rival in (PLAIN, "logistic")]
            gain = difference(found, (OURS, NONE), (PLAIN, NONE), jobs=jobs)
            if gain is None:
                continue
            worst = "{:+.1f} {}".format(*gain.lowest)
            before = difference(found, ("before", NONE), (PLAIN, NONE), jobs=jobs)
            even = difference(found, ("shortlist-even", NONE), (PLAIN, NONE), jobs=jobs)
            extent = f"{len(gain.of_jobs)} of {len(set(map(corpus_of, gain.of_jobs)))} sets"
            body.append([part, kind, extent, *cells, worst, _over(before), _over(even)])
    head = ["part", "pools", "jobs", "over plain", "over logistic", "lowest over plain", "before", "told even"]
    title = "### Kinds: shortlist over its rivals without people's labels, points, with 95 % intervals over sets\n\n"
    return title + lines(*_filled(head, body))


def _with_halves(kinds: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The kinds, and all jobs of LLMs by whether methods were chosen on their sets."""
    llm = [job for kind, jobs in kinds.items() if kind.startswith("LLM") for job in jobs]
    whole = [job for jobs in kinds.values() for job in jobs]
    return {
        **kinds,
        "all of LLMs": llm,
        "all, sets looked at while choosing": [job for job in whole if corpus_of(job) in CHOSEN_ON],
        "all, other sets": [job for job in whole if corpus_of(job) not in CHOSEN_ON],
    }


def _over(found: Difference | None) -> str:
    return "-" if found is None else str(found)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def jobs_table(rows: Sequence[Row], measure: str) -> str:
    """Every job and method without people's labels."""
    found, out = figures(rows, measure), below_chance(rows)
    names = [name for name in SHOWN if any((name, NONE) in known for known in found.values())]
    body = [
        [f"{job} (below chance)" if job in out else job, *(_cell(known.get((name, NONE))) for name in names)]
        for job, known in found.items()
    ]
    title = f"### {'Pool' if measure == MEASURES[0] else 'Texts'}: accuracy in percent, no labels by people\n\n"
    return title + lines(["teacher/set", *(SHOWN[name] for name in names)], body)


def people_table(rows: Sequence[Row]) -> str:
    """What random labels by people change, by kind and number: against none, and against the same labels alone."""
    found, body = figures(rows, MEASURES[0]), []
    points = sorted({human for known in found.values() for _, human in known if human > 0})
    for kind, jobs in counted(rows).items():
        for human in points:
            plain = difference(found, (OURS, human), (PLAIN, NONE), jobs=jobs)
            none = difference(found, (OURS, human), (OURS, NONE), jobs=jobs)
            alone = difference(found, (OURS, human), *((name, human) for name in ALONE), jobs=jobs)
            common = difference(found, (OURS, human), ("commonest", human), jobs=jobs)
            if none and alone:
                cells = ["{:+.1f} {}".format(*one.lowest) for one in (none, alone)]
                body.append(
                    [kind, f"{human:g}", *map(_over, (plain, none)), cells[0], _over(alone), cells[1], _over(common)]
                )
    head = ["pools", "labels", "over plain", "over none", "lowest over none", "over labels alone", "lowest over alone",
            "over commonest"]  # fmt: skip
    title = "### People: shortlist with random labels, pool, points; alone: the better of head and logistic\n\n"
    return title + lines(head, body) if body else ""


def fifty_table(rows: Sequence[Row]) -> str:
    """Every job with 50 labels of people."""
    found, body = figures(rows, MEASURES[0]), []
    points = [("before", NONE), ("before", FIFTY), (OURS, NONE), (OURS, FIFTY), *((name, FIFTY) for name in ALONE)]
    points += [("commonest", FIFTY), ("shortlist-chosen", FIFTY), ("supervised-chosen", FIFTY)]
    for job, known in found.items():
        if (OURS, FIFTY) in known:
            body.append([job, *(_cell(known.get(point)) for point in points)])
    head = ["teacher/set", "before, none", "before, 50", "none", "50 random", "alone: head", "alone: logistic",
            "alone: commonest", "50 chosen", "chosen alone: head"]  # fmt: skip
    return (
        "### Fifty: accuracy on the unlabelled pool with 50 labels by people\n\n" + lines(*_filled(head, body))
        if body
        else ""
    )


def conformal_table(rows: Sequence[Row]) -> str:
    """Coverage of conformal sets."""
    names = ("coverage", "served", "size")
    known = [row for row in rows if row.get("conformal_served") is not None and row["method"] == OURS]
    body = [
        [job, *(f"{mean(found, f'conformal_{name}'):.2f}" for name in names), str(len(found))]
        for job, found in grouped(known, job_of).items()
    ]
    title = "### Conformal sets, target 90 %: coverage, coverage as served (never empty), mean size, on unseen rows\n\n"
    return title + lines(["teacher/set", *names, "runs"], body) if body else ""


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Means that the aims are about: LLMs above chance, the pool and new texts; and what the student costs."""
    even, uneven = list[str](), list[str]()
    for kind, jobs in counted(rows).items():
        if kind.startswith("LLM"):
            (even if "even" in kind or "order" in kind else uneven).extend(jobs)
    found: dict[str, Any] = {}
    for measure, part in PARTS.items():
        known = figures(rows, measure)
        for name, jobs in (("even", even), ("uneven", uneven)):
            gain = difference(known, (OURS, NONE), (PLAIN, NONE), jobs=jobs)
            found[f"gain over plain, {name}, {part}"] = None if gain is None else round(gain.mean, 3)
    return found | {
        "conformal_coverage": _conformal_mean(rows, "conformal_coverage"),
        "conformal_served": _conformal_mean(rows, "conformal_served"),
        "refinery_overhead_of_epoch": overhead(rows, ("selection", "targets")),
        "snapshot_overhead_of_epoch": overhead(rows, ("snapshot",)),
    }


def _conformal_mean(rows: Sequence[Row], measure: str) -> float | None:
    """Mean over jobs of a job's mean over its runs."""
    known = [row for row in rows if row.get("conformal_served") is not None and row["method"] == OURS]
    return average(mean(found, measure) for found in grouped(known, job_of).values())


def overhead(rows: Sequence[Row], names: tuple[str, ...]) -> float | None:
    """Seconds of the named parts as a share of an epoch's training steps, percent."""
    parts = {row["part"]: row["seconds"] for row in rows if row["method"] == "overhead"}
    return round(100 * sum(parts[name] for name in names) / parts["epoch"], 2) if parts else None


def write_report(out: Path, rows: Sequence[Row]) -> None:
    """FILE.md and the plots beside FILE.json."""
    out.with_suffix(".md").write_text(markdown(rows))
    from benchmarks.quality.plots import plot_curves, plot_gains

    plot_curves(out.with_suffix(".svg"), rows)
    plot_gains(out.with_name(f"{out.stem}-gains.svg"), rows)
