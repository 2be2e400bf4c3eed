"""A search project, from tasks of a query and a document to a served student: queries stay whole, features are kept."""

from __future__ import annotations

import json
import time

import pytest

from backend.jobs import annotate, sync, train
from backend.pool import doubts, predictions, projects, queries, tasks, versions
from backend.pool.set_aside import is_held_out
from backend.projects.updates import remember
from backend.reporting.export import export_labels
from backend.reporting.report import report_html
from backend.reporting.status import project_status
from backend.services import Services
from backend.serving import answers as student_answers
from backend.serving.live.models import LiveStudents
from backend.serving.publishing.by_query import by_query
from backend.teacher.acquisition import choose
from backend.training.encoder import project_embedder
from backend.training.evaluation import kept_for_judging
from backend.training.snapshot import read_snapshot
from benchmarks.shared.waiting import wait_for
from model.loading import load_version
from model.text_groups import pair_key, text_groups
from tests.support.world import CREATED, MESSAGES, World

CONFIG = """<View><Text name="text" value="$query"/><Text name="doc" value="$document"/>
  <Choices name="label" toName="text"><Choice value="irrelevant"/><Choice value="relevant"/></Choices></View>"""
QUERIES = [(kind, f"{kind} {turn}") for turn in range(8) for kind in MESSAGES]


def filled(world: World) -> dict[int, str]:
    """24 queries with six documents each, half of them about what is asked; people have decided all but ten tasks."""
    world.double.fields["label_config"] = CONFIG
    remember(world.services, 7, CREATED, CONFIG)
    truth = {}
    for turn, (kind, query) in enumerate(QUERIES):
        for row, other in enumerate([*[kind] * 3, *[name for name in MESSAGES if name != kind], "x"]):
            words = MESSAGES[other][(turn + row) % 5] if other in MESSAGES else "thank you for nothing"
            (task,) = world.double.add_tasks([""])
            world.double.tasks[task]["data"] = {"query": query, "document": f"{words}, {turn}"}
            truth[task] = "relevant" if other == kind else "irrelevant"
    for task in list(truth)[:-10]:
        world.double.annotate(task, [truth[task]])
    (twin,) = world.double.add_tasks([""])  # the same pair as the first task, decided otherwise
    world.double.tasks[twin]["data"] = dict(world.double.tasks[min(truth)]["data"])
    world.double.annotate(twin, ["irrelevant"])
    return truth


def test_a_query_is_never_parted_and_every_way_to_serve_sees_the_same_features(world: World) -> None:
    filled(world)
    pair = world.current.pair
    assert pair is not None
    assert pair.query == 0
    assert 'Each text is a pair, "query" and "document".' in world.current.teacher_options.instructions
    train.synchronise(world.job("sync"), complete=True)
    annotate.work(world.job("annotate"))
    job = world.job("train")
    snapshot = read_snapshot(job)
    kept = kept_for_judging(job, snapshot, is_held_out)
    queries = {task: pair_key(pair, text) for task, text in snapshot.texts.items() if task in snapshot.labels}
    assert kept
    assert {queries[task] for task in kept}.isdisjoint({queries[task] for task in queries if task not in kept})
    train.work(job)
    (row,) = versions.list_versions(world.engine, 7)
    assert row.metrics["held_out"] == len(kept)
    assert row.metrics["training"]["pair"]["judged_by"] == "people and the teacher"
    found = project_status(world.current)["student"]["ranking"] or row.metrics["ranking"]
    assert found["grades"] == ["irrelevant", "relevant"]
    assert found["student"]["ndcg_at_10"]["queries"] == len({queries[task] for task in kept})
    assert found["weight"] == row.metrics["training"]["pair"]["ranking"]["weight"]
    student = load_version(world.services.registry.fetch(7, row.version))
    assert student.view is not None
    assert student.view.pair == pair
    assert student.view.weight == found["weight"]
    undecided = [task for task in snapshot.texts if task not in snapshot.labels]
    line = by_query(world.current, [undecided[-1], undecided[0], *undecided[1:4]], undecided)
    assert line[0] == undecided[-1]
    assert [pair_key(pair, snapshot.texts[task]) for task in line].count(pair_key(pair, snapshot.texts[line[0]])) == 5
    eligible = list(snapshot.texts)
    for rule in ("ci-up", "ci-total-variation", "margin-clusters"):
        world.services = Services(
            world.services.settings.model_copy(update={"ACQUISITION": rule}), world.engine, world.services.queue
        )
        projects.promote(world.engine, 7, row.version)
        chosen = choose(world.current, row.version, project_embedder(world.current), 10, eligible)
        assert len(set(chosen)) == 10
    expect_the_ranking_to_be_told(world, row.version)
    contradicted = [one.task for one in doubts.of_project(world.engine, 7) if one.kind == "twins"]
    assert set(contradicted) <= {1, max(snapshot.texts)}  # the other documents of a query are no twins
    assert contradicted
    stored = predictions.read(world.engine, 7, row.version)
    assert stored
    live = LiveStudents(world.services.registry)
    texts = tasks.texts(world.engine, 7, list(stored))
    loaded = wait_for("the student", lambda: live.get(7, row.version), 300)
    said = loaded.answers([texts[task] for task in stored], time.monotonic() + 600)
    assert [one.label for one in said] == [stored[task][1] for task in stored]
    live.close()
    report = report_html(world.current)
    assert "How documents are ranked" in report
    assert "the worst first: irrelevant, relevant" in report


def expect_the_ranking_to_be_told(world: World, version: str) -> None:
    """By the export of all tasks, and by the score column where that is asked for, live and published."""
    path = world.folder / "labels.jsonl"
    export_labels(world.current, path)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    for query in {one["query"] for one in found}:
        documents = sorted((one for one in found if one["query"] == query), key=lambda one: one["rank"])
        assert [one["rank"] for one in documents] == list(range(1, len(documents) + 1))
        scores = [one["relevance"] for one in documents]
        assert scores == sorted(scores, reverse=True)
        assert 0 <= min(scores) <= max(scores) <= 1
    ranked = {one["task"]: one["relevance"] for one in found}
    stored = predictions.read(world.engine, 7, version)
    options = world.current.options.model_copy(update={"SCORE": "relevance"})
    answers = student_answers.stored(world.services, 7, version, options, list(stored))
    entries = {task: one.entry(world.current.control, version, options) for task, (_, one) in answers.items()}
    assert {task: entry["score"] for task, entry in entries.items()} == {task: ranked[task] for task in stored}
    live = LiveStudents(world.services.registry)
    loaded = wait_for("the student", lambda: live.get(7, version), 300)
    texts = tasks.texts(world.engine, 7, list(stored))
    said = loaded.answers([texts[task] for task in stored], time.monotonic() + 600)
    assert [one.relevance for one in said] == pytest.approx([ranked[task] for task in stored], abs=1e-3)
    live.close()


def test_a_query_that_no_text_shows_groups_tasks_that_came_before_it_and_later(world: World) -> None:
    config = CONFIG.replace("$query", "$question")
    world.double.fields["label_config"] = config
    remember(world.services, 7, CREATED, config)
    ids = world.double.add_tasks([""] * 8)
    for place, task in enumerate(ids):
        data = {"question": f"where is parcel {place}", "document": f"text {place}", "topic": place // 4}
        world.double.tasks[task]["data"] = data
    train.synchronise(world.job("sync"), complete=True)
    assert not world.current.pair.searches
    remember(world.services, 7, CREATED, config, extra_params={"GROUP": "topic"})
    sync.synchronise(world.job("sync"), complete=False)  # the tasks are as before, and yet are read
    pair = read_snapshot(world.job("train")).pair
    texts = tasks.texts(world.engine, 7, ids)
    assert text_groups([texts[task] for task in ids], None, pair).tolist() == [0] * 4 + [4] * 4
    assert by_query(world.current, [ids[5], ids[0], ids[1]], ids) == [ids[5], ids[4], ids[6]]
    assert "queries" not in pair.to_json()
    (new,) = world.double.add_tasks([""])
    world.double.tasks[new]["data"] = {"question": "one more", "document": "text", "topic": 1}
    assert "no task" not in sync.work(world.job("sync"))
    assert queries.read(world.engine, 7, [ids[0], new]) == {ids[0]: "0", new: "1"}
    remember(world.services, 7, CREATED, config, extra_params={"GROUP": "subject"})
    told = sync.work(world.job("sync"))
    assert 'no task has the field "subject", so that GROUP=subject groups nothing' in told
    assert queries.read(world.engine, 7, ids) == {}
