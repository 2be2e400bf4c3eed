"""Stories of annotations as events, in any order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from backend.pool.annotation import Annotation, merge, tombstone
from tests.support.samples import STUDENT, TEACHER, moment


def fold(events: list[Annotation]) -> Annotation:
    state: Annotation | None = None
    for event in events:
        state = merge(state, event)
    assert state is not None
    return state


@st.composite
def stories(draw: st.DrawFn, annotation: int = 5, task: int = 3) -> list[Annotation]:
    """What Label Studio may say about one annotation: its content is a function of the time of its update."""
    times = draw(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True))
    events = []
    for at in times:
        state = draw(st.sampled_from(["labelled", "labelled", "skipped", "empty"]))
        labels = (
            draw(st.sampled_from([("billing",), ("refund",), ("billing", "refund")])) if state == "labelled" else ()
        )
        event = Annotation(annotation, task, 1, labels, state, draw(st.booleans()), moment(at))
        if draw(st.booleans()):
            version = draw(st.sampled_from([TEACHER, STUDENT]))
            shown = replace(event, shown_version=version, shown_labels=("billing",), shown_score=at / 10)
            events.append(shown)
        if draw(st.booleans()) or event.updated_at not in {known.updated_at for known in events}:
            events.append(event)  # as a list has it: without the prediction
    if draw(st.integers(0, 3)) == 0:
        events.append(tombstone(annotation, draw(st.sampled_from([0, task])), moment(draw(st.integers(0, 20)))))
    return events
