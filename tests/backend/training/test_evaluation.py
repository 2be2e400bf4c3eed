"""Fresh students are judged and calibrated with what the pool holds, also where a file was sorted by label."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from backend.jobs import annotate, publish, train
from backend.label_studio.control import Control
from backend.label_studio.label_config import read_labeling_config
from backend.pool import predictions, projects, shortlists, tasks, versions
from backend.projects.updates import remember
from backend.reporting.status import project_status
from backend.serving import answers
from backend.serving.live.models import LiveStudents
from backend.serving.live.predict import answer
from backend.training import evaluation, promotion
from backend.training.encoder import project_embedder
from backend.training.snapshot import read_snapshot
from model.calibration import Calibration
from model.labels import LabelSpace
from model.loading import load_version
from model.registry import Registry, read_card
from model.student.head import HeadStudent
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, World, messages

ROWS = messages(8)  # 120 tasks, 40 of each label


@pytest.fixture
def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """120 tasks with candidate sets; every second decided task is set aside."""
    monkeypatch.setattr(train, "is_held_out", lambda project, task: task % 2 == 0)
    ids = world.double.add_tasks([text for text, _ in ROWS])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, ROWS, strict=True)})
    annotate.work(world.job("annotate"))
    world.services.queue.cancel("publish", 7)
    return world


def registry(world: World) -> Registry:
    settings = world.services.settings
    return Registry(settings.model_dir, settings.cache_dir / "fetched")


def decide(world: World, wrong: int = 0, only: str = "") -> None:
    """People decide all tasks (of one label); every `wrong`-th with another label."""
    names = ["billing", "refund", "shipping"]
    for task, (_, label) in enumerate(ROWS, 1):
        if only in ("", label):
            said = names[(names.index(label) + 1) % 3] if wrong and task // 2 % wrong == 0 else label
            world.double.annotate(task, [said])


def collapsed(world: World, serve: bool = True) -> str:
    """A student that answers `billing` to everything."""
    space = world.project.space
    assert isinstance(space, LabelSpace)
    weights = {
        "mean": np.zeros(384, np.float32),
        "scale": np.ones(1, np.float32),
        "out": np.zeros((384, 3), np.float32),
        "out_bias": np.array([9.0, 0.0, 0.0], np.float32),
    }
    version = f"student-1-{space.hash}"
    registry(world).write(7, version, HeadStudent(space, "default", [weights]), {})
    versions.add(world.engine, 7, version, 1, space.hash, {}, 0)
    if serve:
        projects.promote(world.engine, 7, version)
    return version


def test_a_sorted_file_neither_rejects_a_repaired_student_nor_calibrates_it(asked: World) -> None:
    served = collapsed(asked)
    decide(asked, only="billing")
    said = train.work(asked.job("train"))
    assert f"accepted: what is served has collapsed: {served} answers 100% of 120 tasks with 'billing'" in said
    row = versions.list_versions(asked.engine, 7)[0]
    assert row.metrics["held_out"] == 20
    assert row.metrics["likeness"]["fair"] is False
    assert row.metrics["training"]["found"]["human_labels_representative"] is False
    assert row.metrics["calibration"]["threshold"] is None
    assert "no sample of the pool" in row.metrics["calibration"]["note"]


def test_a_collapsed_first_student_is_not_served(asked: World) -> None:
    student = load_version(registry(asked).fetch(7, collapsed(asked, serve=False)))
    snapshot = read_snapshot(asked.job("train"))
    found, _, _ = evaluation.judged(asked.job("train"), snapshot, student, {}, project_embedder(asked.current))
    assert not found.accepted
    assert "rejected as collapsed: it answers 100% of 120 tasks with 'billing'" in found.reason


def test_unsure_students_serve_shortlists_and_live_answers_agree_with_published_ones(asked: World) -> None:
    remember(asked.services, 7, CREATED, CONFIG, extra_params={"SERVE_UNSURE": "shortlist", "COVERAGE": 0.85})
    decide(asked, wrong=4)
    for task in range(1, 41):  # these are open again
        asked.double.remove_annotation(task, asked.double.tasks[task]["annotations"][0]["id"])
    train.work(asked.job("train"))
    row = versions.list_versions(asked.engine, 7)[0]
    found = row.metrics["calibration"]
    assert (found["labels"], found["coverage"]) == (40, 0.85)
    assert 0 < found["threshold"] < 1
    folder = registry(asked).fetch(7, row.version)
    assert read_card(folder)["calibration"] == found
    assert load_version(folder).temperature == found["temperature"]
    asked.double.fields["model_version"] = row.version
    assert publish.work(asked.job("publish")).startswith(f"Label Studio shows {row.version}")
    kept = shortlists.read(asked.engine, 7, row.version, range(1, 41))
    assert kept
    sent = {one["task"]: one for one in asked.double.predictions if one["model_version"] == row.version}
    stored = predictions.read(asked.engine, 7, row.version)
    for task in range(1, 41):
        chosen = sent[task]["result"][0]["value"]["choices"]
        assert chosen == (list(kept[task].labels) if task in kept else [stored[task][1]])
        assert sent[task]["score"] == pytest.approx(stored[task][2])
    shown = project_status(asked.current)["student"]["calibration"]
    assert (shown["promised"], shown["error"]) == (True, found["error"])
    live = LiveStudents(registry(asked))
    try:
        given = [{"id": task, "data": {"text": ROWS[task - 1][0]}} for task in range(1, 41)]
        again = answer(asked.services, live, asked.project, given)
        assert [plain(json.loads(entry)) for entry in again] == [plain(sent[task]) for task in range(1, 41)]
        fresh = live._load(7, row.version).answers([text for text, _ in ROWS[:40]], time.monotonic() + 60)
        options = asked.current.options
        control: Control = read_labeling_config(CONFIG)
        made = [one.entry(control, row.version, options) for one in fresh]
        same = [entry["result"] == sent[task]["result"] for task, entry in enumerate(made, 1)]
        assert sum(same) >= 38  # the web process may compute in another precision than the job
    finally:
        live.close()


def plain(row: dict[str, object]) -> dict[str, object]:
    return {name: row[name] for name in ("model_version", "score", "result")}


def test_too_few_labels_serve_labels_and_say_why(asked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "ENOUGH", 5)
    remember(asked.services, 7, CREATED, CONFIG, extra_params={"SERVE_UNSURE": "shortlist"})
    for task in range(3, 121, 9):
        asked.double.annotate(task, [ROWS[task - 1][1]])
    said = train.work(asked.job("train"))
    assert (
        "serves labels where it is unsure, too: calibrated scores take 60 human labels kept for testing, there are 7"
        in said
    )
    assert "promising 90% takes 9" in said
    publish.work(asked.job("publish"))
    row = versions.list_versions(asked.engine, 7)[0]
    assert shortlists.read(asked.engine, 7, row.version, range(1, 121)) == {}
    status = project_status(asked.current)["student"]["calibration"]
    assert status["promised"] is False
    assert "promising 90% takes 9" in status["note"]


def test_an_answer_that_became_sure_loses_its_shortlist(asked: World) -> None:
    options = asked.current.options.model_copy(update={"SERVE_UNSURE": "shortlist"})
    space = asked.project.space
    assert isinstance(space, LabelSpace)
    promise = Calibration(1.0, 0.9, 50, 0.7)
    rows = np.array([[0.5, 0.4, 0.1], [0.9, 0.06, 0.04]], np.float32)
    unsure, sure = answers.answers(space, rows, promise)
    assert unsure.shortlist is not None
    assert unsure.shortlist.labels == ("billing", "refund")
    assert sure.shortlist is None
    answers.save(asked.services, 7, "student-1-x", options, [(1, "a", unsure)])
    assert answers.stored(asked.services, 7, "student-1-x", options, [1]) == {
        1: ("a", unsure._replace(lead=unsure.score))
    }
    answers.save(asked.services, 7, "student-1-x", options, [(1, "b", sure)])
    assert answers.stored(asked.services, 7, "student-1-x", options, [1])[1][1].shortlist is None
