"""Whether anybody has said how frequent labels are: a teacher that prefers a label and a pool that is full of it give
the same answers."""

from __future__ import annotations

from backend.pool.annotations import human_labels
from backend.projects.current import Current

TOLD = 10  # human labels from which on these tell, if they were drawn at random


def unsaid(current: Current) -> list[str]:
    """A sentence that names the option, until it is set or people have labelled a few tasks; else nothing."""
    options, space = current.options, current.project.space
    if options.FREQUENCIES != "unknown" or options.STUDENT_METHOD != "shortlist" or options.MODE == "committee":
        return []
    if space is None or space.several or len(human_labels(current.engine, current.number)) >= TOLD:
        return []
    change = f"shortlist connect {current.project.label_studio_id} --option FREQUENCIES=even"
    return [
        f"If you know that all labels are about equally frequent, `{change}`: labels that the teacher prefers are then "
        f"corrected at once; else {TOLD} to 20 tasks labelled in random order tell"
    ]
