"""Which decisions of people are worth a second look, found anew by every training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.pool import doubts as kept
from backend.pool import versions
from backend.pool.doubts import Doubt
from backend.pool.text import text_hash
from backend.projects.job import Job
from backend.training.encoder import compared_by, project_embedder
from backend.training.snapshot import Snapshot
from model.labels import HumanLabel, LabelSpace

if TYPE_CHECKING:
    from model.arrays import BoolArray, FloatArray, IntArray, Stop
    from model.weak.chunks import Dense

LEAST = 300  # labels below which nothing but duplicates is doubted: too many right ones would be among the doubted
TRUSTED = 0.7  # of the labels, the share that others must give out of fold: who is wrong so often doubts too much
TRUSTED_SETS = 0.5  # the same of sets of labels, as F1
FEWEST, MOST, SHARE = 20, 60, 0.01  # decisions that are listed: a share of all, within these limits
WEARY = 20  # confirmed decisions in a row, after which only stronger doubts are told
NEAR = 3  # similar texts that are told beside a doubt


def note_doubts(job: Job, snapshot: Snapshot, stop: Stop | None = None) -> int:
    """Store the decisions that are worth a second look; how many they are. An audit's are not among them."""
    found = _found(job, snapshot, stop)
    kept.renew(job.services.engine, job.number, found)
    return len(found)


def _found(job: Job, snapshot: Snapshot, stop: Stop | None) -> list[Doubt]:
    from model.text_groups import text_groups

    ids = [task for task in snapshot.texts if snapshot.final(task)]
    if len(ids) < 2:
        return []
    texts = [snapshot.texts[task] for task in ids]
    pair = job.current.pair
    near = compared_by(job.current)(texts)
    groups = text_groups(texts, near, None if pair is None else pair.alone())
    twins = _twins(snapshot, ids, groups)
    most = min(MOST, max(FEWEST, math.ceil(SHARE * len(ids))))
    if snapshot.space.questions or len(ids) < LEAST:
        return twins[:most]
    told, by_others = {one.task for one in twins}, _by_sets if snapshot.space.several else _by_student
    rest = [one for one in by_others(job, snapshot, ids, near, groups, stop) if one.task not in told]
    return [*twins, *rest][:most]


def _twins(snapshot: Snapshot, ids: Sequence[int], groups: IntArray) -> list[Doubt]:
    """Equal texts, and nearly equal ones, with different decisions."""
    from model.weak.doubts import contradictions

    said = [_sorted(snapshot.labels[task]) for task in ids]
    return [
        _doubt(snapshot, ids[one.row], tuple(one.said), "twins", 0.0, tuple(ids[row] for row in one.by[:NEAR]))  # type: ignore[arg-type]
        for one in contradictions(groups, said)
    ]


def _sorted(label: HumanLabel) -> tuple[str, ...]:
    return tuple(sorted(label.labels))


def _by_student(
    job: Job, snapshot: Snapshot, ids: Sequence[int], near: FloatArray, groups: IntArray, stop: Stop | None
) -> list[Doubt]:
    """What those doubt who have not learned it, the strongest doubt first; [] where they are wrong too often."""
    import numpy as np

    from model.weak.doubts import doubts, level_doubts
    from model.weak.judges import Known

    space = snapshot.space
    labels = np.array([space.index(snapshot.labels[task].labels[0]) for task in ids], np.int64)
    known = Known(np.arange(len(ids)), labels, groups, np.ones(len(ids)))
    firsts = [snapshot.sets[task].top if task in snapshot.sets else None for task in ids]
    first = np.array([-1 if top is None else space.index(top) for top in firsts], np.int64)
    seen = _seen(job, [snapshot.texts[task] for task in ids], near)
    found = (level_doubts if space.answer == "ordered" else doubts)(seen, known, first, len(space), stop)
    if found.accuracy < TRUSTED:
        return []
    said = [(space.names[column],) for column in found.said.tolist()]
    return _strongest(job, snapshot, ids, near, groups, found.margins, said)


def _by_sets(
    job: Job, snapshot: Snapshot, ids: Sequence[int], near: FloatArray, groups: IntArray, stop: Stop | None
) -> list[Doubt]:
    """The same of sets of labels."""
    import numpy as np

    from model.weak.set_doubts import set_doubts

    space = snapshot.space
    answers = [snapshot.sets.get(task) for task in ids]
    named = _marked(space, [() if one is None else one.answer for one in answers])
    answered = np.array([one is not None for one in answers], np.bool_)
    given = _marked(space, [snapshot.labels[task].labels for task in ids])
    seen = _seen(job, [snapshot.texts[task] for task in ids], near)
    found = set_doubts(seen, given, groups, named, answered, space.least, stop)
    if found.agreement < TRUSTED_SETS:
        return []
    said = [tuple(space.names[column] for column in np.flatnonzero(row)) for row in found.said]
    return _strongest(job, snapshot, ids, near, groups, found.margins, said)


def _marked(space: LabelSpace, sets: Sequence[Sequence[str]]) -> BoolArray:
    """Which labels each set holds `(n, C)`; labels that are no more are left out."""
    import numpy as np

    found = np.zeros((len(sets), len(space)), np.bool_)
    for row, labels in enumerate(sets):
        found[row, [space.index(label) for label in labels if label in space]] = True
    return found


def _strongest(
    job: Job,
    snapshot: Snapshot,
    ids: Sequence[int],
    near: FloatArray,
    groups: IntArray,
    margins: Dense,
    said: Sequence[tuple[str, ...]],
) -> list[Doubt]:
    """What is doubted more than not, or than people are weary of, the strongest doubt first."""
    limit = min(0.5, _weary(job))
    order = [row for row in margins.argsort(kind="stable").tolist() if margins[row] < limit][:MOST]
    return [
        _doubt(snapshot, ids[row], said[row], "others", float(margins[row]),
               tuple(ids[other] for other in _nearest(near, groups, row)))
        for row in order
    ]  # fmt: skip


def _seen(job: Job, texts: Sequence[str], near: FloatArray) -> FloatArray:
    """What a student sees of texts, `(n, d)`: of pairs the features that the newest training chose."""
    from model.pair_views import RELATION, PairView

    pair = job.current.pair
    if pair is None:
        return near
    newest = next(iter(versions.list_versions(job.services.engine, job.number)), None)
    features = newest.metrics.get("training", {}).get("pair", {}).get("features") if newest else None
    return PairView(pair, features or RELATION).embed(project_embedder(job.current))(texts)


def _weary(job: Job) -> float:
    """The margin below which a doubt is still worth a look: 1, unless the last ones were all confirmed."""
    looked = [one for one in kept.of_project(job.services.engine, job.number) if one.kind == "others"]
    last = sorted((one for one in looked if one.state != "open"), key=lambda one: one.settled_ms)[-WEARY:]
    if len(last) < WEARY or any(one.state == "changed" for one in last):
        return 1.0
    return min(one.margin for one in last)


def _nearest(vectors: FloatArray, groups: IntArray, row: int) -> list[int]:
    """The rows with the most similar texts that are not the same."""
    import numpy as np

    alike = np.where(groups == groups[row], -np.inf, vectors @ vectors[row])
    return [int(other) for other in np.argsort(-alike, kind="stable")[:NEAR] if np.isfinite(alike[other])]


def _doubt(
    snapshot: Snapshot, task: int, said: tuple[str, ...], kind: kept.Kind, margin: float, near: tuple[int, ...]
) -> Doubt:
    labels = snapshot.labels[task].labels
    return Doubt(task, text_hash(snapshot.texts[task]), labels, said, kind, margin, near)
