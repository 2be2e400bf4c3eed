"""`shortlist connect`: one connection, one webhook with login, the right title, whatever was there before."""

from __future__ import annotations

import base64

import pytest
from redis import Redis
from rq import Queue

from backend.errors import (
    AddressBlocked,
    LabelingConfigError,
    LabelStudioRefused,
    LabelStudioUnavailable,
    SettingsError,
)
from tests.backend.commands.conftest import Run, read_json
from tests.support.label_studio_double import TOKEN, LabelStudioDouble

URL = "http://127.0.0.1:9"


def waiting(environment: dict[str, str]) -> set[str]:
    with Redis.from_url(environment["REDIS_URL"]) as connection:
        return {
            name for queue in ("publish", "train", "teacher") for name in Queue(queue, connection=connection).job_ids
        }


def test_a_fresh_project_is_connected(double: LabelStudioDouble, run: Run, environment: dict[str, str]) -> None:
    found = run("connect", "7", "--json")
    done = read_json(found)
    (connection,) = double.connections.values()
    (hook,) = double.webhooks.values()
    assert (connection["url"], connection["title"]) == (URL, done["version"])
    assert done["version"].startswith("teacher-")
    assert (hook["url"], hook["headers"]) == (f"{URL}/webhook", {})
    assert double.fields["model_version"] == done["version"]
    assert waiting(environment) == {"sync-7", "annotate-7"}
    frequencies, worker = done["notes"]
    assert "--option FREQUENCIES=even" in frequencies
    assert worker == "No worker is running, so nothing is computed yet: start one with `shortlist worker`"
    double.fields["label_config"] = double.fields["label_config"].replace(' answer="one"', "")
    (meaning, _) = read_json(run("connect", "7", "--json"))["notes"]
    assert "several labels may be right at once" in meaning
    assert "--option ANSWER=one" in meaning


def test_the_login_goes_to_connection_and_webhook(double: LabelStudioDouble, run: Run) -> None:
    found = run("connect", "--project", "7", BASIC_AUTH_USER="me", BASIC_AUTH_PASS="my password")
    (connection,) = double.connections.values()
    (hook,) = double.webhooks.values()
    assert connection["auth_method"] == "BASIC_AUTH"
    assert (connection["basic_auth_user"], connection["basic_auth_pass"]) == ("me", "my password")
    assert hook["headers"] == {"Authorization": "Basic " + base64.b64encode(b"me:my password").decode()}
    assert "my password" not in found.output
    assert "Project 7 tickets is connected" in found.output


def test_connecting_again_changes_nothing_but_what_is_wrong(double: LabelStudioDouble, run: Run) -> None:
    first = read_json(run("connect", "7", "--json"))
    double.webhooks.clear()
    double.connections[900] = {"id": 900, "url": URL, "title": "half made", "state": "ER"}
    second = read_json(run("connect", "7", "--json"))
    assert (second["connection"], second["version"]) == (first["connection"], first["version"])
    assert list(double.connections) == [first["connection"]]
    assert len(double.webhooks) == 1


def test_a_connection_made_by_hand_is_taken_over(double: LabelStudioDouble, run: Run) -> None:
    double.connections[55] = {"id": 55, "url": URL + "/", "title": "my model", "extra_params": {"RETRAIN_AFTER": 3}}
    double.fields["model_version"] = "my model"
    done = read_json(run("connect", "7", "--json"))
    assert done["connection"] == 55
    assert double.connections[55]["title"] == double.fields["model_version"] == done["version"]
    assert double.connections[55]["extra_params"] == {"RETRAIN_AFTER": 3}


def test_options_are_stored_and_checked(double: LabelStudioDouble, run: Run) -> None:
    run("connect", "7", "-o", "RETRAIN_AFTER=50", "-o", "TEACHER=similarity")
    (connection,) = double.connections.values()
    assert connection["extra_params"] == {"RETRAIN_AFTER": 50, "TEACHER": "similarity"}
    run("connect", "7", "-o", "BUDGET_USD=2", "-o", "TEACHER=")
    assert connection["extra_params"] == {"RETRAIN_AFTER": 50, "BUDGET_USD": 2}
    with pytest.raises(SettingsError, match="RETRAIN_AFTR, did you mean RETRAIN_AFTER"):
        run("connect", "7", "-o", "RETRAIN_AFTR=50")
    with pytest.raises(SettingsError, match="must be NAME=VALUE"):
        run("connect", "7", "-o", "RETRAIN_AFTER")
    with pytest.raises(SettingsError, match="say which project"):
        run("connect")


def test_a_refused_private_address_leaves_nothing_behind(double: LabelStudioDouble, run: Run) -> None:
    double.blocked = True
    with pytest.raises(AddressBlocked, match="ML_BLOCK_LOCAL_IP=0 and SSRF_PROTECTION_ENABLED=0"):
        run("connect", "7")
    assert double.connections == {}


def test_a_failing_label_studio_is_asked_once_and_cleaned_up(double: LabelStudioDouble, run: Run) -> None:
    double.faults["POST /api/ml"] = [(502, {"detail": "bad gateway"})]
    with pytest.raises(LabelStudioUnavailable, match="502"):
        run("connect", "7")
    assert double.requests.count("POST /api/ml") == 1
    assert double.connections == {}


def test_an_unsupported_label_config_is_named_before_anything_is_changed(double: LabelStudioDouble, run: Run) -> None:
    double.fields["label_config"] = '<View><Text name="text" value="$text"/></View>'
    with pytest.raises(LabelingConfigError):
        run("connect", "7")
    assert double.connections == {}


def test_an_unknown_project_and_a_missing_key(double: LabelStudioDouble, run: Run) -> None:
    with pytest.raises(LabelStudioRefused, match="404"):
        run("connect", "8")
    with pytest.raises(LabelStudioRefused, match="LABEL_STUDIO_API_KEY is not set"):
        run("connect", "7", LABEL_STUDIO_API_KEY="")


def test_what_needs_a_person_is_said(double: LabelStudioDouble, run: Run) -> None:
    double.connections[1] = {"id": 1, "url": "http://elsewhere:1", "title": "other model"}
    double.fields |= {"show_collab_predictions": False, "model_version": "predictions of last year"}
    found = run("connect", "7", REDIS_URL="redis://127.0.0.1:1/0")
    text = " ".join(found.output.split())
    assert "another ML backend (other model)" in text
    assert "The project hides predictions" in text
    assert "The first jobs wait until Redis is back" in text
    assert double.fields["model_version"] == "predictions of last year"


def test_annotators_are_told_what_ticks_mean_unless_the_project_has_its_own_words(
    double: LabelStudioDouble, run: Run
) -> None:
    run("connect", "7")
    assert "untick the others" in double.fields["expert_instruction"]
    assert double.fields["show_instruction"] is True
    double.fields["expert_instruction"] = "Read twice."
    done = read_json(run("connect", "7", "--json"))
    assert double.fields["expert_instruction"] == "Read twice."
    assert any("what ticks mean" in note for note in done["notes"])


def test_at_a_terminal_it_asks_for_what_is_missing(
    double: LabelStudioDouble, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL")
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    monkeypatch.setattr("backend.commands.connect.at_terminal", lambda: True)
    found = run("connect", answers=f"{double.url}\n{TOKEN}\n7\n")
    assert found.exit_code == 0, found.output
    assert "tickets" in found.output
    assert TOKEN not in found.output
    assert len(double.connections) == 1


@pytest.fixture
def imported(double: LabelStudioDouble) -> LabelStudioDouble:
    """A project whose tasks came with the predictions of another model, which Label Studio then shows."""
    (task,) = double.add_tasks(["my parcel is late"])
    double.predictions.append({"id": 900, "task": task, "model_version": "old-model-3", "result": [], "score": 0.5})
    double.fields["model_version"] = "old-model-3"
    return double


def test_it_says_what_the_project_shows_where_that_is_another_model(imported: LabelStudioDouble, run: Run) -> None:
    text = " ".join(run("connect", "7").output.split())
    assert "and shows" not in text
    assert "The project shows old-model-3, not teacher-" in text
    assert "`shortlist connect 7 --show` switches" in text
    assert imported.fields["model_version"] == "old-model-3"
    done = read_json(run("connect", "7", "--json"))
    assert (done["shows"], done["switch"]) == ("old-model-3", True)


@pytest.mark.parametrize("hidden", [False, True])
def test_it_switches_where_that_is_asked_for(imported: LabelStudioDouble, run: Run, hidden: bool) -> None:
    imported.fields["show_collab_predictions"] = not hidden
    done = read_json(run("connect", "7", "--show", "--json"))
    assert (done["shows"], done["switch"]) == (done["version"], False)
    assert imported.fields["model_version"] == done["version"]
    assert imported.fields["show_collab_predictions"] is True
    assert not any("The project" in note for note in done["notes"])
    assert f"and shows {done['version']}" in " ".join(run("connect", "7").output.split())


@pytest.mark.parametrize(("answer", "shows"), [("y", "teacher-"), ("n", "old-model-3"), ("", "old-model-3")])
def test_at_a_terminal_it_offers_to_switch(
    imported: LabelStudioDouble, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, shows: str
) -> None:
    monkeypatch.setattr("backend.commands.connect.at_terminal", lambda: True)
    found = run("connect", "7", answers=f"{answer}\n")
    assert "The project shows old-model-3." in found.output
    assert str(imported.fields["model_version"]).startswith(shows)
    assert len(imported.connections) == 1


@pytest.mark.parametrize("option", ["SCORE=acquisition", "TARGET_ERROR=0.1"])
def test_people_are_asked_in_the_order_of_scores_where_these_choose(
    double: LabelStudioDouble, run: Run, option: str
) -> None:
    notes = read_json(run("connect", "7", "--json"))["notes"]
    assert "sampling" not in double.fields, "nobody has asked for it"
    notes = read_json(run("connect", "7", "--json", "--option", option))["notes"]
    assert double.fields["sampling"] == "Uncertainty sampling"
    assert any("goes by Shortlist's scores from now on" in note for note in notes)
    again = read_json(run("connect", "7", "--json"))["notes"]
    assert not any("goes by Shortlist's scores" in note for note in again)
    double.fields["sampling"] = "Sequential sampling"
    double.faults["PATCH /api/projects"] = [(403, {"detail": "you may not"})]
    assert run("connect", "7", "--json").exit_code == 0
