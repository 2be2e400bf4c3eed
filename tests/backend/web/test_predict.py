"""/predict: one entry per task, from the pool or the student in memory, always of the served version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from backend.label_studio.label_config import read_labeling_config
from backend.label_studio.predictions import is_valid
from backend.pool import jobs, predictions, publishing, shortlists, tasks
from backend.pool.database.student_tables import predictions as predictions_table
from backend.pool.text import text_hash
from backend.serving.live import predict
from backend.serving.live.answer_cache import AnswerCache
from backend.web import bodies
from model.calibration import Calibration
from tests.support.configs import CONFIG_A, CONFIG_B
from tests.support.predicting import TEXTS, promote_student, until
from tests.support.web_server import CREATED, Server, task_body


def ticked(entry: dict[str, object]) -> list[str]:
    result = entry["result"]
    assert isinstance(result, list)
    return next((region["value"]["choices"] for region in result if region["from_name"] == "label"), [])


@pytest.mark.parametrize("number", [1, 100, 2000])
def test_one_entry_per_task_in_order(server: Server, number: int) -> None:
    version = server.version()
    texts = {task: f"text {task}" for task in range(number, 0, -1)}
    server.answered({task: text for task, text in texts.items() if task % 2}, ["refund", "billing"])
    server.live.teacher = lambda *_: None  # type: ignore[method-assign,assignment]
    entries = server.predict(texts)
    assert len(entries) == number
    for task, entry in zip(texts, entries, strict=True):
        if task % 2:
            assert ticked(entry) == ["refund", "billing"]
            assert (entry["model_version"], entry["score"]) == (version, 0.6)
        else:
            assert entry == []


def test_what_label_studio_was_given_is_not_sent_as_well(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "STORING_MS", 3_600_000)
    version = server.version()
    server.answered({1: TEXTS[1], 2: TEXTS[2]}, ["refund", "billing"])
    assert publishing.unsent_candidates(server.services.engine, 7, version) == [1, 2]
    assert ticked(server.predict({1: TEXTS[1]})[0]) == ["refund", "billing"]
    until(lambda: publishing.unsent_candidates(server.services.engine, 7, version) == [2])
    now = server.services.clock()
    assert publishing.unconfirmed(server.services.engine, 7, now) == {}  # it may still be storing it
    assert publishing.unconfirmed(server.services.engine, 7, now + 7_200_000) == {version: {1}}


def test_new_tasks_are_remembered_and_the_teacher_is_asked(server: Server) -> None:
    server.version()
    server.services.queue.cancel("annotate", 7)
    assert server.predict(TEXTS) == [[], [], []]
    server.parts.background.drain()
    assert tasks.texts(server.services.engine, 7, [1, 2, 3]) == TEXTS
    assert jobs.get(server.services.engine, 7)["annotate"].state == "queued"


def test_an_edited_text_is_not_answered_with_the_old_candidates(server: Server) -> None:
    server.version()
    server.answered(TEXTS, ["refund"])
    entries = server.predict({**TEXTS, 2: "an edited text"})
    assert [bool(entry) for entry in entries] == [True, False, True]
    server.parts.background.drain()
    assert tasks.texts(server.services.engine, 7, [2]) == {2: "an edited text"}


def test_predict_before_setup(server: Server) -> None:
    assert server.predict(TEXTS) == [[], [], []]
    assert server.version().startswith("teacher-")


def test_config_b_lists_and_ticks(server: Server) -> None:
    server.version(xml=CONFIG_B)
    server.answered({1: "a"}, ["refund", "billing"])
    (entry,) = server.predict({1: "a"}, xml=CONFIG_B)
    assert entry["result"][0]["value"] == {"text": ["refund 60 %", "billing 30 %"]}
    assert ticked(entry) == ["refund"]
    server.version(xml=CONFIG_B, extra={"PRESELECT": False, "MAX_CANDIDATES": 1})
    server.answered({1: "a"}, ["refund", "billing"])
    (entry,) = server.predict({1: "a"}, xml=CONFIG_B)
    assert [region["value"] for region in entry["result"]] == [{"text": ["refund 60 %"]}]


def test_interactive_requests_get_an_object(server: Server) -> None:
    version = server.version()
    body = {"result": []}
    assert (
        server.predict({1: "a", 2: "b"}, context=body) == [{"model_version": version, "score": 0.0, "result": []}] * 2
    )
    server.answered({1: "a"}, ["refund"])
    assert ticked(server.predict({1: "a"}, context=body)[0]) == ["refund"]


def test_odd_tasks_get_an_empty_entry(server: Server) -> None:
    server.version()
    odd: list[object] = [None, 7, "x", [], {}, {"id": 1}, {"id": "x", "data": {"text": "a"}}, task_body(2, None),
                         task_body(3, ""), task_body(2**70, "a"), {"id": 4, "data": []}]  # fmt: skip
    body = {"project": f"7.{CREATED}", "label_config": CONFIG_A, "tasks": odd}
    answer = server.post("/predict", body)
    assert (answer.status_code, answer.json()) == (200, {"results": [[]] * len(odd)})


def test_a_broken_pool_never_blocks_an_annotator(server: Server) -> None:
    server.version()
    with server.services.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE candidate_sets"))
    assert server.predict(TEXTS) == [[], [], []]
    assert server.predict({1: "a"}, context={"result": []})[0] in ({}, {"result": []})
    with server.services.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE projects"))
    assert server.predict(TEXTS) == [[], [], []]
    answer = server.setup()
    assert answer.status_code == 503
    assert "error" in answer.reason
    assert "Traceback" not in answer.text
    assert "SELECT" not in answer.text


def test_wrong_rows_of_the_pool_are_stopped(server: Server) -> None:
    version = server.version()
    server.answered(TEXTS, ["refund"])
    with server.services.engine.begin() as connection:
        connection.execute(sa.text("UPDATE candidate_sets SET labels = '[\"gone\"]' WHERE task = 1"))
    entries = server.predict(TEXTS)
    assert [bool(entry) for entry in entries] == [False, True, True]
    control = read_labeling_config(CONFIG_A)
    assert all(is_valid(control, entry, version) == "" for entry in entries if entry)
    with server.services.engine.begin() as connection:
        connection.execute(sa.text("UPDATE candidate_sets SET confidences = '[7.5]' WHERE task = 2"))
    assert len(server.predict(TEXTS)) == 3


def test_wrong_rows_of_a_student_are_stopped(server: Server) -> None:
    server.version()
    version = server.promote()
    rows = [(1, "refund", 0.5), (2, "gone", 0.5), (3, "billing", 7.5), (4, "other", -1.0)]
    tasks.add(server.services.engine, 7, {task: "a" for task, _, _ in rows})
    with server.services.engine.begin() as connection:
        for task, label, score in rows:
            row = {"project": 7, "task": task, "version": version, "text_hash": text_hash("a")}
            connection.execute(predictions_table.insert().values(**row, label=label, score=score))
    entries = server.predict({task: "a" for task, _, _ in rows})
    assert [bool(entry) for entry in entries] == [True, False, False, False]
    page = server.get("/metrics").text
    assert 'shortlist_entries_total{kind="stopped"} 3.0' in page


def test_cached_predictions_of_the_served_version(server: Server) -> None:
    server.version()
    version = server.promote()
    assert server.version() == version
    tasks.add(server.services.engine, 7, TEXTS)
    rows = [(task, text_hash(text), "other", 0.9) for task, text in TEXTS.items()]
    predictions.save(server.services.engine, 7, version, rows)
    entries = server.predict(TEXTS)
    assert [(ticked(entry), entry["score"], entry["model_version"]) for entry in entries] == [
        (["other"], 0.9, version)
    ] * 3


@pytest.mark.parametrize("xml", [CONFIG_A, CONFIG_B])
def test_both_phases_with_a_real_student(server: Server, xml: str) -> None:
    teacher = server.version(xml=xml)
    server.answered(TEXTS, ["refund", "billing"])
    first = server.predict(TEXTS, xml=xml)
    assert {entry["model_version"] for entry in first} == {teacher}
    version = promote_student(server, 7)
    assert server.version(xml=xml) == version
    assert server.predict(TEXTS, xml=xml) == [[], [], []]
    until(lambda: version in server.live.loaded())
    entries = server.predict({4: "billing charges, invoices please", **TEXTS}, xml=xml)
    assert {entry["model_version"] for entry in entries} == {version}
    assert all(len(ticked(entry)) == 1 for entry in entries)
    server.parts.background.drain()
    cached = predictions.read(server.services.engine, 7, version, [1, 2, 3, 4])
    assert set(cached) == {1, 2, 3, 4}
    assert server.predict(TEXTS, xml=xml) == entries[1:]


def test_an_unsure_student_answers_with_its_shortlist_and_a_sure_one_with_its_label(server: Server) -> None:
    unsure = {"SERVE_UNSURE": "shortlist", "MAX_CANDIDATES": 2}
    server.version(extra=unsure)
    version = promote_student(server, 7, calibration=Calibration(1.0, 0.9, 40, 1.0))
    assert server.predict(TEXTS) == [[], [], []]
    until(lambda: version in server.live.loaded())
    entries = server.predict(TEXTS)
    assert [len(ticked(entry)) for entry in entries] == [2, 2, 2]  # all labels are in the set; two are shown
    server.parts.background.drain()
    kept = shortlists.read(server.services.engine, 7, version, TEXTS)
    assert [list(kept[task].labels[:2]) for task in TEXTS] == [ticked(entry) for entry in entries]
    cached = predictions.read(server.services.engine, 7, version, TEXTS)
    assert [entry["score"] for entry in entries] == [cached[task][2] for task in TEXTS]
    server.live.sent = AnswerCache()
    assert server.predict(TEXTS) == entries
    assert server.version(extra={"SERVE_UNSURE": "label"}) == version
    assert [ticked(entry) for entry in server.predict(TEXTS)] == [[cached[task][1]] for task in TEXTS]


def test_a_missing_student_folder_answers_empty_and_goes_on(server: Server) -> None:
    server.version()
    server.promote(9)
    assert server.predict(TEXTS) == [[], [], []]
    assert server.predict(TEXTS) == [[], [], []]


def test_a_changed_config_leaves_the_student_at_once(server: Server) -> None:
    server.version()
    server.promote()
    xml = CONFIG_A.replace("other", "else")
    assert server.version(xml=xml).startswith("teacher-")
    assert server.predict(TEXTS, xml=xml) == [[], [], []]


def test_a_single_open_task_is_answered_by_the_offline_teacher(server: Server) -> None:
    version = server.version()
    text = {9: "you charged me twice for one invoice"}
    until(lambda: bool(server.predict(text)[0]))
    (entry,) = server.predict(text)
    assert entry["model_version"] == version
    assert ticked(entry)
    server.parts.background.drain()
    assert tasks.texts(server.services.engine, 7, [9]) == text


def test_projects_are_apart(server: Server) -> None:
    other = CONFIG_A.replace("refund", "return")
    server.version(7)
    server.version(8, other)
    server.answered({1: "a"}, ["refund"], 7)
    server.answered({1: "a"}, ["return"], 8)
    assert ticked(server.predict({1: "a"}, 7)[0]) == ["refund"]
    assert ticked(server.predict({1: "a"}, 8, other)[0]) == ["return"]


def test_a_config_that_changes_while_serving_never_mixes(server: Server) -> None:
    configs = [CONFIG_A, CONFIG_A.replace("other", "else")]
    controls = [read_labeling_config(xml) for xml in configs]
    versions = [server.version(xml=xml) for xml in configs]

    def ask(turn: int) -> None:
        for entry in server.predict(TEXTS, xml=configs[turn % 2]):
            problems = [is_valid(control, entry, version) for control, version in zip(controls, versions, strict=True)]
            assert entry == [] or "" in problems

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(40)))


@pytest.mark.parametrize(
    ("body", "phrase"),
    [("{}", "tasks must be a list"), ('{"tasks": 3}', "tasks must be a list"), ("x", "the body is not JSON")],
)
def test_what_is_not_understood_is_a_400(server: Server, body: str, phrase: str) -> None:
    answer = server.post("/predict", body)
    assert (answer.status_code, answer.reason) == (400, phrase)


def test_too_large_a_body_is_refused_clearly(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1000)
    for path in ("/predict", "/p/7/predict", "/webhook", "/versions"):
        answer = server.post(path, "x" * 2000)
        assert (answer.status_code, "select fewer tasks" in answer.reason) == (413, True)
