"""Existing classifiers for a project's committee: proposed from the catalogue, tried on people's labels, confirmed.

The meta-controller is the project's LLM where TEACHER names one, else the names of labels are compared. It proposes;
a person confirms, and only what is confirmed gets a seat, with the next training in MODE=committee.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from backend.errors import ProjectError
from backend.pool import classifiers, ledger, tasks
from backend.pool.annotations import learnable
from backend.pool.classifiers import ClassifierRow
from backend.projects.current import Current
from model.errors import ArtifactError, LabelSpaceError
from model.teacher.errors import TeacherError, TeacherRefused

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.committee.catalogue import Classifier
    from model.committee.members.member import Member
    from model.committee.proposing import Proposals
    from model.committee.trial import Trial
    from model.labels import LabelSpace
    from model.teacher.llm import LlmTeacher

log = structlog.get_logger(__name__)

SAMPLES = 8  # texts of the project that an LLM sees
NAMES = "names"  # who proposed, where no LLM did
INSTEAD = "the names of labels were compared instead"


@dataclass(frozen=True)
class Confirmed:
    """What is proposed or confirmed now, and in sentences what could not be used or tried."""

    rows: list[ClassifierRow]
    notes: tuple[str, ...] = ()


def propose(current: Current, embed: Embed, catalogue: Path | None = None, download: bool = False) -> Confirmed:
    """Propose classifiers and keep the proposals. Each is tried on people's labels if its weights are here, or may be
    fetched (`download`). Raises ArtifactError if the catalogue cannot be read."""
    from model.committee.catalogue import read_catalogue

    space, known = current.space, read_catalogue(catalogue)
    found, author, notes = _proposals(current, space, known, embed)
    texts, gold = decided(current, space)
    rows, absent = [], []
    for one in found.found:
        row = ClassifierRow(one.classifier.place, space.hash, one.targets, False, author, one.reason)
        try:
            tried = tried_member(row, space, texts, gold, download)
            row = replace(row, trial=tried.to_json() if tried else None)
        except (ArtifactError, LabelSpaceError) as error:
            if download or Path(row.place).exists():
                notes.append(f"{row.place} was not tried: {error}")
            else:
                absent.append(row.place)
        rows.append(row)
    if absent:
        notes.append(
            f"Not tried, because their weights are not on this machine: {', '.join(absent)}. With --download they are "
            "fetched, some hundred megabytes each, and tried on people's labels"
        )
    classifiers.propose(current.engine, current.number, rows)
    return Confirmed(classifiers.of_project(current.engine, current.number, space.hash), tuple(notes))


def confirm(current: Current, places: Sequence[str]) -> list[ClassifierRow]:
    """Give proposed classifiers a seat, from the next training on. Each is loaded first, which may fetch its weights.

    ProjectError for what was not proposed; ArtifactError or LabelSpaceError if one cannot be loaded or has other labels
    than the catalogue says. Nothing is confirmed unless all can be.
    """
    space = current.space
    known = {row.place: row for row in classifiers.of_project(current.engine, current.number, space.hash)}
    unknown = [place for place in places if place not in known]
    if unknown:
        others = f"proposed are {', '.join(known)}" if known else "nothing is proposed for the present labels"
        again = f"`shortlist committee propose {current.number}` proposes"
        raise ProjectError(f"{', '.join(unknown)} was not proposed; {others}; {again}")
    texts, gold = decided(current, space)
    rows = []
    for place in places:
        tried = tried_member(known[place], space, texts, gold, download=True)
        rows.append(replace(known[place], confirmed=True, trial=tried.to_json() if tried else None))
    for row in rows:
        classifiers.save(current.engine, current.number, row)
    return rows


def dismiss(current: Current, places: Sequence[str]) -> None:
    """Take seats or proposals back; ProjectError for one that is neither. The next training goes without them."""
    for place in places:
        if not classifiers.remove(current.engine, current.number, place):
            raise ProjectError(f"{place} is neither proposed nor confirmed for project {current.number}")


def guests(current: Current) -> list[Member]:
    """Every confirmed classifier, loaded for a training. ArtifactError if one cannot be loaded any more."""
    from model.committee.members.classifier import open_existing

    space = current.space
    found: list[Member] = []
    for row in classifiers.of_project(current.engine, current.number, space.hash):
        try:
            found += [open_existing(row.place, space, row.place, row.map)] if row.confirmed else []
        except ArtifactError as error:
            without = f"`shortlist committee dismiss {current.number} {row.place}` trains without it"
            raise ArtifactError(f"a member of the committee cannot be loaded: {error}. {without}") from error.__cause__
    return found


def decided(current: Current, space: LabelSpace) -> tuple[list[str], list[int]]:
    """Texts that people gave one label, and its number; a fixed random part of very many."""
    from model.committee.trial import MOST_ROWS
    from model.labels import Decision

    labels = learnable(current.engine, current.number)
    final = sorted(
        task for task, one in labels.items() if one.decision is Decision.FINAL and (*one.labels, None)[0] in space
    )
    chosen = final if len(final) <= MOST_ROWS else random.Random(0).sample(final, MOST_ROWS)
    texts = tasks.texts(current.engine, current.number, chosen)
    here = [task for task in chosen if task in texts]
    return [texts[task] for task in here], [space.index(labels[task].labels[0]) for task in here]


def tried_member(
    row: ClassifierRow, space: LabelSpace, texts: Sequence[str], gold: Sequence[int], download: bool
) -> Trial | None:
    """Load a classifier and let it vote on what people decided; None where nobody decided anything."""
    import numpy as np

    from model.committee.members.classifier import open_existing
    from model.committee.trial import trial

    member = open_existing(row.place, space, row.place, row.map, download)
    return trial(member, texts, np.array(gold, np.int64)) if gold else None


def _proposals(
    current: Current, space: LabelSpace, known: Sequence[Classifier], embed: Embed
) -> tuple[Proposals, str, list[str]]:
    """Proposals, who made them, and notes. Where the LLM cannot be asked, the names of labels are compared."""
    from model.committee.proposing import by_names

    try:
        llm = _llm(current, embed)
    except TeacherRefused as error:
        return by_names(space, known, embed), NAMES, [f"The LLM cannot be asked ({error}): {INSTEAD}"]
    if llm is not None:
        found, problem = _asked(current, space, known, llm)
        if found is None:
            return by_names(space, known, embed), NAMES, [problem]
        notes = [*found.refused, f"Asking {llm.name} did cost ${found.usage.microusd / 1e6:.4f}"]
        if found.found or not found.refused:
            return found, llm.name, notes
        return by_names(space, known, embed), NAMES, [*notes, f"Nothing that it proposed can be used: {INSTEAD}"]
    return by_names(space, known, embed), NAMES, []


def _llm(current: Current, embed: Embed) -> LlmTeacher | None:
    """The first LLM that TEACHER names; None without one."""
    from model.teacher.choice import make_teacher, members_of

    options = current.teacher_options
    named = [one for one in members_of(options) if one.teacher.startswith(("openai:", "anthropic:"))]
    if not named:
        return None
    plain = replace(named[0], examples="none", votes=1, per_call=1, labels_shown="off")
    found: Any = make_teacher(plain, current.space, embed)
    teacher: LlmTeacher = found
    return teacher


def _asked(
    current: Current, space: LabelSpace, known: Sequence[Classifier], llm: LlmTeacher
) -> tuple[Proposals | None, str]:
    """What the LLM proposes, paid within the budget; None and why, if it could not be asked."""
    from model.committee.proposing import ask, request_for, upper_bound_microusd
    from model.teacher.base import Usage

    engine, number, version = current.engine, current.number, current.teacher_version
    request = request_for(llm, known, _samples(current))
    current.hold_budget()
    reservation = ledger.reserve(engine, number, version, upper_bound_microusd(llm, request))
    if reservation is None:
        return None, f"BUDGET_USD does not pay for asking the LLM: {INSTEAD}"
    spent = Usage()
    try:
        found = ask(llm, request, space, known)
        spent = found.usage
    except TeacherError as error:
        spent = error.spent or Usage()
        log.warning("the LLM proposed no classifiers", reason=str(error))
        return None, f"The LLM did not answer ({error}): {INSTEAD}"
    finally:
        ledger.settle(engine, number, version, reservation, spent)
    return found, ""


def _samples(current: Current) -> list[str]:
    """A few texts of the project, the same every time."""
    ids = sorted(tasks.all_ids(current.engine, current.number))
    chosen = random.Random(0).sample(ids, min(SAMPLES, len(ids)))
    texts = tasks.texts(current.engine, current.number, chosen)
    return [texts[task] for task in chosen if task in texts]
