"""One request of /predict: everything that answering it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from backend.label_studio.control import Control
from backend.label_studio.predictions import shortlist_entry
from backend.pool.projects import Project
from backend.project_options import ProjectOptions
from backend.projects.current import Serving
from backend.projects.triggers import Later
from backend.services import Services
from backend.serving import score_column
from backend.serving.live.models import LiveStudents
from model.labels import CandidateSet


class Asked(NamedTuple):
    """One task of a request, with its text."""

    task: int
    text: str
    text_hash: str


@dataclass(frozen=True)
class Question:
    """One request: everything that answering it needs, read once, so that all entries are of one version."""

    services: Services
    live: LiveStudents
    project: Project
    control: Control
    options: ProjectOptions
    version: str
    deadline: float  # time.monotonic seconds
    later: Later
    alone: bool  # one task, opened by a person: the teacher may be asked at once
    scope: Serving  # everything besides the task that shapes its entry

    def shortlist(self, found: CandidateSet) -> dict[str, Any]:
        """The entry of a candidate set."""
        limit, preselect = self.options.MAX_CANDIDATES, self.options.PRESELECT
        entry = shortlist_entry(self.control, self.version, found, limit, preselect)
        return {**entry, "score": score_column.of_candidates(found)} if score_column.wanted(self.options) else entry
