"""What keeps a project's labels from getting better, with the figures that show it and the next best step."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from backend.label_studio.links import MOST_TASKS
from backend.reporting.confusions import Confusions
from backend.reporting.page_figures import Insight
from backend.reporting.wording import CUT, FOREIGN

ENOUGH = 50  # checked answers, below which nothing is said
SHARED = 20  # tasks that two people labelled, below which their agreement is no measure
COVERED = 0.9  # of the right labels, the share that shortlists should hold
MIXED = 0.25  # of all mistakes, the share of one pair of labels that is worth a sentence
FEWEST = 5  # mistakes of such a pair
NAMED = 3  # labels or pairs that are named


@dataclass(frozen=True)
class Limit:
    """`kind` is people, labels, teacher or encoder; `why` the figures, `step` what to do next; `tasks` show it, the
    first that one link can."""

    kind: str
    why: str
    step: str
    tasks: tuple[int, ...] = ()


def limits(status: dict[str, Any], found: Insight) -> list[dict[str, str]]:
    """The limits that can be shown, the ones that bind first first; [] while too little is known."""
    parts = (_people(status, found), *_pairs(found), _teacher(status, found), _encoder(status))
    return [asdict(one) for one in parts if one is not None]


def _people(status: dict[str, Any], found: Insight) -> Limit | None:
    """Whoever compares answers with people cannot be more often right than people agree."""
    agreed, right = status["agreement"], found.student.accuracy or found.teacher.accuracy
    if agreed["tasks"] < SHARED or right is None or right.count < ENOUGH or right.high < agreed["percent"]:
        return None
    why = (
        f"People agree in {100 * agreed['percent']:.0f} % of the pairs on {agreed['tasks']:,} tasks that several "
        f"labelled, and with answers in {100 * right.value:.0f} % ({100 * right.low:.0f} to {100 * right.high:.0f} %): "
        "whether they get better cannot be told from such labels"
    )
    step = "Look at the tasks that people decided differently, and write into the instructions how such are decided"
    return Limit("people", why, step, found.disputed)


def _pairs(found: Insight) -> list[Limit]:
    """Two labels that account for many mistakes; nobody parts them if the teacher's first choice mixes them up, too."""
    student, teacher = _mixed(found.student), _mixed(found.teacher)
    shown, who = (student, "student") if found.student.accuracy else (teacher, "teacher")
    judged = (found.student if who == "student" else found.teacher).accuracy
    mistakes = round(judged.count * (1 - judged.value)) if judged else 0
    if judged is None or judged.count < ENOUGH:
        return []
    limits = []
    for pair, number in shown.most_common(NAMED):
        if number < max(FEWEST, MIXED * mistakes):
            continue
        one, other = sorted(pair)
        both = who == "student" and teacher[pair] >= FEWEST
        too = f", and the teacher mixes them up in {teacher[pair]} tasks, too" if both else ""
        why = f"{number} of the {who}'s {mistakes} mistakes take {one} for {other} or the other way round{too}"
        step = (
            "Merge the two labels, if nothing depends on telling them apart; else write into their hints what belongs"
        )
        limits.append(
            Limit("labels", why, f"{step} where", _tasks(found.student if who == "student" else found.teacher, pair))
        )
    return limits


def _tasks(found: Confusions, pair: frozenset[str]) -> tuple[int, ...]:
    """Those in which two labels were mixed up."""
    cells = [cell.tasks for cell in found.cells if frozenset((cell.person, cell.predicted)) == pair]
    return tuple(sorted(task for tasks in cells for task in tasks)[:MOST_TASKS])


def _mixed(found: Confusions) -> Counter[frozenset[str]]:
    """Mistakes by pair of labels, whichever was taken for which."""
    counts: Counter[frozenset[str]] = Counter()
    for cell in found.cells:
        counts[frozenset((cell.person, cell.predicted))] += len(cell.tasks)
    return counts


def _teacher(status: dict[str, Any], found: Insight) -> Limit | None:
    """Shortlists that often lack the right label: those labels' hints say too little."""
    covered = found.teacher.coverage
    if covered is None or covered.count < ENOUGH or covered.high >= COVERED:
        return None
    lacking = Counter({cell.person: 0 for cell in found.teacher.cells})
    for cell in found.teacher.cells:
        lacking[cell.person] += len(cell.tasks)
    names = ", ".join(name for name, _ in lacking.most_common(NAMED))
    why = (
        f"The right label is on the shortlist in only {100 * covered.value:.0f} % of {covered.count:,} tasks "
        f"({100 * covered.low:.0f} to {100 * covered.high:.0f} %); most often mistaken are {names}"
    )
    asked = "Describe these labels in their hints, or raise MAX_CANDIDATES"
    offline = status["teacher"]["name"].startswith("offline")
    return Limit("teacher", why, f"{asked}; an LLM as TEACHER knows more" if offline else asked)


def _encoder(status: dict[str, Any]) -> Limit | None:
    """Texts that the encoder was not made for."""
    texts = status["left_out"].get("texts") or {}
    foreign, cut = texts.get("foreign") or 0.0, texts.get("cut") or 0.0
    if max(foreign / FOREIGN, cut / CUT) < 1.0:
        return None
    why = f"The encoder does not know {100 * foreign:.0f} % of the texts, and reads {100 * cut:.0f} % only in part"
    return Limit("encoder", why, "Set STUDENT_ENCODER to one that is made for such texts (docs/evidence/encoders.md)")
