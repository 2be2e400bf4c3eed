"""The order in which Label Studio's stream gives tasks to people, and to how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from backend.errors import LabelStudioRefused
from backend.label_studio.client import LabelStudio
from backend.project_options import ProjectOptions

log = structlog.get_logger(__name__)

UNCERTAINTY = "Uncertainty sampling"  # by cluster, then by score; of Label Studio's API, not of its settings page
FOLLOWS = (
    "People's stream in Label Studio goes by Shortlist's scores from now on (uncertainty sampling, which its settings "
    "page cannot choose)"
)


def wanted(options: ProjectOptions) -> bool:
    """Whether people's queue is of use only in the order of our scores and clusters."""
    return options.SCORE == "acquisition" or options.TARGET_ERROR > 0


def by_score(label_studio: LabelStudio, project: int, stated: Mapping[str, Any]) -> bool:
    """Let the stream go by scores, if it does not; whether that was changed now. A key that may not is no reason to
    stop."""
    if stated.get("sampling") == UNCERTAINTY:
        return False
    try:
        label_studio.update_project(project, sampling=UNCERTAINTY)
    except LabelStudioRefused as error:
        log.warning("the stream cannot be put in order", project=project, reason=str(error))
        return False
    return True


def voices(project: Mapping[str, Any]) -> int:
    """How many people Label Studio asks about every task: 1 where it asks several only about some."""
    everywhere = project.get("overlap_cohort_percentage") in (None, 100)
    return max(1, int(project.get("maximum_annotations") or 1)) if everywhere else 1
