"""A pool finished with a promise: the audit, the look, annotations that say who stands behind them, the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backend.errors import ProjectError
from backend.jobs import finish, publish, sync
from backend.label_studio.client import LabelStudio
from backend.pool import acquisition, annotations, certified, promises
from backend.pool.promises import Promise
from backend.pool.set_aside import blind_rank
from backend.projects.finishing import ask_to_finish
from backend.reporting.certificate import changed_since, checks, roles
from backend.reporting.export import export_labels
from backend.reporting.promise import promise_status
from backend.reporting.report import report_html
from backend.training.snapshot import read_snapshot
from tests.support.audits import GOLD, ROWS, decide, fill
from tests.support.world import World


def decide_audit(world: World) -> list[int]:
    """Decide what the audit asks for, and what scores have chosen."""
    asked = promises.unaudited(world.engine, 7)
    decide(world, promises.asked_for(world.engine, 7))
    return asked


def looked_at(world: World) -> Promise:
    """Decide what the audit asks for, also what it asks for in place of what scores have chosen, until a look was good
    enough."""
    for _ in range(8):
        decide_audit(world)
        publish.work(world.job("publish"))
        promise = promises.get(world.engine, 7)
        if promise is not None and promise.certificate is not None:
            return promise
    raise AssertionError(f"no look was good enough: {promise}")


def status_of(world: World) -> dict[str, object]:
    found = promise_status(world.current)
    assert found is not None
    return found


def test_the_audit_is_random_blind_and_nobody_learns_from_it(audited: World) -> None:
    promise = promises.get(audited.engine, 7)
    assert promise is not None
    assert promise.state == "auditing"
    asked = promises.unaudited(audited.engine, 7)
    outside, _ = promises.chosen_tasks(audited.engine, 7)
    assert set(range(1, 21)) <= outside, "what people had decided is no audit"
    assert asked == sorted(asked, key=lambda task: blind_rank(7, task))
    assert set(asked) == {task for task in GOLD if blind_rank(7, task) < promise.limit} - outside
    for row in audited.double.predictions:
        if row["model_version"] == audited.current.served_version:
            assert bool(row["result"]) != (blind_rank(7, row["task"]) < promise.limit)
    head = acquisition.line(audited.engine, 7, "people")
    assert head is not None
    assert set(asked) <= set(head.tasks)
    assert "takes at least" in str(status_of(audited)["sentence"])
    with pytest.raises(ProjectError, match="audit is not complete"):
        ask_to_finish(audited.current, "annotations")

    decide(audited, asked[:5])
    learned = read_snapshot(audited.job("train"))
    assert not set(asked) & learned.labels.keys()
    assert not set(asked) & annotations.decided(audited.engine, 7)
    assert set(asked[:5]) <= annotations.human_labels(audited.engine, 7).keys()


def test_a_pool_is_finished_taken_back_and_finished_again(audited: World, tmp_path: Path) -> None:
    promise = looked_at(audited)
    assert promise.certificate is not None
    asked = sorted(certified.rows(audited.engine, 7, "audit"))
    made = promise.certificate
    rows = certified.rows(audited.engine, 7)
    accepted = {task for task, row in rows.items() if row.role == "accepted"}
    assert (len(asked), len(accepted)) == (made["audited"], made["accepted"])
    assert len(accepted) > 100
    assert sum(rows[task].label != GOLD[task] for task in accepted) <= made["allowed"]
    assert [name for name, said, again in checks(audited.current, made) if said != again] == []

    assert made["rows"] in report_html(audited.current)
    mine = min(accepted)
    audited.double.annotate(mine, ["refund"], user=5)  # a person is faster than the promise
    ask_to_finish(audited.current, "annotations")
    stopped = LabelStudio.add_annotation
    calls: list[int] = []

    def dies(self: LabelStudio, task: int, result: object) -> int:
        number = stopped(self, task, result)  # type: ignore[arg-type]
        calls.append(task)
        if len(calls) == 30:
            raise KeyboardInterrupt("killed after Label Studio stored it and before the pool heard of it")
        return number

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LabelStudio, "add_annotation", dies)
        with pytest.raises(KeyboardInterrupt):
            finish.work(audited.job("finish"))
    said = finish.work(audited.job("finish"))
    assert said.startswith(f"{len(accepted) - 1} tasks have the student's label")
    written = {task: audited.double.tasks[task]["annotations"] for task in accepted}
    assert all(len(found) == 1 for found in written.values())
    assert written[mine][0]["completed_by"] == 5
    assert "no person has seen it" in json.dumps(written[max(accepted)])
    sync.work(audited.job("sync"))
    assert not (accepted - {mine}) & annotations.human_labels(audited.engine, 7).keys()

    export_labels(audited.current, tmp_path / "labels.jsonl")
    out = {row["task"]: row for row in map(json.loads, (tmp_path / "labels.jsonl").read_text().splitlines())}
    assert {out[task]["behind"] for task in accepted - {mine}} == {"promise"}
    assert (out[mine]["behind"], out[mine]["label"]) == ("person", "refund")
    assert {out[task]["behind"] for task in asked} == {"audit"}
    assert {row["bound"] for row in out.values() if row["behind"]} == {0.1}
    take_back_and_finish_again(audited, accepted, mine)


def take_back_and_finish_again(audited: World, accepted: set[int], mine: int) -> None:
    changed = max(task for task, row in certified.rows(audited.engine, 7, "accepted").items() if row.label != "refund")
    audited.double.tasks[changed]["annotations"][0]["result"][0]["value"] = {"choices": ["refund"]}
    audited.double.tasks[changed]["annotations"][0]["updated_at"] = audited.double.time()
    audited.double.tasks[changed]["updated_at"] = audited.double.time()
    ask_to_finish(audited.current, "undo")
    said = finish.work(audited.job("finish"))
    assert "1 stay, because people changed or confirmed them" in said
    left = {task for task in accepted if audited.double.tasks[task]["annotations"]}
    assert left == {mine, changed}
    assert str(status_of(audited)["state"]) == "kept"
    ask_to_finish(audited.current, "annotations")
    finish.work(audited.job("finish"))
    assert all(len(audited.double.tasks[task]["annotations"]) == 1 for task in accepted)


def test_a_certificate_follows_from_the_pool_and_a_changed_one_does_not(audited: World) -> None:
    promise = looked_at(audited)
    assert promise.certificate is not None
    asked = sorted(certified.rows(audited.engine, 7, "audit"))
    assert [name for name, said, again in checks(audited.current, promise.certificate) if said != again] == []
    assert changed_since(audited.current) == 0
    assert roles(audited.current)["audit"] == len(asked)
    rows = certified.rows(audited.engine, 7)
    some = next(row for row in rows.values() if row.role == "audit" and not row.wrong)
    spoilt = [certified.Row(**{**vars(row), "wrong": True}) if row is some else row for row in rows.values()]
    certified.replace_all(audited.engine, 7, spoilt)
    wrong = {name for name, said, again in checks(audited.current, promise.certificate) if said != again}
    assert {"errors", "rows"} <= wrong
    left = min(task for task, row in rows.items() if row.role == "accepted")
    forgotten = [*(rows | {left: replace(rows[left], role="chosen")}).values()]
    certified.replace_all(audited.engine, 7, forgotten)
    found = {name for name, said, again in checks(audited.current, promise.certificate) if said != again}
    assert "chosen tasks" in found, "what scores are said to have chosen, but nobody had asked for"
    early = promise.certificate | {"picks": [405] * promise.certificate["looks"]}
    certified.replace_all(audited.engine, 7, rows.values())
    assert "chosen before the look" in {name for name, said, again in checks(audited.current, early) if said != again}


def test_scores_choose_nothing_more_while_what_they_have_chosen_is_open(audited: World) -> None:
    before, _ = promises.chosen_tasks(audited.engine, 7)
    asked = promises.unaudited(audited.engine, 7)
    head = acquisition.line(audited.engine, 7, "people")
    assert head is not None
    acquisition.line_up(audited.engine, 7, "people", "student-0-aaaaaa", head.tasks)  # another student made it
    publish.work(audited.job("publish"))
    again = acquisition.line(audited.engine, 7, "people")
    assert again is not None
    assert set(again.tasks) <= set(promises.asked_for(audited.engine, 7))
    assert set(asked) < set(promises.asked_for(audited.engine, 7)), "what scores have chosen is asked for, too"
    assert promises.chosen_tasks(audited.engine, 7)[0] == before


def test_an_audit_that_is_over_is_looked_at_before_scores_choose_from_it(audited: World) -> None:
    for _ in range(8):
        head = acquisition.line(audited.engine, 7, "people")
        assert head is not None
        acquisition.line_up(audited.engine, 7, "people", "student-0-aaaaaa", head.tasks)  # people outran a new student
        decide_audit(audited)
        before, _ = promises.chosen_tasks(audited.engine, 7)
        publish.work(audited.job("publish"))
        promise = promises.get(audited.engine, 7)
        assert promise is not None
        if promise.looks:
            break
    assert promise.looks == 1
    assert promises.chosen_tasks(audited.engine, 7)[0] == before


def test_another_promise_is_about_all_tasks_and_audits_others(audited: World) -> None:
    with pytest.raises(ProjectError, match="looks are paid for"):
        ask_to_finish(audited.current, "anew")
    former = looked_at(audited)
    promises.change(audited.engine, former, state="promised")
    asked = set(certified.rows(audited.engine, 7, "audit"))
    fill(audited, [f"{text}, I wrote that before" for text, _ in ROWS])
    ask_to_finish(audited.current, "anew")
    assert finish.work(audited.job("finish")).startswith("attempt 2 at a promise has begun")
    promise = promises.get(audited.engine, 7)
    assert promise is not None
    assert (promise.attempt, promise.state, promise.certificate, promise.looks) == (2, "auditing", None, 0)
    assert promise.first == former.limit
    waiting = promises.unaudited(audited.engine, 7)
    assert len(waiting) >= promise.sizes[0]
    assert not asked & set(waiting)
    assert max(waiting) > len(GOLD), "what came later is part of it"
    assert not certified.rows(audited.engine, 7)


def test_without_a_target_the_audit_ends_and_its_labels_teach(audited: World) -> None:
    asked = decide_audit(audited)
    assert audited.project.blind_to > 0
    audited.set_options(TARGET_ERROR=0.0)
    publish.work(audited.job("publish"))
    assert audited.project.blind_to == 0
    assert promise_status(audited.current) is None
    assert set(asked) <= read_snapshot(audited.job("train")).labels.keys()


def test_another_target_is_another_promise_with_an_audit_of_its_own(audited: World) -> None:
    asked = decide_audit(audited)
    audited.set_options(TARGET_ERROR=0.15)
    publish.work(audited.job("publish"))
    promise = promises.get(audited.engine, 7)
    assert promise is not None
    assert (promise.attempt, promise.target, promise.state) == (2, 0.15, "auditing")
    assert promise.first > 0
    assert not set(asked) & set(promises.unaudited(audited.engine, 7))
    assert set(asked) <= read_snapshot(audited.job("train")).labels.keys()
