from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from backend.pool.annotation import Annotation, merge, tombstone
from tests.support.events import fold, stories
from tests.support.samples import labelled, moment


@given(st.data(), stories())
def test_order_and_repetition_do_not_matter(data: st.DataObject, events: list[Annotation]) -> None:
    doubled = events + data.draw(st.lists(st.sampled_from(events), max_size=4))
    assert fold(data.draw(st.permutations(doubled))) == fold(data.draw(st.permutations(events)))


@given(stories())
def test_the_newest_event_decides_and_a_deletion_is_final(events: list[Annotation]) -> None:
    state = fold(events)
    assert state.updated_at == max(event.updated_at for event in events)
    if any(event.state == "deleted" for event in events):
        assert state == tombstone(5, state.task, state.updated_at)
    else:
        newest = next(event for event in events if event.updated_at == state.updated_at)
        assert (state.labels, state.state, state.ground_truth) == (newest.labels, newest.state, newest.ground_truth)


@given(stories())
def test_what_was_shown_first_is_kept(events: list[Annotation]) -> None:
    told = sorted((row.updated_at, row.shown_version) for row in events if row.shown_version)
    state = fold(events)
    if told and state.state != "deleted":
        assert (state.shown_at, state.shown_version) == told[0]
    else:
        assert state.shown_version is None


def test_of_two_equal_times_the_last_read_counts() -> None:
    before = labelled(1, 1, "billing", "refund")
    after = labelled(1, 1, "billing")  # the label space has lost a label since, and the list was read again
    assert merge(before, after).labels == ("billing",)


def test_a_deletion_learns_its_task_later() -> None:
    events = [tombstone(1, 0, moment(3)), labelled(1, 8, "refund", at=1)]
    assert {fold(list(order)).task for order in itertools.permutations(events)} == {8}
