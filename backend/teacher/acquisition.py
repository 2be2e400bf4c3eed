"""Which tasks come next: for a paid teacher while its budget lasts, and for people in Label Studio.

The served student and the project's rule (setting ACQUISITION) choose; before there is a student, tasks are chosen to
differ. A queue is kept in the pool and used up before the next one is made; a new student makes new ones.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import structlog

from backend.pool import acquisition, rulings, tasks
from backend.pool.annotations import decided
from backend.pool.version_names import is_committee
from backend.projects.current import Current
from backend.services import Services
from model.errors import ArtifactError

if TYPE_CHECKING:
    from model.acquisition.pool import Pool, Probabilities
    from model.arrays import Embed, FloatArray, IntArray
    from model.pairs import Pair
    from model.student.student import Student

log = structlog.get_logger(__name__)

TEACHER_QUEUE = 1_000  # tasks that are lined up for the teacher at once
FIRST_QUEUE = 200  # the same before there is a student
PEOPLE_QUEUE = 200  # tasks that are lined up for people: each costs Label Studio up to 0.15 s
LOOKED_AT = 100_000  # tasks that are compared; of more a random part
LOOKED_AT_SLOWLY = 5_000  # the same where the student is a fine-tuned network
LOOKED_AT_FIRST = 2_000  # the same before there is a student, when most texts have no vectors yet
DIVERSE = "k-means"
UNCERTAIN = "margin-clusters"


def for_teacher(current: Current, teacher: str, embed: Embed) -> tuple[int, ...]:
    """The tasks that the teacher version `teacher` is asked about before all others, the first one first.

    Made anew once all of them were asked, or another student is served. Tasks that people decided are not among them,
    and of a committee's only those that its votes do not decide.
    """
    engine, number, version = current.engine, current.number, current.chooser
    known = acquisition.line(engine, number, "teacher")
    if known is not None and known.version == version and known.tasks:
        left = tasks.without_candidates(engine, number, teacher, 1, prefer=known.tasks)
        if left and left[0][0] in known.tasks:
            return known.tasks
    done = decided(current.engine, number)
    eligible = [task for task in tasks.ids_without_candidates(engine, number, teacher) if task not in done]
    if is_committee(version):  # a review is for tasks that its votes do not decide
        unresolved = rulings.of_source(engine, number, version, "unresolved")
        eligible = [task for task in eligible if task in unresolved]
    count = TEACHER_QUEUE if version else FIRST_QUEUE
    chosen = choose(current, version, embed, count, eligible) if eligible else []
    acquisition.line_up(engine, number, "teacher", version, chosen)
    return tuple(chosen)


def choose(current: Current, version: str, embed: Embed, count: int, eligible: Collection[int]) -> list[int]:
    """At most `count` of the eligible tasks, best first, the same for the same version; equal texts count once."""
    import numpy as np

    from model.acquisition.pool import distinct
    from model.acquisition.rules import rule
    from model.acquisition.selection import select

    student = _student(current.services, current.number, version)
    most = LOOKED_AT_FIRST if student is None else LOOKED_AT if student.kind == "head" else LOOKED_AT_SLOWLY
    draw = random.Random(f"{current.number}:{version}")
    looked = sorted(eligible) if len(eligible) <= most else sorted(draw.sample(sorted(eligible), most))
    texts = tasks.texts(current.engine, current.number, looked)
    ids = [task for task in looked if task in texts]
    if not ids:
        return []
    name = current.options.ACQUISITION if student is not None else DIVERSE
    chosen = rule(name)
    if current.space.several and "base" in chosen.score.needs:  # similarity to names cannot say how many labels apply
        chosen = rule(UNCERTAIN)
    pool = _pool(current, student, [texts[task] for task in ids], embed, "base" in chosen.score.needs)
    rows = distinct([texts[task] for task in ids], np.arange(len(ids)))
    found = select(pool, chosen, count, rows, seed=draw.randrange(2**31))
    log.info("tasks lined up", rule=name, version=version, looked_at=len(ids), chosen=len(found.rows), note=found.note)
    return [ids[row] for row in found.rows.tolist()]


def _student(services: Services, project: int, version: str) -> Student | None:
    """The student of a version, without a cross-encoder, which is slow. None without one, or if it cannot be loaded:
    then tasks are chosen to differ."""
    from model.loading import load_version
    from model.student.crossed import CrossedStudent

    if not version:
        return None
    try:
        student = load_version(services.registry.fetch(project, version))
        return student.alone if isinstance(student, CrossedStudent) else student
    except ArtifactError as error:
        log.error("the student that chooses tasks cannot be loaded", version=version, reason=str(error))
        return None


def _pool(current: Current, student: Student | None, texts: Sequence[str], embed: Embed, base: bool) -> Pool:
    """The texts as acquisition sees them, with label names as the base model (if wanted) and vectors from the cache."""
    import numpy as np

    from model.acquisition.base_model import LabelSimilarity
    from model.acquisition.pool import Pool, TextVectors
    from model.acquisition.temperature import matching_temperature, tempered
    from model.decoding import closest
    from model.labels import readable
    from model.pair_views import BESIDE, PairView

    space, pair = current.space, current.pair
    vectors = TextVectors(texts, embed if pair is None else PairView(pair, BESIDE).embed(embed))
    if student is None:
        return Pool(len(texts), embeddings=vectors)

    def answers(rows: IntArray) -> FloatArray:
        found = student.probabilities([texts[row] for row in rows.tolist()], embed)
        return closest(space, found, student.thresholds) if space.several else found

    first: Probabilities | None = None
    if base and pair is not None:
        first = _of_cosines(pair, texts, embed, answers)
    elif base and not space.several:
        names = LabelSimilarity(embed([readable(label.title) for label in space.labels]))

        def said(rows: IntArray) -> FloatArray:
            return names(vectors[rows])

        first = tempered(said, matching_temperature(answers, said, np.arange(len(texts))))
    return Pool(len(texts), answers, first, (), vectors)


def _of_cosines(pair: Pair, texts: Sequence[str], embed: Embed, answers: Probabilities) -> Probabilities:
    """What the frozen encoder alone would say of pairs, by how alike it finds the two texts of each."""
    import numpy as np

    from model.acquisition.base_model import CosineBase
    from model.acquisition.temperature import SAMPLE
    from model.pair_views import cosines

    def alike(rows: IntArray) -> FloatArray:
        return cosines(pair, [texts[row] for row in rows.tolist()], embed)

    some = np.arange(len(texts))[:: max(1, -(-len(texts) // SAMPLE))]
    base = CosineBase.fit(alike(some), answers(some))
    return lambda rows: base(alike(rows))
