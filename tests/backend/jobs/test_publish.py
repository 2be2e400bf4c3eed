"""Label Studio is brought in line: without doubles after a crash, in the right order, whatever vanishes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnavailable
from backend.jobs import publish
from backend.jobs.reconcile import missing
from backend.pool import annotations, candidates, predictions, projects, publishing, tasks, versions
from backend.pool.annotations import Annotation
from backend.pool.text import text_hash
from backend.projects.on_screen import follows
from backend.reporting.report import report_html
from backend.reporting.status import project_status
from backend.reporting.wording import phase_words
from backend.serving.publishing import push
from model.labels import CandidateSet
from model.teacher.base import Answer, State
from tests.support.world import World

LABELS = ("billing", "refund", "shipping")


@pytest.fixture
def filled(world: World) -> World:
    """Twelve tasks with candidate sets of the present teacher; our connection, titled otherwise."""
    ids = world.double.add_tasks([f"text {number}" for number in range(12)])
    tasks.add(world.engine, 7, {task: f"text {number}" for number, task in enumerate(ids)})
    answer = Answer(State.ANSWERED, CandidateSet(("billing", "refund"), (0.6, 0.3)), "")
    rows = [(task, text_hash(f"text {number}"), answer) for number, task in enumerate(ids)]
    candidates.save(world.engine, 7, teacher(world), rows)
    url = world.services.settings.backend_url
    world.double.connections[500] = {"id": 500, "url": url, "title": "by hand", "state": "CO"}
    world.double.fields["model_version"] = "by hand"
    return world


def teacher(world: World) -> str:
    return world.current.teacher_version


def student(world: World, number: int = 1, state: str = "publishing") -> str:
    version = f"student-{number}-{world.project.space_hash}"
    versions.add(world.engine, 7, version, number, world.project.space_hash, {}, 3)
    known = tasks.texts(world.engine, 7, tasks.all_ids(world.engine, 7))
    rows = [(task, text_hash(text), LABELS[task % 3], 0.75) for task, text in known.items()]
    predictions.save(world.engine, 7, version, rows)
    versions.set_state(world.engine, 7, version, state, "judged")
    return version


def held(world: World, version: str) -> list[int]:
    return sorted(row["task"] for row in world.double.predictions if row["model_version"] == version)


def test_candidate_sets_are_sent_once_and_the_title_follows(filled: World) -> None:
    version = teacher(filled)
    assert publish.work(filled.job("publish")) == f"Label Studio shows {version}; 12 predictions sent"
    assert held(filled, version) == sorted(filled.double.tasks)
    row = filled.double.predictions[0]
    assert (row["score"], row["result"][0]["value"]) == (0.6, {"choices": ["billing", "refund"]})
    assert filled.double.connections[500]["title"] == version
    assert filled.double.fields["model_version"] == version
    assert filled.project.published == version
    publish.work(filled.job("publish"))
    assert len(filled.double.predictions) == 12


def test_a_task_that_somebody_decided_needs_no_candidates(filled: World) -> None:
    first = min(filled.double.tasks)
    row = Annotation(1, first, 1, ("refund",), "labelled", False, "2026-11-21T06:00:01.000000Z", None, None, None)
    annotations.save(filled.engine, 7, [row])
    publish.work(filled.job("publish"))
    assert held(filled, teacher(filled)) == sorted(set(filled.double.tasks) - {first})
    assert publishing.unsent_candidates(filled.engine, 7, teacher(filled)) == []


def test_rows_first_then_the_pool_then_the_title(filled: World) -> None:
    seen: list[tuple[str | None, str]] = []
    version = student(filled)
    filled.double.after_import = lambda: seen.append((filled.project.served, filled.double.connections[500]["title"]))
    publish.work(filled.job("publish"))
    assert seen == [(None, "by hand")]
    assert filled.project.served == version
    assert filled.double.connections[500]["title"] == version
    assert held(filled, version) == sorted(filled.double.tasks)
    promoted = versions.get(filled.engine, 7, version)
    assert promoted is not None
    assert (promoted.state, promoted.reason) == ("promoted", "judged")


def test_a_large_project_is_served_after_the_rows_that_come_first(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str | None, str]] = []
    version = student(filled)
    monkeypatch.setattr(push, "CHUNK", 5)
    doubtful = sorted(filled.double.tasks)[-5:]
    text = {task: text_hash(f"text {task - min(filled.double.tasks)}") for task in doubtful}
    predictions.save(filled.engine, 7, version, [(task, text[task], "refund", 0.4) for task in doubtful])
    filled.double.after_import = lambda: seen.append((filled.project.served, filled.double.connections[500]["title"]))
    publish.work(filled.job("publish"))
    assert seen == [(None, "by hand"), (version, version), (version, version)]
    assert sorted(row["task"] for row in filled.double.predictions[:5]) == doubtful
    assert held(filled, version) == sorted(filled.double.tasks)


def test_a_newer_version_does_not_wait_for_the_rows_of_the_older_one(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = student(filled, 1)
    monkeypatch.setattr(push, "CHUNK", 3)
    newer: list[str] = []

    def train() -> None:
        if len(filled.double.predictions) == 6:
            newer.append(student(filled, 2))

    filled.double.after_import = train
    publish.work(filled.job("publish"))
    assert len(held(filled, old)) == 6
    assert held(filled, newer[0]) == sorted(filled.double.tasks)
    assert filled.double.connections[500]["title"] == filled.project.served == newer[0]


def test_it_gives_way_to_a_training_that_waits_and_goes_on_later(
    filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = student(filled)
    monkeypatch.setattr(push, "CHUNK", 3)
    filled.services.queue.enqueue("train", 7)
    assert publish.work(filled.job("publish")).endswith("the rest follows once the training has ended")
    assert filled.project.served == version
    assert len(held(filled, version)) == 6
    assert "publish" in missing(filled.current)
    filled.services.queue.cancel("train", 7)
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(filled.double.tasks)
    assert "publish" not in missing(filled.current)


def test_what_predict_gives_away_meanwhile_is_not_sent_as_well(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version, first = student(filled), min(filled.double.tasks)
    least_certain = predictions.least_certain

    def between(*args):  # type: ignore[no-untyped-def]
        rows = least_certain(*args)
        publishing.give(filled.engine, 7, version, [first], filled.services.clock() + 60_000)
        return rows

    monkeypatch.setattr(predictions, "least_certain", between)
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(set(filled.double.tasks) - {first})


def test_the_newest_waiting_version_is_promoted_and_older_ones_never_are(filled: World) -> None:
    old, new = student(filled, 1), student(filled, 2)
    publish.work(filled.job("publish"))
    assert filled.project.served == new
    overtaken = versions.get(filled.engine, 7, old)
    assert overtaken is not None
    assert (overtaken.state, overtaken.reason) == ("retired", "never served: a newer version was ready")
    assert held(filled, old) == []


def test_a_version_of_former_labels_is_never_promoted(filled: World) -> None:
    version = f"student-1-{'0' * 6}"
    versions.add(filled.engine, 7, version, 1, "000000", {}, 3)
    versions.set_state(filled.engine, 7, version, "publishing", "judged")
    publish.work(filled.job("publish"))
    assert filled.project.served is None
    row = versions.get(filled.engine, 7, version)
    assert row is not None
    assert row.state == "retired"


@pytest.mark.parametrize("stored", [True, False])
def test_a_crash_between_sending_and_noting_doubles_nothing(
    filled: World, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = student(filled)
    monkeypatch.setattr(push, "CHUNK", 5)

    def crash() -> None:
        if len(filled.double.predictions) > 5:
            filled.double.after_import = lambda: None
            if not stored:
                del filled.double.predictions[5:]
            raise KeyboardInterrupt("the worker is killed here")

    confirm = publishing.confirm
    monkeypatch.setattr(publishing, "confirm", lambda *args: (crash(), confirm(*args)))
    with pytest.raises(KeyboardInterrupt):
        publish.work(filled.job("publish"))
    monkeypatch.setattr(publishing, "confirm", confirm)
    assert len(publishing.unconfirmed(filled.engine, 7, filled.services.clock())[version]) == 5
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(filled.double.tasks)
    assert publishing.unconfirmed(filled.engine, 7, filled.services.clock()) == {}


def test_a_lost_answer_is_checked_before_anything_is_sent_again(filled: World) -> None:
    version = student(filled)
    stop = filled.double._import

    def store_and_break(rows):  # type: ignore[no-untyped-def]
        stop(rows)
        return {"detail": "gateway timeout"}, 504

    filled.double._import = store_and_break  # type: ignore[method-assign]
    with pytest.raises(LabelStudioUnavailable):
        publish.work(filled.job("publish"))
    assert filled.project.served is None
    filled.double._import = stop  # type: ignore[method-assign]
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(filled.double.tasks)


@pytest.mark.parametrize("part", [None, 4])  # refused as a whole, or after rows that it has stored
def test_tasks_that_vanished_are_dropped_and_the_rest_is_sent(filled: World, part: int | None) -> None:
    version = student(filled)
    filled.double.part = part
    for task in [min(filled.double.tasks) + 5, max(filled.double.tasks)]:
        del filled.double.tasks[task]
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(filled.double.tasks)
    assert tasks.all_ids(filled.engine, 7) == sorted(filled.double.tasks)


def test_rows_stored_before_a_refusal_are_not_sent_again(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version, store = student(filled), filled.double._import_part
    filled.double.part = 4
    at_fault = [(None, 201), ({"detail": "Failed to create prediction"}, 400)]

    def refuse_the_second(rows):  # type: ignore[no-untyped-def]
        answer = at_fault.pop(0) if at_fault else (None, 201)
        return store(rows) if answer[1] == 201 else answer

    monkeypatch.setattr(filled.double, "_import_part", refuse_the_second)
    with pytest.raises(LabelStudioError, match="Failed to create prediction"):
        publish.work(filled.job("publish"))
    assert len(held(filled, version)) == 4
    assert publishing.unconfirmed(filled.engine, 7, filled.services.clock()) == {}
    publish.work(filled.job("publish"))
    assert held(filled, version) == sorted(filled.double.tasks)


def test_the_rows_of_a_large_project_go_in_a_few_requests(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version, number = student(filled), len(filled.double.tasks)
    monkeypatch.setattr(push, "CHUNK", 1)
    monkeypatch.setattr(push, "REQUESTS", 4)
    sizes: list[int] = []
    filled.double.after_import = lambda: sizes.append(len(filled.double.predictions) - sum(sizes))
    publish.work(filled.job("publish"))
    assert sizes == [1, 3, 3, 3, 2]
    assert (number, held(filled, version)) == (12, sorted(filled.double.tasks))


def test_rows_that_label_studio_drops_silently_are_noticed_and_not_sent_for_ever(filled: World) -> None:
    version = student(filled)
    filled.double.drop_rows = True
    publish.work(filled.job("publish"))
    assert len(held(filled, version)) == 11
    assert filled.project.served == version
    publish.work(filled.job("publish"))
    assert len(held(filled, version)) == 11


def test_a_refused_request_leaves_no_intent(filled: World) -> None:
    student(filled)
    filled.double.faults["POST"] = [(403, {"detail": "not yours"})]
    with pytest.raises(LabelStudioRefused):
        publish.work(filled.job("publish"))
    assert publishing.unconfirmed(filled.engine, 7, filled.services.clock()) == {}


def test_without_a_key_the_version_is_served_at_once(filled: World) -> None:
    version = student(filled)
    filled.set_options(LABEL_STUDIO_API_KEY=SecretStr(""))
    assert publish.work(filled.job("publish")).startswith(f"{version} is served; LABEL_STUDIO_URL or")
    assert filled.project.served == version
    assert filled.double.requests == []


def test_what_the_user_chose_to_show_is_left_alone(filled: World) -> None:
    filled.double.fields["model_version"] = "predictions of last year"
    publish.work(filled.job("publish"))
    assert filled.double.fields["model_version"] == "predictions of last year"
    assert filled.double.connections[500]["title"] == teacher(filled)


def test_connections_to_other_backends_keep_their_title(filled: World) -> None:
    filled.double.connections[501] = {"id": 501, "url": "http://elsewhere:9090", "title": "other", "state": "CO"}
    publish.work(filled.job("publish"))
    assert filled.double.connections[501]["title"] == "other"


def test_a_title_that_cannot_be_changed_is_tried_again(filled: World) -> None:
    version = student(filled)
    filled.double.faults["PATCH /api/ml"] = [(400, {"non_field_errors": ["Can't connect to ML backend"]})]
    with pytest.raises(LabelStudioUnavailable, match="title could not be changed"):
        publish.work(filled.job("publish"))
    assert filled.project.served == version
    publish.work(filled.job("publish"))
    assert filled.double.connections[500]["title"] == version


def test_the_login_is_sent_with_the_title(filled: World) -> None:
    update = {"BASIC_AUTH_USER": "user", "BASIC_AUTH_PASS": SecretStr("password")}
    filled.set_options(**update)
    publish.work(filled.job("publish"))
    assert filled.double.connections[500]["basic_auth_pass"] == "password"
    assert filled.double.connections[500]["auth_method"] == "BASIC_AUTH"


def test_a_rollback_shows_the_older_rows_again(filled: World) -> None:
    first, second = student(filled, 1), None
    publish.work(filled.job("publish"))
    second = student(filled, 2)
    publish.work(filled.job("publish"))
    projects.promote(filled.engine, 7, first)
    publish.work(filled.job("publish"))
    assert filled.double.connections[500]["title"] == first
    assert filled.double.fields["model_version"] == first
    assert len(held(filled, first)) == len(held(filled, second)) == 12


def test_another_models_predictions_that_stay_on_screen_are_named_by_job_page_and_report(filled: World) -> None:
    filled.double.fields["model_version"] = "old-model-3"
    version = teacher(filled)
    done = publish.work(filled.job("publish"))
    assert done.startswith(f"The project shows old-model-3, not {version}; `shortlist connect 7 --show` switches")
    assert done.endswith("; 12 predictions sent")
    assert filled.double.fields["model_version"] == "old-model-3"
    status = project_status(filled.job("publish").current)
    assert (status["on_screen"], status["shows_ours"]) == ("old-model-3", False)
    assert phase_words(status).startswith("People do not see Shortlist's predictions. The project shows old-model-3")
    assert "The project shows old-model-3" in report_html(filled.job("publish").current)
    filled.double.fields["model_version"] = version
    assert publish.work(filled.job("publish")) == f"Label Studio shows {version}"
    assert phase_words(project_status(filled.job("publish").current)).startswith("People see shortlists")


def test_hidden_predictions_are_seen_by_nobody(filled: World) -> None:
    filled.double.fields["show_collab_predictions"] = False
    version = teacher(filled)
    assert publish.work(filled.job("publish")).startswith(
        f"The project hides predictions, so that nobody sees {version}"
    )
    assert project_status(filled.job("publish").current)["on_screen"] == ""


def test_what_is_served_anew_is_not_said_to_be_seen_where_it_is_not(filled: World) -> None:
    assert follows(filled.job("publish").current) == "Label Studio follows in a moment"
    filled.double.fields["model_version"] = "old-model-3"
    publish.work(filled.job("publish"))
    assert follows(filled.job("publish").current).startswith("yet people do not see it. The project shows old-model-3")
