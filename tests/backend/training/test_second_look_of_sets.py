"""Decisions that are worth a second look where several labels may be right."""

from __future__ import annotations

import itertools

from backend.pool import tasks
from backend.projects.updates import remember
from backend.reporting.second_look import looks, second_look
from tests.backend.training.test_second_look import ENDINGS, NEXT, OPENINGS, look_again
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, MESSAGES, World

SEVERAL = CONFIG.replace('answer="one"', 'answer="several"')
ROWS = [
    (f"{opening}{MESSAGES[one][place]} and {MESSAGES[other][place]}{ending}" if other else
     f"{opening}{MESSAGES[one][place]}{ending}", tuple(filter(None, (one, other))))
    for (one, other), place, opening, ending in itertools.product(
        [(one, other) for one in MESSAGES for other in ("", *MESSAGES) if not other or one < other],
        range(4), OPENINGS, ENDINGS[:2])
]  # fmt: skip
WRONG = range(5, len(ROWS), 25)


def test_labels_of_sets_are_doubted_one_by_one(world: World) -> None:
    world.double.fields["label_config"] = SEVERAL
    remember(world.services, 7, CREATED, SEVERAL)
    texts = [text for text, _ in ROWS]
    tasks.add(world.engine, 7, dict(zip(world.double.add_tasks(texts), texts, strict=True)))
    for task, (_, labels) in enumerate(ROWS, 1):
        first, *rest = labels
        world.double.annotate(task, sorted({NEXT[first], *rest}) if task in WRONG else list(labels))
    look_again(world)
    told = [row["task"] for row in second_look(world.current)["decisions"]]
    assert len(set(told) & set(WRONG)) >= 0.7 * min(len(told), len(WRONG))
    found = {one.task: (set(one.said) ^ set(one.labels), set(one.labels)) for one in looks(world.current, len(told))}
    assert all(changed for changed, _ in found.values())
    right = [found[task][0] <= found[task][1] ^ set(ROWS[task - 1][1]) for task in told if task in WRONG]
    assert sum(right) > 0.7 * len(right), "the label that is doubted is a wrong one"
