"""What may happen to a pool once its promise is made: people who change their minds, tasks that come and go, other
options and labels. What was written can always be taken back, and nothing of a person ever is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.errors import ProjectError
from backend.jobs import annotate, finish, publish, sync, train
from backend.pool import acquisition, annotations, certified, promises
from backend.projects.finishing import ask_to_finish, check_wish
from backend.projects.updates import remember
from backend.reporting.certificate import changed_since, checks
from backend.reporting.export import export_labels
from backend.reporting.promise import promise_status
from tests.support.audits import fill
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, World


def wished(world: World, wish: str) -> str:
    ask_to_finish(world.current, wish)  # type: ignore[arg-type]
    return finish.work(world.job("finish"))


def saved(world: World, task: int, labels: list[str]) -> None:
    """Somebody presses Update on the annotation of a task."""
    (one,) = world.double.tasks[task]["annotations"]
    one["result"][0]["value"] = {"choices": labels}
    one["updated_at"] = world.double.time()
    world.double.tasks[task]["updated_at"] = world.double.time()


def accepted(world: World) -> list[int]:
    return sorted(certified.rows(world.engine, 7, "accepted"))


def sentence(world: World) -> str:
    found = promise_status(world.current)
    assert found is not None
    return str(found["sentence"])


def test_who_presses_update_makes_an_accepted_label_their_own(done: World) -> None:
    mine, *rest = accepted(done)
    assert not {mine, *rest} & annotations.human_labels(done.engine, 7).keys()
    label = certified.rows(done.engine, 7)[mine].label
    saved(done, mine, [label])
    sync.work(done.job("sync"))
    assert annotations.human_labels(done.engine, 7)[mine].labels == (label,), "who confirms it has decided"
    done.double.annotate(rest[0], ["refund"], user=5)  # one more beside that of the promise
    assert "1 stay, because people changed or confirmed them" in wished(done, "undo")
    assert [task for task in (mine, *rest) if done.double.tasks[task]["annotations"]] == [mine, rest[0]]
    assert [one["completed_by"] for one in done.double.tasks[rest[0]]["annotations"]] == [5]


def test_tasks_that_are_deleted_or_come_later_are_told_and_stop_nothing(done: World) -> None:
    rows = certified.rows(done.engine, 7)
    chosen = min(task for task, row in rows.items() if row.role == "chosen")
    audited = min(task for task, row in rows.items() if row.role == "audit")
    gone = [chosen, audited, *accepted(done)[:3]]
    for task in gone:
        del done.double.tasks[task]
    fill(done, ["please send me my money", "the parcel is still not here"])
    assert "3 gone from Label Studio" in wished(done, "annotations")
    told = sentence(done)
    assert "Of 402 tasks" in told
    assert "2 tasks came later and are no part of it" in told
    assert "5 tasks of it were deleted since: what may be wrong is still a share of all 405" in told
    assert changed_since(done.current) == 0
    made = promises.get(done.engine, 7)
    assert made is not None
    assert made.certificate is not None
    assert [name for name, said, again in checks(done.current, made.certificate) if said != again] == []
    assert wished(done, "undo").startswith(f"{len(accepted(done)) - 3} annotations")


def test_audited_decisions_that_people_change_are_told(done: World) -> None:
    rows = certified.rows(done.engine, 7, "audit")
    right = min(task for task, row in rows.items() if not row.wrong)
    assert "have since changed" not in sentence(done)
    saved(done, right, ["refund" if rows[right].label != "refund" else "billing"])
    sync.work(done.job("sync"))
    assert "People have since changed 1 decision of its audit" in sentence(done)


def test_what_was_written_is_taken_back_whatever_the_options_are_now(done: World, tmp_path: Path) -> None:
    done.set_options(TARGET_ERROR=0.0)
    publish.work(done.job("publish"))
    assert "have the student's label" in sentence(done)
    with pytest.raises(ProjectError, match="asks for no promise"):
        check_wish(done.current, "annotations")
    done.set_options(TARGET_ERROR=0.1, TARGET_ERROR_BY_QUESTION="stars=0.2")
    assert "have the student's label" in sentence(done)
    done.set_options(TARGET_ERROR=0.0, TARGET_ERROR_BY_QUESTION="")
    assert wished(done, "undo").startswith(f"{len(accepted(done))} annotations")
    publish.work(done.job("publish"))
    assert promise_status(done.current) is None
    export_labels(done.current, tmp_path / "labels.jsonl")
    out = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert {row["bound"] for row in out if row["behind"]} == {0.1}, "what was promised"


def test_other_labels_leave_what_is_finished_as_it_is_until_it_is_undone(done: World) -> None:
    renamed = CONFIG.replace('value="refund"', 'value="money back"')
    done.double.fields["label_config"] = renamed
    remember(done.services, 7, CREATED, renamed)
    with pytest.raises(ProjectError, match="another one than when the promise was made"):
        wished(done, "annotations")
    made = promises.get(done.engine, 7)
    assert made is not None
    assert made.certificate is not None
    assert [name for name, said, again in checks(done.current, made.certificate) if said != again] == []
    assert "have the student's label" in sentence(done)
    assert wished(done, "undo").startswith(f"{len(accepted(done))} annotations"), "those with the old name, too"


def test_other_words_about_the_labels_void_no_promise(done: World) -> None:
    wished(done, "undo")
    described = CONFIG.replace("wants money back", "wants the money back")
    done.double.fields["label_config"] = described
    remember(done.services, 7, CREATED, described)
    annotate.work(done.job("annotate"))
    train.work(done.job("train"))
    publish.work(done.job("publish"))
    made = promises.get(done.engine, 7)
    assert made is not None
    assert (made.attempt, made.state) == (1, "kept")
    assert wished(done, "annotations").startswith(f"{len(accepted(done))} tasks")


def test_the_queue_begins_with_what_people_must_still_see_also_when_the_rest_is_finished(done: World) -> None:
    rows = certified.rows(done.engine, 7)
    left = {task: row for task, row in rows.items() if row.role == "people"}
    moved = [row if task not in accepted(done)[:5] else certified.Row(**{**vars(row), "role": "people", "written": ""})
             for task, row in rows.items()]  # fmt: skip
    extra = accepted(done)[:5]
    certified.replace_all(done.engine, 7, moved)
    for task in extra:
        done.double.tasks[task]["annotations"] = []
    acquisition.line_up(done.engine, 7, "people", "student-0-aaaaaa", [])  # another student comes
    publish.work(done.job("publish"))
    head = acquisition.line(done.engine, 7, "people")
    assert head is not None
    open_ones = {task for task in left if not done.double.tasks[task]["annotations"]}
    assert set(head.tasks) == {*extra, *open_ones}
