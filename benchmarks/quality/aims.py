"""What the quality benchmark was to reach, and what its rows say: tables and sentences of docs/evidence/quality.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.quality.paired import Interval, Point, differences
from benchmarks.quality.report import ALONE, FIFTY, NONE, PARTS, counted, overhead
from benchmarks.quality.report import summary as summarised
from benchmarks.quality.rows import (
    MEASURES,
    OURS,
    PLAIN,
    Difference,
    Row,
    difference,
    figures,
    grouped,
    job_of,
    measured,
)

GAIN, HARM, ALONE_HARM, CONFORMAL, OVERHEAD = 5.0, -1.0, -2.0, 1.0, 10.0
TARGET = 90.0  # stated coverage of conformal sets, percent
NAMED = 4  # jobs that a line names
WAYS = ((OURS, NONE), (OURS, 20.0), (OURS, FIFTY), ("shortlist-even", NONE))  # of the gain, and people's labels
Line = tuple[str, str, str]


def aims_table(rows: Sequence[Row]) -> str:
    """One line per aim: what was asked for, whether it is reached, and the figures."""
    kinds = counted(rows)
    even, everything = kinds.get("LLM, about even", []), [job for jobs in kinds.values() for job in jobs]
    found = [_gain(rows, measure, even, *way) for measure in MEASURES for way in WAYS]
    for measure in MEASURES:
        known = figures(rows, measure)
        for rival in (PLAIN, "logistic"):
            aim = f"no pool, even or uneven, more than 1 point below {_name(rival)}, {PARTS[measure]}"
            gain = difference(known, (OURS, NONE), (rival, NONE), jobs=everything)
            found.append(_harm(aim, gain, HARM, _intervals(rows, measure, (OURS, NONE), (rival, NONE))))
    found += [*_fifty(rows, everything), _conformal(rows), _overhead(rows)]
    head = ["| aim | reached | figures |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {aim} | {verdict} | {shown} |" for aim, verdict, shown in found)])


def _name(rival: str) -> str:
    return {PLAIN: "plain distillation", "logistic": "logistic regression on the teacher's labels"}[rival]


def _gain(rows: Sequence[Row], measure: str, jobs: Sequence[str], method: str, human: float) -> Line:
    told = ", told that labels are even" if method != OURS else f", {human:g} fair labels" if human else ""
    aim = f"{GAIN:+.0f} points over plain distillation{told}: even pools, LLMs above chance, {PARTS[measure]}"
    found = difference(figures(rows, measure), (method, human), (PLAIN, NONE), jobs=jobs)
    if found is None:
        return aim, "not measured", "-"
    return aim, _verdict(found.mean - GAIN), f"{found} on {len(found.of_jobs)} sets"


def _verdict(above: float) -> str:
    return "yes" if above >= 0 else f"no, missed by {-above:.2f}"


def _harm(aim: str, found: Difference | None, bound: float, intervals: Mapping[str, Interval]) -> Line:
    """`intervals` are those of the same difference, task by task: where even their upper end is below the bound, chance
    is no excuse."""
    if found is None:
        return aim, "not measured", "-"
    below = sorted((gain, job) for job, gain in found.of_jobs.items() if gain < bound)
    good, count = len(found.of_jobs) - len(below), len(found.of_jobs)
    known = [one for _, job in below if (one := intervals.get(job)) is not None]
    certain = f"; below it beyond chance {sum(sum(one) < bound for one in known)}" if known else ""
    verdict = "yes" if not below else f"on {good} of {count}{certain}"
    worst = below[:NAMED] or [found.lowest]
    named = ", ".join(f"{job} {gain:+.1f}" for gain, job in worst)
    return aim, verdict, f"mean {found}; lowest: {named}"


def _intervals(rows: Sequence[Row], measure: str, ours: Point, *theirs: Point) -> dict[str, Interval]:
    """By job, against the best of `theirs` there."""
    known, part = figures(rows, measure), MEASURES.index(measure)
    found = {one: differences(rows, ours, one) for one in theirs}
    best = {job: max(theirs, key=lambda one: of_job.get(one, -1.0)) for job, of_job in known.items()}
    return {job: found[one][job][part] for job, one in best.items() if job in found[one]}


def _fifty(rows: Sequence[Row], jobs: Sequence[str]) -> list[Line]:
    """Labels by people never harm, and never less than they do alone."""
    alone = "from 50 labels on never more than 2 points below the same labels alone (the better of head and logistic)"
    points = sorted({float(row.get("human") or 0.0) for row in measured(rows)})
    asked: list[tuple[str, float, Point, tuple[Point, ...]]] = [
        ("50 random labels never below none", -1e-9, (OURS, FIFTY), ((OURS, NONE),)),
        ("50 chosen labels never below none", -1e-9, ("shortlist-chosen", FIFTY), ((OURS, NONE),)),
        *(
            (f"{alone}: {human:g}", ALONE_HARM, (OURS, human), tuple((name, human) for name in ALONE))
            for human in points
            if human >= FIFTY
        ),
    ]
    lines, known = list[Line](), figures(rows, MEASURES[0])
    if not any(human >= FIFTY for human in points):
        lines.append((alone, "not measured", "-"))
    for aim, bound, ours, theirs in asked:
        found = difference(known, ours, *theirs, jobs=jobs)
        lines.append(_harm(aim, found, bound, _intervals(rows, MEASURES[0], ours, *theirs)))
    return lines


def _conformal(rows: Sequence[Row]) -> Line:
    found = summarised(rows)
    value, served = found["conformal_coverage"], found["conformal_served"]
    aim = f"conformal coverage within {CONFORMAL:.0f} point of {TARGET:.0f} %"
    if value is None:
        return aim, "not measured", "-"
    return aim, _verdict(CONFORMAL - abs(value - TARGET)), f"{value:.1f} % ({served:.1f} % as served)"


def _overhead(rows: Sequence[Row]) -> Line:
    value, snapshot = overhead(rows, ("selection", "targets")), overhead(rows, ("snapshot",))
    aim = f"refinery overhead below {OVERHEAD:.0f} % of an epoch of a head"
    if value is None:
        return aim, "not measured", "-"
    return aim, _verdict(OVERHEAD - value), f"{value:.1f} %; the pass over all rows costs {snapshot:.1f} %"


def runs_text(rows: Sequence[Row]) -> str:
    """How many jobs, seeds and points the tables rest on."""
    known = measured(rows)
    jobs = grouped(known, job_of)
    largest = max((int(row["train_rows"]) for row in known), default=0)
    text = f"The tables rest on {len(known)} measurements over {len(jobs)} jobs, pools of at most {largest:,} rows. "
    return text + f"Seeds: {_seeds(known, (OURS, 'before', PLAIN, 'logistic', 'supervised', 'shortlist-chosen'))}."


def _seeds(rows: Sequence[Row], methods: Iterable[str]) -> str:
    parts = []
    for method in methods:
        chosen = [row for row in rows if row["method"] == method]
        groups = grouped(chosen, lambda row: (job_of(row), row.get("human")))
        counts = sorted({len({row["seed"] for row in group}) for group in groups.values()})
        if counts:
            spread = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            parts.append(f"`{method}` {spread}")
    return ", ".join(parts) or "nothing was measured"
