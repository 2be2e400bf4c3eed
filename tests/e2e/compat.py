"""The main job at one release of Label Studio: as it comes, and with everything that teams put around it.

`make compat` runs this for several releases; `pytest tests/e2e/compat.py` for the one in LABEL_STUDIO_VENV.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.commands.start.empty_database import lay_out
from benchmarks.shared.annotator import Annotator, LabelStudioAnswer
from tests.e2e.configs import LABELS, config_a, rows
from tests.e2e.label_studio_server import LabelStudioServer, program
from tests.e2e.stack import RETRAIN_AFTER, Stack
from tests.e2e.stories import await_predictions, check_candidates, label_stream, prediction_of, served_student, ticked
from tests.support.certificates import private_certificate
from tests.support.reverse_proxy import ReverseProxy

TASKS = 80
MIGRATION_SECONDS = 1_200  # of a release without a ready database, on a busy machine
LOGIN = {"BASIC_AUTH_USER": "shortlist", "BASIC_AUTH_PASS": "a pass phrase, with: signs"}


@dataclass
class Address:
    """Where Shortlist finds Label Studio, and its key."""

    url: str
    token: str


@dataclass
class Team:
    """A Label Studio, the person at it, and Shortlist beside it."""

    person: Annotator
    stack: Stack
    token: str


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label Studio's own folder: both start on it, because making its database takes a minute."""
    return tmp_path_factory.mktemp("label-studio")


@pytest.fixture(scope="module")
def team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Team]:
    """One after the other."""
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        yield (as_it_comes if request.param == "as it comes" else behind_proxies)(folder, data, stack)


def as_it_comes(folder: Path, data: Path, stack: ExitStack) -> Team:
    """Plain HTTP and a legacy token."""
    server = _label_studio(folder, data, {}, stack)
    return _team(folder, server, Address(server.url, server.token), {}, stack)


def behind_proxies(folder: Path, data: Path, stack: ExitStack) -> Team:
    """Label Studio below /ls, Shortlist below /shortlist, both over TLS with a certificate that no authority knows, a
    login, and a personal access token where the release has such."""
    tls = private_certificate(folder)
    front = stack.enter_context(ReverseProxy(prefix="/ls", tls=tls))
    ours = stack.enter_context(ReverseProxy(prefix="/shortlist", tls=tls))
    extra = {"LABEL_STUDIO_HOST": front.url, "REQUESTS_CA_BUNDLE": str(tls[0])}
    server = _label_studio(folder, data, extra, stack)
    front.behind = server.url
    token = personal_token(server)
    given = {"BACKEND_URL": ours.url, "TRUSTED_PROXIES": "127.0.0.1", "SSL_CERT_FILE": str(tls[0]), **LOGIN}
    found = _team(folder, server, Address(front.url, token), given, stack)
    ours.behind = found.stack.url
    return found


def personal_token(server: LabelStudioServer) -> str:
    """A personal access token, as Account & Settings draws it; the legacy one where the release has no other."""
    person = Annotator(server.url, server.token)
    try:
        person.send("POST", "/api/jwt/settings", {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
        return str(person.send("POST", "/api/token/", {})["token"])
    except LabelStudioAnswer as error:
        if ": 404 " not in str(error):
            raise
        return server.token
    finally:
        person.close()


def _label_studio(folder: Path, data: Path, extra: dict[str, str], stack: ExitStack) -> LabelStudioServer:
    lay_out(data, program().parent.parent)
    server = LabelStudioServer(data, folder / "label-studio.log", extra)
    stack.callback(server.stop)
    server.await_ready(MIGRATION_SECONDS)
    return server


def _team(folder: Path, server: LabelStudioServer, place: Address, settings: dict[str, str], stack: ExitStack) -> Team:
    person = Annotator(server.url, server.token)
    stack.callback(person.close)
    ours = Stack(folder, place, **settings)
    stack.callback(ours.stop)
    ours.start()
    return Team(person, ours, place.token)


@pytest.mark.e2e
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("team", ["as it comes", "behind proxies"], indirect=True)
def test_the_main_job(team: Team, record_property: pytest.RecordProperty) -> None:
    person, stack = team.person, team.stack
    record_property("token", "personal access token" if "." in team.token else "legacy token")
    project = person.create_project("tickets", config_a())
    person.import_tasks(project, rows(TASKS))
    linked = stack.command("connect", str(project))
    assert linked.returncode == 0, linked.stdout + linked.stderr
    (connection,) = person.connections(project)
    assert connection["state"] == "CO", connection

    teacher = stack.await_status(project, "the teacher's version", lambda status: status["version"])["version"]
    for task in await_predictions(person, project, teacher):
        check_candidates(prediction_of(task, teacher), set(LABELS))
    shown = label_stream(person, project, RETRAIN_AFTER)
    assert all(row["prediction"]["model_version"] == teacher for row in shown)

    student = stack.await_status(project, "a promoted student", served_student)["version"]
    for task in await_predictions(person, project, student):
        if not task["annotations"]:
            assert len(ticked(prediction_of(task, student))) == 1
    stack.await_status(project, "the rename", lambda _: person.project(project)["model_version"] == student)
    status = stack.await_status(project, "all decisions", lambda row: row["human_labels"] == RETRAIN_AFTER)
    assert status["teacher"]["human_checked"] > 0  # what was shown came with the webhook

    checked = stack.command("doctor")
    record_property("doctor", checked.stdout)
    assert checked.returncode == 0, checked.stdout + checked.stderr
