"""A project's state in figures: what `/projects/<id>.json` answers. A figure that is not known is None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from backend.errors import ShortlistError
from backend.pool import batches, candidates, figures, jobs, rulings, tallies, tasks, versions
from backend.pool.projects import Project
from backend.pool.tallies import Tallies
from backend.pool.version_names import is_committee, is_trained
from backend.projects.current import Current
from backend.projects.on_screen import is_ours
from backend.projects.triggers import next_training
from backend.reporting.annotators import annotators
from backend.reporting.decision_times import decision_times
from backend.reporting.decisions import accuracy, blind_share, of_decisions, unusable
from backend.reporting.kept import kept
from backend.reporting.promise import promise_status
from backend.reporting.second_look import second_look
from backend.reporting.spending import spending
from backend.serving import unsure
from backend.training.stopping import ANSWERED, advice
from model.teacher.choice import OFFLINE, title_of

NOTHING: Mapping[str, str] = {}
BIAS = "accuracy compares what was shown with what the person then chose; a ticked answer can sway the person"


def project_status(current: Current, problems: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """The figures of one project, as the design document's section on contracts lists them.

    `problems` names students that this web process cannot load, with the reason.
    """
    engine, number = current.engine, current.number
    served, taught = _versions(current)
    asked = candidates.figures(engine, number, taught) if taught else None
    rows = jobs.get(engine, number)
    now = tallies.of_project(engine, number)  # once: what changes from here on is seen by the next look
    known = kept(current, ("status", served, taught), lambda: of_decisions(current, served, taught), now)
    return {
        "project": number,
        "title": current.project.title,
        "label_studio": _whereabouts(current.project),
        "phase": phase(current) if served else "cold",
        "version": served,
        **_at_label_studio(current, served),
        **known["answers"],
        "left_out": {**known["left_out"], "texts": _text_fit(current)},
        "problem": current.project.problem or None,
        "not_loaded": problems.get(served or ""),
        "tasks": tasks.count(engine, number),
        **_asked(asked or candidates.Figures()),
        **known["people"],
        "human_labels": kept(current, "decided", lambda: figures.decided(engine, number), now),
        "mean_candidates": asked.mean_size if asked else None,
        "teacher": {
            "name": teacher_name(current),
            "waiting": _waiting(current, served, taught, asked, now),
            **known["teacher"],
            **_at_work(current, rows),
        },
        "student": {**known["student"], **_newest(current)},
        "blind_share": blind_share(current),
        "paused": current.paused,
        "next_training": _next_training(current),
        **_jobs(rows),
        "spend": spending(current, now),
        "versions": _version_rows(current, known["checked"]),
        **known["committee"],
        **_ending(current, known["checked"], now),
        "note": BIAS,
    }


def _at_label_studio(current: Current, served: str | None) -> dict[str, Any]:
    """What its project shows, as it said last."""
    ours = is_ours(current, served) if served else None
    return {"on_screen": current.project.on_screen, "shows_ours": ours}


def left_out(current: Current) -> dict[str, Any]:
    """What cannot be used: tasks without text, annotations with labels that the label config does not have, and texts
    that the encoder of the newest training was not made for."""
    return {**unusable(current), "texts": _text_fit(current)}


def _text_fit(current: Current) -> dict[str, Any]:
    """How texts fitted the encoder in the newest training with the encoder that is set; {} before."""
    for row in versions.list_versions(current.engine, current.number):
        found = row.metrics.get("training", {}).get("texts")
        if found:
            return dict(found) if found["encoder"] == current.options.STUDENT_ENCODER else {}
    return {}


def _whereabouts(project: Project) -> dict[str, Any]:
    return {"project": project.label_studio_id, "address": project.instance or None, "elsewhere": project.elsewhere}


def _asked(found: candidates.Figures) -> dict[str, Any]:
    """What came of the questions to the present teacher version, in tasks."""
    answered = {"tasks": found.count, "answered": found.answered, "abstained": found.abstained}
    asked = {**answered, "refused": found.refused, "unreadable": found.unparsed}
    return {"with_candidates": found.answered, "asked": asked}


def teacher_name(current: Current) -> str:
    """As people should hear of it."""
    return title_of(current.options.TEACHER)


def _versions(current: Current) -> tuple[str | None, str | None]:
    """The served version and the teacher's; Nones while label config or options are not usable."""
    try:
        return current.served_version, current.teacher_version
    except ShortlistError:
        return None, None


def _at_work(current: Current, rows: Mapping[str, jobs.JobRow]) -> dict[str, Any]:
    """Why the teacher stopped, and what is at a batch service."""
    away = [row for row in batches.unfinished(current.engine, current.number) if row.state == "open"]
    return {
        "stopped": _stopped(rows.get("annotate")),
        "batches": [{"tasks": len(row.tasks), "submitted": iso(row.created_ms)} for row in away],
    }


def _waiting(
    current: Current, served: str | None, taught: str | None, asked: candidates.Figures | None, now: Tallies
) -> int:
    """How many tasks the teacher has yet to be asked about: all, or those that a committee's votes leave open."""
    engine, number = current.engine, current.number
    if served and taught and is_committee(served):
        return kept(current, ("unasked", served, taught), lambda: rulings.unasked(engine, number, served, taught), now)
    return max(0, tasks.count(engine, number) - (asked.count if asked else 0))


def _stopped(row: jobs.JobRow | None) -> str | None:
    """Why the teacher gave up: wrong key, no money, an outage. None while nothing is wrong."""
    return row.error if row is not None and row.state == "failed" else None


def _newest(current: Current) -> dict[str, Any]:
    """What the served student promises where it is unsure, and what the newest training did not use."""
    row = versions.get(current.engine, current.number, current.project.served) if current.project.served else None
    return {
        "calibration": unsure.promise(row.metrics) if row else None,
        "ranking": row.metrics.get("ranking") if row else None,
        "cross_encoder": _cross_encoder(current),
        "set_aside": _set_aside(current),
    }


def _set_aside(current: Current) -> str | None:
    """Why the newest training let human labels say nothing about other tasks, and what to do; None if it did not."""
    newest = next(iter(versions.list_versions(current.engine, current.number)), None)
    found = newest.metrics.get("training", {}).get("found", {}) if newest else {}
    return found.get("set_aside") or None


def _cross_encoder(current: Current) -> str | None:
    """What the newest trial of a cross-encoder found, in a sentence; None before there is one."""
    rows = versions.list_versions(current.engine, current.number)
    said = (row.metrics.get("training", {}).get("cross", {}).get("sentence") for row in rows)
    return next((str(sentence) for sentence in said if sentence), None)


def _next_training(current: Current) -> str:
    """One sentence: when the next training starts, or why none does."""
    try:
        return next_training(current).explanation
    except ShortlistError as error:
        return str(error)


def _jobs(rows: Mapping[str, jobs.JobRow]) -> dict[str, Any]:
    return {"job": _job(jobs.latest(rows)), "jobs": [_job(row) for _, row in sorted(rows.items())]}


def _job(row: jobs.JobRow | None) -> dict[str, Any]:
    if row is None:
        return {"kind": None, "state": "idle", "progress": None, "error": None, "step": ""}
    return {"kind": row.kind, "state": row.state, "progress": row.progress, "error": row.error, "step": row.step}


def _version_rows(current: Current, checked: dict[str, figures.Checked]) -> list[dict[str, Any]]:
    return [
        {
            "version": row.version,
            "created": iso(row.created_ms),
            **accuracy(checked.get(row.version)),
            "promoted": row.version == current.project.served,
            "state": row.state,
            "reason": row.reason,
            "human_labels": row.human_labels,
        }
        for row in versions.list_versions(current.engine, current.number)
    ]


def _ending(current: Current, checked: dict[str, figures.Checked], now: Tallies) -> dict[str, Any]:
    """Whether more labels pay, what may be promised of the whole pool, and which decisions are worth a second look."""
    stopping, promise = _stopping(current, checked), promise_status(current, now)
    people: dict[str, Any] = {"second_look": second_look(current, now), "decision_times": decision_times(current, now)}
    return {"stopping": stopping, "promise": promise, **people, "annotators": annotators(current, now=now)}


def _stopping(current: Current, checked: dict[str, figures.Checked]) -> dict[str, Any]:
    """Whether more human labels, and more LLM calls, still pay."""
    rows = versions.list_versions(current.engine, current.number)
    rows = [row for row in rows if row.space_hash == current.project.space_hash and row.state in ANSWERED]
    paid = current.options.TEACHER not in OFFLINE
    return {"people": advice(rows, checked, "people"), "teacher": advice(rows, checked, "teacher", paid)}


def iso(milliseconds: int) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def phase(current: Current) -> Literal["cold", "teacher", "student"]:
    """Which kind of answer the project gives now."""
    if current.project.space is None:
        return "cold"
    version = current.served_version
    if is_trained(version):
        return "student"
    return "teacher" if candidates.figures(current.engine, current.number, version).answered else "cold"
