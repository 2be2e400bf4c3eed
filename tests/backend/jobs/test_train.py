"""Training on the pool's contents: what is learned from, set aside, kept, rejected, or postponed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.errors import SettingsError
from backend.jobs import adapt, annotate, predict, publish, train
from backend.jobs.publish import promote
from backend.pool import annotations, jobs, predictions, tasks, versions
from backend.pool.annotations import Annotation
from backend.pool.set_aside import is_held_out
from backend.pool.text import text_hash
from backend.projects.disconnect import forget_project
from backend.projects.job import Job
from backend.projects.updates import remember
from backend.queue.kinds import KINDS
from backend.serving import predicting
from backend.serving.predicting import predict_missing
from backend.training import evaluation, own_encoder
from backend.training import snapshot as snapshots
from backend.training.promotion import Reference, Said, Verdict
from backend.training.snapshot import read_snapshot
from model.encoder.runtimes import preferred
from model.labels import HumanLabel
from model.loading import load_version
from model.registry import Registry
from model.training import adaptation
from tests.support.label_studio_double import CONFIG
from tests.support.toys import tiny_transformer
from tests.support.world import CREATED, World, messages


@pytest.fixture
def asked(world: World) -> World:
    """Thirty tasks, here and at Label Studio, with the offline teacher's candidate sets."""
    rows = messages(2)
    ids = world.double.add_tasks([text for text, _ in rows])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, rows, strict=True)})
    annotate.work(world.job("annotate"))
    world.services.queue.cancel("publish", 7)
    return world


def decide(world: World, task: int, *labels: str) -> None:
    """A person decides, at Label Studio; the training learns of it by comparing."""
    world.double.annotate(task, list(labels), skipped=not labels)


def registry(world: World) -> Registry:
    settings = world.services.settings
    return Registry(settings.model_dir, settings.cache_dir / "fetched")


def test_a_version_is_kept_with_all_that_explains_it(asked: World) -> None:
    truth = [label for _, label in messages(2)]
    for task in (1, 2, 3):
        decide(asked, task, truth[task - 1])
    decide(asked, 4, "refund", "billing")
    decide(asked, 5)
    new = asked.double.add_tasks([f"{text} today" for text, _ in messages(1)])  # nobody has answered them
    version = f"student-1-{asked.project.space_hash}"
    said = train.work(asked.job("train"))
    assert said.startswith(f"{version} accepted without judging")
    assert "; 15 tasks without a shortlist took part with the student's own answers" in said
    (row,) = versions.list_versions(asked.engine, 7)
    assert (row.version, row.state, row.number, row.human_labels) == (version, "publishing", 1, 5)
    assert (row.metrics["training"]["rows"], row.metrics["training"]["unlabelled_rows"]) == (30, 15)
    assert (registry(asked).fetch(7, version) / "README.md").exists()
    given = predictions.read(asked.engine, 7, version)
    assert set(given) == {*range(4, 31), *new}
    assert all(0 <= score <= 1 and label in asked.project.space for _, label, score in given.values())  # type: ignore[operator]
    assert asked.services.queue.place("publish", 7) == "waiting"
    assert asked.project.trained_changes == asked.project.changes == 5


def test_the_published_refinery_can_be_chosen(asked: World) -> None:
    asked.set_options(STUDENT_METHOD="refinery", STUDENT_EPOCHS=3)
    train.work(asked.job("train"))
    (row,) = versions.list_versions(asked.engine, 7)
    assert (row.state, row.metrics["training"]["method"]) == ("publishing", "refinery")


def test_tasks_that_come_later_are_answered_when_publishing(asked: World) -> None:
    decide(asked, 1, "refund")
    train.work(asked.job("train"))
    publish.work(asked.job("publish"))
    served = asked.project.served
    assert served is not None
    (new,) = asked.double.add_tasks(["my parcel is lost"])
    tasks.add(asked.engine, 7, {new: "my parcel is lost", 5: "an edited text"})
    publish.work(asked.job("publish"))
    given = predictions.read(asked.engine, 7, served)
    assert set(given) == set(tasks.all_ids(asked.engine, 7)) - {1}
    assert given[5][0] == text_hash("an edited text")
    assert asked.double.versions_of(new) == [served]
    assert asked.double.versions_of(5) == [served]


def test_of_a_large_pool_each_training_reads_another_part_and_the_rest_is_answered_once_it_is_served(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PART", 8)
    decide(asked, 1, "refund")
    silent = set(asked.double.add_tasks([f"nobody has answered this {number}" for number in range(20)]))
    parts = []
    for number in (1, 2):
        said = train.work(asked.job("train"))
        assert " of 50 tasks, and the next training from others" in said
        version = f"student-{number}-{asked.project.space_hash}"
        given = set(predictions.read(asked.engine, 7, version))
        assert len(given & silent) == 8
        assert 7 <= len(given - silent) <= 8  # the decided task is not answered; it may be one of those drawn
        parts.append(given)
        (row, *_) = versions.list_versions(asked.engine, 7)
        assert (row.metrics["candidate_sets"], row.metrics["asked"]) == (30, 30)
    assert parts[0] != parts[1]
    asked.services.queue.ensure("train", 7)
    monkeypatch.setattr(predicting, "PORTION", 10)
    promote(asked.job("publish"), version)
    assert not predict_missing(asked.job("publish"), version)  # a training waits
    assert len(parts[1]) < len(predictions.read(asked.engine, 7, version)) < 49
    asked.services.queue.cancel("train", 7)
    assert predict_missing(asked.job("publish"), version)
    assert set(predictions.read(asked.engine, 7, version)) == set(tasks.all_ids(asked.engine, 7)) - {1}


def test_parts_of_a_publish_answer_each_from_a_place_of_its_own(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has answered the next does not find; without a publish under way none begins."""
    monkeypatch.setattr(snapshots, "PART", 8)
    decide(asked, 1, "refund")
    train.work(asked.job("train"))
    version = f"student-1-{asked.project.space_hash}"
    promote(asked.job("publish"), version)
    monkeypatch.setattr(predicting, "PORTION", 5)
    left = sorted(set(tasks.all_ids(asked.engine, 7)) - set(predictions.read(asked.engine, 7, version)) - {1})
    asked_of: list[int] = []
    answer = predicting.predict

    def counted(job: Job, version: str, student: Any, embed: Any, texts: dict[int, str], *more: Any) -> None:
        asked_of.extend(texts)
        answer(job, version, student, embed, texts, *more)

    monkeypatch.setattr(predicting, "predict", counted)
    jobs.finish(asked.engine, 7, "publish")
    predict.work(asked.job("predict"), 1)
    assert asked_of == []  # no publish is under way
    jobs.begin(asked.engine, 7, "publish")
    told: list[int] = []
    first = asked.job("publish")
    assert predict.work(asked.job("predict"), 1) == f"tasks were answered by {version}"
    middle = 1 + 30 // 2
    assert asked_of == [*(task for task in left if task >= middle), *(task for task in left if task < middle)]
    assert predict_missing(first, version, spread=lambda: told.append(1))
    assert (len(asked_of), told) == (len(left), [])
    tasks.add(asked.engine, 7, {task: f"another text {task}" for task in left[:4]})
    assert predict_missing(first, version, spread=lambda: told.append(1))
    assert (sorted(asked_of[len(left) :]), told) == (left[:4], [1])


def test_shortlists_that_came_while_it_ran_lead_to_one_more_training(asked: World) -> None:
    job = asked.job("train")
    snapshot = read_snapshot(job)
    for was_asked, teacher, expected in ((10, "running", False), (10, "idle", True), (30, "idle", False)):
        jobs.begin(asked.engine, 7, "annotate")
        if teacher == "idle":
            jobs.finish(asked.engine, 7, "annotate")
        jobs.begin(asked.engine, 7, "train")
        train._mark_trained(job, replace(snapshot, asked=was_asked), serving=True)
        assert jobs.get(asked.engine, 7)["train"].again is expected


def test_a_poisoned_version_does_not_stop_publishing(asked: World) -> None:
    train.work(asked.job("train"))
    publish.work(asked.job("publish"))
    served = asked.project.served
    assert served is not None
    asked.double.fields["model_version"] = served
    (registry(asked).fetch(7, served) / "student.json").write_text("{}")
    tasks.add(asked.engine, 7, {5: "an edited text"})
    assert publish.work(asked.job("publish")) == f"Label Studio shows {served}"
    assert f"The served version {served} cannot be loaded" in asked.told()


def test_numbers_grow_and_a_folder_of_a_killed_run_is_in_nobodys_way(asked: World) -> None:
    train.work(asked.job("train"))
    first, second, third = (f"student-{number}-{asked.project.space_hash}" for number in (1, 2, 3))
    left_over = registry(asked)
    snapshot = read_snapshot(asked.job("train"))
    student, _ = train._train(asked.job("train"), snapshot, set())
    left_over.write(7, second, student, {})
    train.work(asked.job("train"))
    assert [row.version for row in versions.list_versions(asked.engine, 7)] == [third, first]


def test_a_worse_version_is_kept_but_rejected_with_the_reason(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "judge", lambda *args: Verdict(False, "rejected as worse: 3 of 20, x has 18 of 20"))
    said = train.work(asked.job("train"))
    (row,) = versions.list_versions(asked.engine, 7)
    assert (row.state, row.reason) == ("rejected", "rejected as worse: 3 of 20, x has 18 of 20")
    assert row.reason in said
    assert registry(asked).versions(7) == [row.version]
    assert predictions.read(asked.engine, 7, row.version) == {}
    assert asked.services.queue.place("publish", 7) == "absent"


def test_judged_on_human_labels_that_it_never_saw(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = [label for _, label in messages(2)]
    for task in range(1, 31):
        decide(asked, task, truth[task - 1])
    held_out = {task for task in range(1, 31) if is_held_out(7, task)}
    seen: list[object] = []

    def judge(truth: dict[int, str], new: Said, served: Said, pool: Reference) -> Verdict:
        seen.extend([set(truth), served.name, set(new.pool), len(pool.people)])
        return Verdict(True, "fine")

    monkeypatch.setattr(evaluation, "judge", judge)
    train.work(asked.job("train"))
    assert seen == [held_out, "the teacher", set(range(1, 31)), 30]
    (row,) = versions.list_versions(asked.engine, 7)
    assert row.metrics["training"]["human_rows"] == 30 - len(held_out)
    assert row.metrics["held_out"] == len(held_out)


def test_a_name_is_never_used_twice(asked: World) -> None:
    """Neither by a run that was killed before it could add the row, nor after the project was forgotten."""
    space = asked.project.space_hash
    train.work(asked.job("train"))
    left = f"student-2-{space}"
    registry(asked).adopt(7, left, registry(asked).fetch(7, f"student-1-{space}"))
    train.work(asked.job("train"))
    assert [row.version for row in versions.list_versions(asked.engine, 7)] == [
        f"student-3-{space}", f"student-1-{space}"
    ]  # fmt: skip
    assert left in registry(asked).versions(7)
    for kind in KINDS:
        asked.services.queue.cancel(kind, 7)
    assert forget_project(asked.services, 7) == 3
    assert registry(asked).versions(7) == []
    remember(asked.services, 7, CREATED, CONFIG)
    tasks.add(asked.engine, 7, {task: text for task, (text, _) in enumerate(messages(2), start=1)})
    annotate.work(asked.job("annotate"))
    train.work(asked.job("train"))
    assert registry(asked).versions(7) == [f"student-4-{space}"]


def test_nothing_to_learn_from_is_no_error_and_not_tried_for_ever(world: World) -> None:
    (task,) = world.double.add_tasks(["one text"])
    decide(world, task)
    assert train.work(world.job("train")).startswith("not enough to learn from yet: ")
    assert versions.list_versions(world.engine, 7) == []
    assert world.project.trained_changes == world.project.changes


def test_a_changed_label_config_stops_the_training_and_starts_it_again(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "LOOK_SECONDS", -1.0)
    original = train._stop

    def changed(job, space):  # type: ignore[no-untyped-def]
        stop = original(job, space)
        remember(asked.services, 7, CREATED, CONFIG.replace("shipping", "delivery"))
        return stop

    monkeypatch.setattr(train, "_stop", changed)
    jobs.begin(asked.engine, 7, "train")
    assert train.work(asked.job("train")) == "stopped, because the label config changed; it starts again"
    assert versions.list_versions(asked.engine, 7) == []
    assert jobs.get(asked.engine, 7)["train"].again is True


def test_decisions_for_labels_that_are_gone_and_old_texts_are_left_out(asked: World) -> None:
    row = Annotation(1, 1, 1, ("removed",), "labelled", False, "2026-11-21T06:00:01.000000Z", None, None, None)
    other = Annotation(2, 2, 1, ("refund",), "labelled", False, "2026-11-21T06:00:01.000000Z", None, None, None)
    annotations.save(asked.engine, 7, [row, other])
    tasks.add(asked.engine, 7, {3: "an edited text"})
    snapshot = read_snapshot(asked.job("train"))
    assert snapshot.labels == {2: HumanLabel(("refund",))}
    assert 3 not in snapshot.sets
    assert snapshot.texts[3] == "an edited text"
    assert (snapshot.final(2), snapshot.final(1), snapshot.final(4)) == (True, False, False)


def test_enough_human_labels_adapt_the_encoder_and_later_trainings_keep_it(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_encoder, "least_labels", lambda pair: 10)
    monkeypatch.setattr(adaptation, "STEPS", 4)
    truth = [label for _, label in messages(2)]
    for task in range(1, 25):
        decide(asked, task, truth[task - 1])
    train.work(asked.job("train"))
    assert asked.services.queue.place("adapt", 7) == "waiting"
    publish.work(asked.job("publish"))
    asked.services.queue.enqueue("train", 7)
    assert adapt.work(asked.job("adapt")) == "the training that waits goes first"
    monkeypatch.setattr(own_encoder, "PATIENCE", 1.0)  # so that the labels are too many to give way once more
    said = adapt.work(asked.job("adapt"))
    asked.services.queue.cancel("train", 7)
    publish.work(asked.job("publish"))
    served = asked.project.served
    assert served == f"student-2-{asked.project.space_hash}"
    assert said.startswith(served)
    assert said.endswith("; its encoder is adapted to people's labels")
    row = versions.get(asked.engine, 7, served)
    assert row is not None
    assert row.metrics["training"]["way"] == "adapted"
    assert row.metrics["training"]["runtime"]["name"] == ("bfloat16" if preferred() == "bfloat16" else "float32")
    asked.services.queue.cancel("adapt", 7)
    train.work(asked.job("train"))
    newest = versions.list_versions(asked.engine, 7)[0]
    assert (newest.number, newest.metrics["training"]["way"]) == (3, "adapted")
    assert not newest.metrics["training"]["adapted_now"]
    kept, first = (registry(asked).fetch(7, version) / "model.safetensors" for version in (newest.version, served))
    assert kept.read_bytes() == first.read_bytes()
    assert asked.services.queue.place("adapt", 7) == "absent"  # the labels have not doubled


def test_full_fine_tuning_by_settings(asked: World, tmp_path: Path) -> None:
    words = sorted({word.lower() for text, _ in messages(2) for word in text.replace(",", " ").split()})
    extra = {
        "STUDENT_TRAINING": "finetune",
        "STUDENT_ENCODER": tiny_transformer(tmp_path, words),
        "STUDENT_EPOCHS": 2,
        "FINETUNE_LOSSES": "consistency+mixup",
    }
    with pytest.raises(SettingsError, match=r"must not choose the model .*PROJECT_MODELS="):
        remember(asked.services, 7, CREATED, CONFIG, extra_params=extra)
    allowed = asked.services.settings.model_copy(update={"PROJECT_MODELS": f"other, {extra['STUDENT_ENCODER']}"})
    asked.services = replace(asked.services, settings=allowed)
    remember(asked.services, 7, CREATED, CONFIG, extra_params=extra)
    annotate.work(asked.job("annotate"))  # another encoder makes another similarity teacher
    for task, (_, label) in enumerate(messages(2), 1):
        decide(asked, task, label)
    decide(asked, 30)
    train.work(asked.job("train"))
    row = versions.list_versions(asked.engine, 7)[0]
    told = row.metrics["training"]
    assert (told["way"], told["epochs"]) == ("finetune", 2)
    assert (told["settings"]["consistency"], told["settings"]["mixup"]) == (True, True)
    student = load_version(registry(asked).fetch(7, row.version))
    assert student.kind == "finetune"
    assert student.probabilities(["where is my parcel"]).shape == (1, 3)
    assert row.state in ("publishing", "rejected")  # two epochs teach it next to nothing
