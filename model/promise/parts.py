"""What a promise is about: of each question of a pool, or of each label of one, how much may be lost.

Every part has a bound of its own and its share of the risk (union bound). An answer is left to the student only where
every part that it belongs to accepts it: then what is wrong of each part is no more than that part alone would leave.
A label's part are the tasks to which the student gives it; these are known before the audit is looked at, and the
audited ones among them are a random sample of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from model.errors import LabelSpaceError
from model.group_answers import applies, limited
from model.groups import Group
from model.labels import LabelSpace
from model.promise.acceptance import breaking_number
from model.promise.border import Certainty, Look, look
from model.set_evaluation import jaccard

SET_STEPS = 20  # units of what is lost of a set; rounded up


@dataclass(frozen=True)
class Part:
    """Of the answers to `question` ("": the only one, as a whole) at most a share `target` may be lost, each answer in
    units of 1 / `steps`; with `label`, of those to which the student gives it."""

    question: str = ""
    label: str = ""
    target: float = 0.0
    steps: int = 1

    def spared(self, pool: int) -> int:
        """How many tasks of the pool may be left to the student without any audit, if it is wrong about all."""
        return 0 if self.label else (breaking_number(pool, self.target, self.steps) - 1) // self.steps


@dataclass(frozen=True)
class Seen:
    """A look at one part: how many tasks of the pool its share is of, and how many the audit is drawn from."""

    part: Part
    pool: int
    members: int
    risk: float
    look: Look

    @property
    def allowed(self) -> float:
        """What may be lost, in whole labels."""
        return (breaking_number(self.pool, self.part.target, self.part.steps) - 1) / self.part.steps


def parts_of(space: LabelSpace, targets: Mapping[str, float], *, whole: bool, per_label: bool) -> tuple[Part, ...]:
    """The parts of a promise about a space: `targets` by question, of which those of 1 or more promise nothing.

    `whole`: any difference counts as a wrong answer; else a level by its distance, of the length of the scale, and a
    set by one minus its Jaccard index. `per_label` splits questions with one right label.
    """
    found: list[Part] = []
    for group in space.groups:
        target = targets[group.name]
        steps = 1 if whole else {"one": 1, "ordered": len(group) - 1, "any": SET_STEPS}[group.kind]
        labels = space.names[group.columns] if per_label and group.kind != "any" else ("",)
        if target < 1:
            found += [Part(group.name, label, target, steps) for label in labels]
    return tuple(found)


def lost(space: LabelSpace, part: Part, said: Collection[str], right: Collection[str]) -> int:
    """What an answer loses beside the right one, of this part's question, in units: a level by its distance, a set by
    one minus its Jaccard index, rounded up; with one step any difference is 1."""
    group = _group(space, part)
    mine, true = (limited(space, labels, [group]) for labels in (said, right))
    if set(mine) == set(true):
        return 0
    if part.steps == 1 or not mine or not true:
        return part.steps
    if group.kind == "ordered":
        return abs(space.index(mine[0]) - space.index(true[0]))
    return math.ceil((1.0 - jaccard(mine, true)) * part.steps - 1e-9)


def left_blank(space: LabelSpace, said: Collection[str]) -> bool:
    """Whether an answer says nothing of a question that is asked beside the others, and has to have an answer."""
    return any(group.least and applies(group, said) and not limited(space, said, [group]) for group in space.groups)


def members(parts: Sequence[Part], said: Mapping[int, Collection[str]]) -> dict[Part, list[int]]:
    """The tasks of every part: all, or those to which the student gives its label; labels that it never gives are left
    out."""
    found = {part: [task for task, labels in said.items() if not part.label or part.label in labels] for part in parts}
    return {part: tasks for part, tasks in found.items() if tasks or not part.label}


def look_at(
    space: LabelSpace,
    parts: Sequence[Part],
    pool: int,
    places: Mapping[int, Certainty],
    said: Mapping[int, Collection[str]],
    found: Mapping[int, Mapping[str, int]],
    risk: float,
) -> tuple[list[Seen], frozenset[int]]:
    """Each part looked at, and the tasks that all of their parts leave to the student.

    `places` and the labels that are `said` are of all tasks that the audit is drawn from; `found` is what audited ones
    lose by question, in units. The risk is shared by the parts that any task belongs to.
    """
    by_part = members(parts, said)
    shared = risk / max(1, len(by_part))
    seen, kept = [], dict.fromkeys(places, False)
    for part, tasks in by_part.items():
        one = {task: found[task][part.question] for task in tasks if task in found and found[task][part.question]}
        here = len(tasks) if part.label else pool
        breaking = breaking_number(here, part.target, part.steps)
        audited = found.keys() & set(tasks)
        looked = look({task: places[task] for task in tasks}, audited, one, breaking, shared, part.steps)
        seen.append(Seen(part, here, len(tasks), shared, looked))
        kept |= dict.fromkeys(looked.accepted, True)
    refused = {task for one in seen for task in one.look.people}
    return seen, frozenset(task for task, once in kept.items() if once and task not in refused)


def _group(space: LabelSpace, part: Part) -> Group:
    """The part's question. LabelSpaceError if there is none of that name."""
    for group in space.groups:
        if group.name == part.question:
            return group
    raise LabelSpaceError(f"there is no question {part.question!r}")
