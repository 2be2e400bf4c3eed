"""A certificate checked again: the figures that the stored tasks, ranks, votes and decisions give."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from backend.pool import certified, promises, tasks
from backend.pool.certified import Row
from backend.pool.set_aside import blind_rank
from backend.projects.current import Current
from backend.serving.publishing.looking import ENDED, figures
from backend.training.consensus import consensus, judged
from model.promise.looks import attempt_risk, look_risk
from model.promise.parts import Part, look_at
from model.whole_answers import labels_of, whole

BOUND = ("allowed", "acceptance", "errors", "border")
Check = tuple[str, Any, Any]  # what, as the certificate says, as it is found again


def checks(current: Current, certificate: dict[str, Any]) -> list[Check]:
    """The certificate's figures beside what the stored rows give again: equal pairs, if nothing was changed."""
    rows = certified.rows(current.engine, current.number)
    rest = {task: row for task, row in rows.items() if row.role != "chosen"}
    audited = {task: row for task, row in rest.items() if row.role == "audit"}
    ranks = {task: blind_rank(current.number, task) for task in rest}
    risk = look_risk(attempt_risk(1 - certificate["confidence"], certificate["attempt"]), certificate["looks"])
    places = {task: (1 - row.score, ranks[task]) for task, row in rest.items()}
    said = {task: labels_of(current.space, row.label) for task, row in rest.items()}
    losses = {task: row.lost or {"": int(row.wrong)} for task, row in audited.items()}
    seen, kept_by_all = look_at(current.space, _parts(certificate), len(rows), places, said, losses, risk)
    again = figures(seen, risk, parted="parts" in certificate)
    accepted = {task for task in kept_by_all if rows[task].role != "decided" and rows[task].label}
    by_rank = {task for task, rank in ranks.items() if certificate["first"] <= rank < certificate["limit"]}
    pairs = {
        "pool": len(rows),
        "undecided": len(rest),
        "audited": len(by_rank)
        if by_rank == audited.keys()
        else f"{len(by_rank ^ audited.keys())} tasks differ from the ranks",
        "risk": risk,
        "accepted": len(accepted),
        "rows": certified.fingerprint(rows.values()),
    }
    kept = {task for task, row in rows.items() if row.role == "accepted"}
    same = "the same tasks" if kept == accepted else f"{len(kept ^ accepted)} tasks differ"
    return [*((name, certificate[name], value) for name, value in pairs.items()),
            ("accepted tasks", "the same tasks", same), *_bounds(certificate, again),
            *_planned(current, certificate, rows), *_by_votes(current, rows)]  # fmt: skip


def _parts(certificate: dict[str, Any]) -> list[Part]:
    """What it is about; one of an earlier release, or about the whole, does not say."""
    names = [field.name for field in fields(Part)]
    listed = [Part(**{name: one[name] for name in names}) for one in certificate.get("parts", ())]
    return listed or [Part(target=certificate["target"])]


def _bounds(certificate: dict[str, Any], again: dict[str, Any]) -> list[Check]:
    """What each part may lose, what its audit has lost, and its border."""
    if "parts" not in certificate:
        return [(name, certificate[name], again[name]) for name in BOUND]
    pairs = zip_longest(certificate["parts"], again["parts"], fillvalue=dict[str, Any]())
    return [
        (f"{name} of {said.get('label') or said.get('question') or 'all'}", said.get(name), found.get(name))
        for said, found in pairs
        for name in (*BOUND, "members", "audited")
    ]


def _planned(current: Current, certificate: dict[str, Any], rows: dict[int, Row]) -> list[Check]:
    """Whether as many tasks were chosen and audited as was fixed before the first look, and those on record; nothing of
    a certificate that had no plan."""
    if "sizes" not in certificate or certificate["method"] == ENDED:
        return []
    place = certificate["look"] - 1
    picked = {task for task, row in rows.items() if row.role == "chosen"}
    rest = len(rows) - len(picked)
    least = {"chosen": min(certificate["picks"][place], len(rows)) if certificate["picks"] else 0,
             "audited": min(certificate["sizes"][place], rest)}  # fmt: skip
    here = set(tasks.all_ids(current.engine, current.number))  # of deleted tasks nothing is on record
    unknown = picked & here - promises.chosen_tasks(current.engine, current.number)[0]
    return [
        ("looks", certificate["looks"], len(certificate["sizes"])),
        _at_least("chosen before the look", least["chosen"], len(picked)),
        _at_least("audited at the look", least["audited"], certificate["audited"]),
        ("chosen tasks", "on record", "on record" if not unknown else f"{len(unknown)} are not on record"),
    ]


def _at_least(name: str, least: int, found: int) -> Check:
    """What the plan asks for, and what there is."""
    wanted = f"at least {least}"
    return name, wanted, wanted if found >= least else f"only {found}"


def _by_votes(current: Current, rows: dict[int, Row]) -> list[Check]:
    """Whether what several people said makes every audited answer wrong that it must; [] where only one was asked. One
    that they call right may be wrong for how it was decided."""
    votes = {task: {int(who): label for who, label in row.votes.items()} for task, row in rows.items() if row.votes}
    if not votes:
        return []
    said = consensus(votes, current.space)
    missed = sum(
        row.role == "audit" and not row.wrong and task in said and said[task].labels != (row.label,)
        for task, row in rows.items()
    )
    follows = "follow from their votes"
    return [("verdicts of several people", follows, follows if not missed else f"{missed} answers are wrong by them")]


def changed_since(current: Current) -> int:
    """Audited tasks of which people, or their consensus, say something else now than when the certificate was made."""
    here = set(tasks.all_ids(current.engine, current.number))
    rows = {task: row for task, row in certified.rows(current.engine, current.number, "audit").items() if task in here}
    people = judged(current)
    now = {task: whole(current.space, people[task].labels) if task in people else "" for task in rows}
    return sum(not row.wrong and now[task] != row.label for task, row in rows.items())  # what is wrong may stay so


def roles(current: Current) -> dict[str, int]:
    """How many tasks of the certificate's pool have which role."""
    return dict(Counter(row.role for row in certified.rows(current.engine, current.number).values()))
