"""One request of /predict: everything that answering it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from backend.label_studio.predictions import shortlist_entry
from backend.projects.current import Current
from backend.projects.triggers import Later
from backend.serving import score_column
from backend.serving.live.models import LiveStudents
from model.labels import CandidateSet


class Asked(NamedTuple):
    """One task of a request, with its text, and what it shares with others of its query beside that."""

    task: int
    text: str
    text_hash: str
    query: str = ""


@dataclass(frozen=True)
class Question:
    """One request: everything that answering it needs, read once, so that all entries are of one version."""

    current: Current
    live: LiveStudents
    deadline: float  # time.monotonic seconds
    later: Later
    alone: bool  # one task, opened by a person: the teacher may be asked at once

    @property
    def version(self) -> str:
        """The version that answers."""
        return self.current.served_version

    def shortlist(self, found: CandidateSet) -> dict[str, Any]:
        """The entry of a candidate set."""
        control, options = self.current.control, self.current.options
        entry = shortlist_entry(control, self.version, found, options.MAX_CANDIDATES, options.PRESELECT)
        score = score_column.of_teacher(options, control.pair, control.space, found)
        return entry if score is None else {**entry, "score": score}
