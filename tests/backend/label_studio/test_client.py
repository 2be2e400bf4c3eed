"""The client towards Label Studio's API: tokens, pages, and what its answers mean."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from backend.errors import (
    AddressBlocked,
    LabelStudioError,
    LabelStudioLacks,
    LabelStudioRefused,
    LabelStudioUnavailable,
)
from backend.label_studio import client as label_studio
from backend.label_studio.client import PAGE, LabelStudio
from tests.support.label_studio_double import TOKEN, LabelStudioDouble
from tests.support.ports import free_port


@pytest.fixture
def double(httpserver: HTTPServer) -> LabelStudioDouble:
    return LabelStudioDouble(httpserver)


@pytest.fixture
def client(double: LabelStudioDouble) -> Iterator[LabelStudio]:
    with LabelStudio(double.url, TOKEN, timeout_seconds=10) as opened:
        yield opened


def jwt(name: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).decode().rstrip("=")
    return f"{head}.{name}.signature"


def test_a_legacy_token_is_sent_as_such(client: LabelStudio) -> None:
    assert client.who_am_i()["email"] == "admin@example.com"
    assert client.server_time.endswith("GMT")


def test_a_personal_access_token_is_exchanged_and_renewed(httpserver: HTTPServer) -> None:
    issued: list[str] = []

    def refresh(request: Request) -> Response:
        assert request.get_json() == {"refresh": jwt("pat")}
        issued.append(f"access-{len(issued)}")
        return Response(json.dumps({"access": issued[-1]}), content_type="application/json")

    def whoami(request: Request) -> Response:
        good = request.headers["Authorization"] == "Bearer access-1"
        return Response("{}" if good else '{"detail": "expired"}', 200 if good else 401)

    httpserver.expect_request("/api/token/refresh/", method="POST").respond_with_handler(refresh)
    httpserver.expect_request("/api/current-user/whoami").respond_with_handler(whoami)
    with LabelStudio(httpserver.url_for(""), jwt("pat")) as client:
        assert client.who_am_i() == {}
        assert client.who_am_i() == {}
    assert issued == ["access-0", "access-1"]


def test_a_revoked_personal_access_token_is_told_from_a_wrong_legacy_one(
    httpserver: HTTPServer, double: LabelStudioDouble
) -> None:
    with LabelStudio(double.url, "f" * 40) as client, pytest.raises(LabelStudioRefused, match="create a new token"):
        client.who_am_i()
    double.faults["POST /api/token/refresh/"] = [(401, {"detail": "Token is blacklisted"})]
    with LabelStudio(double.url, jwt("old")) as client, pytest.raises(LabelStudioRefused, match="was revoked"):
        client.who_am_i()
    double.faults["POST /api/token/refresh/"] = [(404, "<h1>Not Found</h1>")]
    with LabelStudio(double.url, jwt("new")) as client, pytest.raises(LabelStudioRefused, match=r"older than 1\.17"):
        client.who_am_i()
    double.faults["GET"] = [(401, {"detail": "legacy token authentication has been disabled for this organization"})]
    with LabelStudio(double.url, TOKEN) as client, pytest.raises(LabelStudioRefused, match="switched off"):
        client.who_am_i()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, LabelStudioUnavailable), (500, LabelStudioUnavailable), (503, LabelStudioUnavailable),
     (403, LabelStudioRefused), (404, LabelStudioLacks), (301, LabelStudioRefused), (400, LabelStudioError)],
)  # fmt: skip
def test_every_answer_becomes_one_of_four_errors(
    double: LabelStudioDouble, client: LabelStudio, status: int, kind: type[LabelStudioError]
) -> None:
    double.faults["GET"] = [(status, {"detail": "because"})]
    with pytest.raises(LabelStudioError) as caught:
        client.project(7)
    assert type(caught.value) is kind
    assert str(status) in str(caught.value) or status == 301
    assert TOKEN not in str(caught.value)


def test_nothing_is_repeated(double: LabelStudioDouble, client: LabelStudio) -> None:
    double.faults["POST"] = [(500, "<html>oops</html>")] * 3
    with pytest.raises(LabelStudioUnavailable, match="500"):
        client.import_predictions(7, [])
    assert double.requests == ["POST /api/projects/7/import/predictions"]


def test_a_server_that_is_gone_or_silent_may_come_back(httpserver: HTTPServer) -> None:
    gone = LabelStudio(f"http://127.0.0.1:{free_port()}", TOKEN)
    with gone as client, pytest.raises(LabelStudioUnavailable, match="cannot be reached"):
        client.projects()
    release: list[bool] = []
    httpserver.expect_request("/api/projects/").respond_with_handler(lambda _: _wait(release))
    silent = LabelStudio(httpserver.url_for(""), TOKEN, timeout_seconds=0.2)
    with silent as client, pytest.raises(LabelStudioUnavailable, match="in time"):
        client.projects()
    release.append(True)


def _wait(release: list[bool]) -> Response:
    while not release:
        time.sleep(0.01)
    return Response("{}")


def test_settings_that_are_missing_are_named() -> None:
    with pytest.raises(LabelStudioRefused, match="LABEL_STUDIO_URL"):
        LabelStudio("", TOKEN)
    with pytest.raises(LabelStudioRefused, match="LABEL_STUDIO_API_KEY"):
        LabelStudio("http://localhost", "")


def test_tasks_come_by_id_in_pages_while_others_vanish(double: LabelStudioDouble, client: LabelStudio) -> None:
    ids = double.add_tasks([f"text {number}" for number in range(PAGE + 20)])
    found = client.tasks(7)
    first = [next(found)["id"] for _ in range(PAGE)]
    for task in ids[:10]:
        del double.tasks[task]
    assert first + [task["id"] for task in found] == ids
    assert client.task_ids(7) == set(ids[10:])


def test_only_what_changed_since_is_read_with_whole_annotations(double: LabelStudioDouble, client: LabelStudio) -> None:
    first, second, third = double.add_tasks(["a", "b", "c"])
    since = double.tasks[third]["updated_at"]
    number = double.annotate(second, ["refund"])
    (task,) = client.tasks(7, since)
    assert task["id"] == second
    (annotation,) = task["annotations"]
    assert (annotation["id"], annotation["completed_by"]) == (number, 1)
    assert annotation["result"][0]["value"] == {"choices": ["refund"]}
    assert first not in {task["id"]}


def test_predictions_are_stored_and_found_again(
    double: LabelStudioDouble, client: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = double.add_tasks(["a", "b", "c"])
    rows = [{"task": task, "model_version": "student-1-abcdef", "score": 0.5, "result": []} for task in ids[:2]]
    assert client.import_predictions(7, rows) == 2
    assert client.import_predictions(7, rows[:1]) == 1
    held = {ids[0]: ["student-1-abcdef"] * 2, ids[1]: ["student-1-abcdef"], ids[2]: [], 999: []}
    assert client.versions_held(7, [*ids, 999]) == held
    monkeypatch.setattr(label_studio, "FEW", 1)
    assert client.versions_held(7, [*ids, 999]) == held
    client.remove_prediction(int(client.predictions(ids[0])[1]["id"]))
    assert client.versions_held(7, [ids[0]]) == {ids[0]: ["student-1-abcdef"]}
    with pytest.raises(LabelStudioError, match="be retrieved"):
        client.import_predictions(7, [{"task": 999, "model_version": "v", "score": 0.1, "result": []}])


def test_a_refused_address_names_the_two_settings(double: LabelStudioDouble, client: LabelStudio) -> None:
    double.blocked = True
    with pytest.raises(AddressBlocked, match="ML_BLOCK_LOCAL_IP=0 and SSRF_PROTECTION_ENABLED=0") as caught:
        client.add_connection(7, "http://127.0.0.1:9090", "teacher-1-abcdef", {})
    assert "http://127.0.0.1:9090" in str(caught.value)


def test_one_webhook_stays_whatever_was_there(double: LabelStudioDouble, client: LabelStudio) -> None:
    url = "http://127.0.0.1:9090/webhook"
    double.webhooks = {number: {"id": number, "url": url, "headers": {}} for number in (101, 102)}
    hook = client.set_webhook(7, url, {"Authorization": "Basic abc"})
    assert hook["id"] == 101
    assert list(double.webhooks) == [101]
    assert double.webhooks[101]["headers"] == {"Authorization": "Basic abc"}
    client.remove_webhook(101)
    assert client.set_webhook(7, url, {})["send_payload"] is True


def test_projects_and_settings_of_projects(double: LabelStudioDouble, client: LabelStudio) -> None:
    assert [row["id"] for row in client.projects()] == [7]
    assert client.update_project(7, model_version="x")["model_version"] == "x"
    with pytest.raises(LabelStudioRefused, match="404"):
        client.project(8)
