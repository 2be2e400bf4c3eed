"""What the quality benchmark was to reach, and what its rows say: tables and sentences of docs/evidence/quality.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.quality.report import fifty, five_percent_shares
from benchmarks.quality.report import summary as summarised
from benchmarks.quality.rows import MEASURES, Row, average, gains, grouped, job_of, mean

GAIN, HARM, FIFTY, FIFTY_TEACHER, GOLD, CONFORMAL, OVERHEAD = 4.0, -0.3, 8.0, 65, 95.0, 1.0, 10.0
ADAPTED = "shortlist-adapted"
NOISE = 1.0  # points by which a learning curve may lie below another and still count as equal


def aims_table(rows: Sequence[Row]) -> str:
    """One line per aim: what was asked for, whether it is reached, and the figures."""
    found = summarised(rows)
    lines = [
        _gain("train", found["mean_gain_llm_train"]),
        _gain("test", found["mean_gain_llm_test"]),
        _harm(rows),
        _fifty(rows),
        _five(rows, found["share_of_gold_with_5_percent"], "shortlist"),
        _five(rows, found["share_of_gold_with_5_percent_adapted"], ADAPTED),
        _curves(rows),
        _conformal(found),
        _overhead(found),
    ]
    head = ["| aim | reached | figures |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {aim} | {verdict} | {figures} |" for aim, verdict, figures in lines)])


def runs_text(rows: Sequence[Row]) -> str:
    """How many sets, seeds and points the tables rest on."""
    measured = [row for row in rows if row["method"] not in ("overhead", "scale")]
    plain = [row for row in measured if not row.get("human")]
    curve = [row for row in measured if row.get("human")]
    jobs = grouped(measured, job_of)
    text = f"The tables rest on {len(measured)} measurements over {len(jobs)} pairs of teacher and set. "
    text += f"Without human labels {_seeds(plain, ('shortlist', 'distillation', 'refinery', 'gold'))}."
    if curve:
        text += f" On the learning curves {_seeds(curve, ('shortlist', 'supervised', ADAPTED))}."
    return text + " Figures with a deviation have several seeds; one without it has one seed or no spread."


def _seeds(rows: Sequence[Row], methods: Iterable[str]) -> str:
    parts = []
    for method in methods:
        chosen = [row for row in rows if row["method"] == method]
        groups = grouped(chosen, lambda row: (job_of(row), row.get("human")))
        counts = sorted({len({row["seed"] for row in group}) for group in groups.values()})
        if counts:
            spread = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            parts.append(f"`{method}` has {spread} seed{'s' if counts[-1] > 1 else ''}")
    return ", ".join(parts) or "nothing was measured"


def _verdict(value: float | None, missing: float) -> str:
    """`missing` is by how much the aim is missed, at most 0 if it is reached."""
    if value is None:
        return "not measured"
    return "yes" if missing <= 0 else f"no, missed by {missing:.2f}"


def _shown(value: float | None, form: str = "+.1f") -> str:
    return "-" if value is None else format(value, form)


def _gain(part: str, value: float | None) -> tuple[str, str, str]:
    aim = f"mean gain over plain distillation, stored LLM teachers, {part}: {GAIN:+.0f} points"
    return aim, _verdict(value, GAIN - (value or 0.0)), f"{_shown(value)} points"


def _harm(rows: Sequence[Row]) -> tuple[str, str, str]:
    known = {
        f"{job} {measure.split('_')[0]}": gain[measure]
        for job, gain in gains(rows).items()
        for measure in MEASURES
        if measure in gain
    }
    below = sorted((gain, name) for name, gain in known.items() if gain < HARM)
    worst = below[0][0] if below else min(known.values(), default=None)
    figures = ", ".join(f"{name} {gain:+.1f}" for gain, name in below) or f"lowest {_shown(worst)}"
    return f"no set below {HARM}", _verdict(worst, HARM - (worst or 0.0)), figures


def _fifty(rows: Sequence[Row]) -> tuple[str, str, str]:
    found = fifty(rows)
    reached = sum(gain >= FIFTY for gain in found.values())
    figures = ", ".join(f"{job} {gain:+.1f}" for job, gain in sorted(found.items(), key=lambda pair: -pair[1]))
    aim = f"{FIFTY:+.0f} with 50 human labels where the teacher is below {FIFTY_TEACHER} %"
    verdict = "not measured" if not found else "yes" if reached == len(found) else f"on {reached} of {len(found)} sets"
    return aim, verdict, figures or "-"


def _five(rows: Sequence[Row], value: float | None, method: str) -> tuple[str, str, str]:
    if not any(row["method"] == method and row.get("human") == 0.05 for row in rows):
        return f"the same, `{method}`", "not measured", "-"
    shares = sorted((share, job) for job, share in five_percent_shares(rows, method).items())
    ends = f"; from {shares[0][1]} {shares[0][0]:.0f} % to {shares[-1][1]} {shares[-1][0]:.0f} %" if shares else ""
    aim = f"{GOLD:.0f} % of the test accuracy of all gold labels with 5 % human labels, `{method}`"
    return aim, _verdict(value, GOLD - (value or 0.0)), f"{_shown(value, '.1f')} % on the mean of the sets{ends}"


def _curves(rows: Sequence[Row]) -> tuple[str, str, str]:
    """At how many points the combined student is not below either of its halves, on unlabelled train rows."""
    aim = f"no point of a learning curve more than {NOISE:.0f} point below people's labels alone or no labels at all"
    plain = grouped([row for row in rows if row["method"] == "shortlist" and not row.get("human")], job_of)
    points = grouped([row for row in rows if row.get("human")], lambda row: (job_of(row), row["human"]))
    gaps = []
    for (job, human), found in points.items():
        ours, alone = (
            mean([row for row in found if row["method"] == name], "train_accuracy")
            for name in ("shortlist", "supervised")
        )
        before = mean(plain.get(job, []), "train_accuracy")
        rivals = [value for value in (alone, before) if value is not None]
        if ours is not None and alone is not None:
            gaps.append((ours - max(rivals), f"{job} at {human:.0f} labels" if human > 1 else f"{job} at {human:.0%}"))
    if not gaps:
        return aim, "not measured", "-"
    good = sum(gap >= -NOISE for gap, _ in gaps)
    verdict = "yes" if good == len(gaps) else f"at {good} of {len(gaps)} points"
    return aim, verdict, f"lowest: {min(gaps)[1]} {min(gaps)[0]:+.1f} against the better one; mean {_mean_gap(gaps)}"


def _mean_gap(gaps: Sequence[tuple[float, str]]) -> str:
    return _shown(average(gap for gap, _ in gaps))


def _conformal(found: Row) -> tuple[str, str, str]:
    value, target = found["conformal_coverage"], found["conformal_target"]
    off = abs((value or 0.0) - target) - CONFORMAL
    figures = f"{_shown(value, '.1f')} % ({_shown(found['conformal_served'], '.1f')} % as served)"
    return f"conformal coverage within {CONFORMAL:.0f} point of {target:.0f} %", _verdict(value, off), figures


def _overhead(found: Row) -> tuple[str, str, str]:
    value, snapshot = found["refinery_overhead_of_epoch"], found["snapshot_overhead_of_epoch"]
    figures = f"{_shown(value, '.1f')} % for equations 1 to 5; the pass over all rows costs {_shown(snapshot, '.1f')} %"
    aim = f"refinery overhead below {OVERHEAD:.0f} % of an epoch of a head"
    return aim, _verdict(value, (value or 0.0) - OVERHEAD), figures
