"""MODE=committee: the members are trained instead of one student, and none of them may get worse."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from backend.pool import predictions, rulings, tasks
from backend.pool.standing import about
from backend.pool.text import text_hash
from backend.pool.version_names import is_committee
from backend.project_options import ProjectOptions
from backend.projects.current import Current
from backend.projects.job import Job
from backend.training.classifiers import guests
from backend.training.encoder import project_embedder, runtime_embedder
from model.errors import ArtifactError

if TYPE_CHECKING:
    from model.arrays import Embed, Progress, Stop
    from model.committee.committee import Committee
    from model.committee.training import Held
    from model.labels import LabelSpace
    from model.teacher.prompting.composing import Remarks
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

MOST_AGREED = 5_000  # agreed tasks that are looked at
MOST_HELD = 400  # of them that judge new members


def train_members(
    job: Job,
    options: ProjectOptions,
    data: TrainingData,
    how: TrainingOptions,
    held: Sequence[tuple[str, str]],
    progress: Progress,
    stop: Stop,
) -> tuple[Committee, TrainingReport]:
    """A new committee. A member that does worse than the served one of its name on the set-aside human labels
    `held` (text, label), beyond noise, keeps its old self; the report says why."""
    from model.committee.roster import Roster
    from model.committee.seats import Seats
    from model.committee.training import train_committee, without_harm

    space, old = job.current.space, served_committee(job.current)
    agreed = Agreed.of(job, known=set(data.texts)) if old is not None else Agreed()
    if old is not None:
        data = replay(data, old, agreed, options.REPLAY)
    confirmed = guests(job.current)
    seats = Seats(space, Roster.of(options.COMMITTEE), how, project_embedder(job.current), stop, other_encoders(job))
    new, report = train_committee(data, seats, progress, confirmed)
    if old is not None:
        new, gates = without_harm(old, new, agreed.held(space, held))
        report.found = {**report.found, "gates": {name: gate.to_json() for name, gate in gates.items()}}
    return new, report


def other_encoders(job: Job) -> Callable[[str], Embed]:
    """Encoders of members that have not the project's, with the same cache of embeddings."""
    return lambda encoder: runtime_embedder(job.services.settings, encoder, "float32")


@dataclass(frozen=True)
class Agreed:
    """Tasks that the served committee decided by its votes and nobody else answered: texts and labels by task."""

    texts: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, known: Collection[str]) -> Agreed:
        """Those of the pool whose texts are not `known` from elsewhere; a fixed random part of very many."""
        engine, number, version = job.services.engine, job.number, job.current.served_version
        ids = sorted(rulings.of_source(engine, number, version, "committee"))
        chosen = ids if len(ids) <= MOST_AGREED else sorted(random.Random(0).sample(ids, MOST_AGREED))
        texts, rows = tasks.texts(engine, number, chosen), predictions.read(engine, number, version, chosen)
        said = {task: (key, label) for task, (key, label, _) in rows.items()}
        labels = about(said, {task: text_hash(text) for task, text in texts.items() if text not in known})
        here = [task for task in chosen if task in labels]
        return cls({task: texts[task] for task in here}, {task: labels[task] for task in here})

    def held(self, space: LabelSpace, people: Sequence[tuple[str, str]]) -> Held:
        """What judges new members: people's set-aside labels (text, label), and the part that is never replayed."""
        import numpy as np

        from model.committee.replay import held_out
        from model.committee.training import Held

        own = [(self.texts[task], self.labels[task]) for task in self.texts if held_out(task)][:MOST_HELD]
        rows = [*people, *own]
        gold = np.array([space.index(label) for _, label in rows], np.int64)
        return Held([text for text, _ in rows], gold, np.arange(len(rows)) < len(people))


def replay(data: TrainingData, old: Committee, agreed: Agreed, share: float) -> TrainingData:
    """The data and some agreed tasks, `share` of them per reviewed one; their candidate sets are the votes."""
    import numpy as np

    from model.committee.replay import balanced_draw, held_out, joined

    free = [task for task in agreed.texts if not held_out(task)]
    count = round(share * int((~data.human).sum()))
    drawn = balanced_draw(free, [agreed.labels[task] for task in free], count, np.random.default_rng(0))
    texts = [agreed.texts[task] for task in drawn]
    if not texts:
        return data
    return joined(data, old.space, texts, old.union(old.all_probabilities(texts)))


def served_committee(current: Current) -> Committee | None:
    """The committee that is served now; None if a teacher or a single student is, or if it cannot be loaded."""
    from model.committee.committee import Committee

    version = current.served_version
    if not is_committee(version):
        return None
    try:
        committee = Committee.load(current.services.registry.fetch(current.number, version), project_embedder(current))
    except ArtifactError as error:
        log.error("the served committee cannot be compared with", version=version, reason=str(error))
        return None
    return committee


def remarks(current: Current) -> Remarks | None:
    """How the served committee's members vote on a text, in words for an LLM; None unless VOTES_IN_PROMPT is set."""
    from model.committee.remarks import votes_in_words

    options = current.options
    if options.MODE != "committee" or not options.VOTES_IN_PROMPT:
        return None
    committee = served_committee(current)
    return None if committee is None else votes_in_words(committee)
