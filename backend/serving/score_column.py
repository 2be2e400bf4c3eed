"""What Label Studio's one score column carries (setting SCORE): how sure an answer is, or how much a decision is worth.

Label Studio's uncertainty sampling takes the lowest score first. With SCORE=acquisition the score is the lead of the
first label over the second, so that close calls come first; the head of the queue is spread by
`publishing/people_queue`. With SCORE=relevance it ranks the documents of a query, the most relevant highest, so that
the Data Manager sorts by it; where tasks share no query it is how sure the answer is. Published and live answers read
the same stored figures, so that they agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from backend.pool import acquisition
from backend.project_options import ProjectOptions
from backend.services import Services

if TYPE_CHECKING:
    from model.arrays import FloatArray
    from model.labels import CandidateSet, LabelSpace
    from model.pairs import Pair


def wanted(options: ProjectOptions) -> bool:
    """Whether the column carries acquisition scores."""
    return options.SCORE == "acquisition"


def ranks(options: ProjectOptions) -> bool:
    """Whether the column carries how relevant a document is."""
    return options.SCORE == "relevance"


def of_answer(options: ProjectOptions, score: float, lead: float, relevance: float | None) -> float:
    """What the column says of a student's answer."""
    if ranks(options) and relevance is not None:
        return relevance
    return lead if wanted(options) else score


def of_teacher(options: ProjectOptions, pair: Pair | None, space: LabelSpace, found: CandidateSet) -> float | None:
    """What the column says of a candidate set; None for its own score. A teacher's relevance is the expected grade."""
    if wanted(options):
        return of_candidates(found)
    if not ranks(options) or pair is None or not pair.searches or space.several or len(space) < 2:
        return None
    shares = found.confidences or (1.0 / len(found.labels),) * len(found.labels)
    grades = [space.index(label) / (len(space) - 1) for label in found.labels]
    expected = sum(share * grade for share, grade in zip(shares, grades, strict=True)) / max(sum(shares), 1e-9)
    return min(1.0, max(0.0, 1.0 - expected if options.GRADES == "falling" else expected))


def of_candidates(found: CandidateSet) -> float:
    """The lead of a candidate set's first label; the larger a set without confidences, the lower. Where several labels
    may be right, its score."""
    if found.certain is not None:
        return found.score
    if not found.confidences:
        return 1.0 / len(found.labels)
    first, second = (*found.confidences, 0.0)[:2]
    return max(0.0, first - second)


def leads(probabilities: FloatArray) -> list[float]:
    """The lead of each row's most likely label, for probabilities `(n, C)`; in [0, 1]."""
    from model.acquisition.uncertainty import margins

    return [min(1.0, max(0.0, float(lead))) for lead in margins(probabilities)] if len(probabilities) else []


def stored(
    services: Services, project: int, version: str, options: ProjectOptions, tasks: Collection[int]
) -> Mapping[int, float]:
    """A student version's leads by task; none where the column carries confidences."""
    return acquisition.scores(services.engine, project, version, tasks) if wanted(options) else {}


def keep(
    services: Services, project: int, version: str, options: ProjectOptions, rows: Sequence[tuple[int, float]]
) -> None:
    """Store (task, lead) of a student version, if the column is to carry them; else those of former texts go."""
    if wanted(options):
        acquisition.save(services.engine, project, version, dict(rows))
    else:
        acquisition.clear(services.engine, project, version, [task for task, _ in rows])
