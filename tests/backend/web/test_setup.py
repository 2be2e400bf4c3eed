"""/health and /setup."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backend.pool import candidates, jobs, projects, tasks
from tests.support.configs import CONFIG_A, CONFIG_B, TAXONOMY, view
from tests.support.web_server import Server


def test_health_needs_nothing(server: Server) -> None:
    for path in ("/health", "/p/7/health"):
        answer = server.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "UP"})


@pytest.mark.parametrize("xml", [CONFIG_A, CONFIG_B, TAXONOMY])
def test_setup_answers_an_object_with_the_teachers_version(server: Server, xml: str) -> None:
    version = server.version(xml=xml)
    assert version.startswith("teacher-")
    assert version.endswith(server.project().space_hash)
    assert server.version(xml=xml) == version


def test_setup_writes_only_what_is_new(server: Server) -> None:
    statements: list[str] = []
    server.version()

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement.split(maxsplit=1)[0])

    sa.event.listen(server.services.engine, "before_cursor_execute", note)
    server.version()
    assert "SELECT" in statements
    assert not {"INSERT", "UPDATE", "DELETE"} & set(statements)


def test_a_changed_label_space_changes_the_version_and_asks_the_teacher_again(server: Server) -> None:
    before = server.version()
    server.services.queue.cancel("annotate", 7)
    after = server.version(xml=CONFIG_A.replace("other", "else"))
    assert after != before
    assert jobs.get(server.services.engine, 7)["annotate"].state == "queued"


def test_what_an_older_release_refused_is_read_by_now(server: Server) -> None:
    version = server.version()
    row = server.project()
    projects.save_config(
        server.services.engine,
        7,
        row.created,
        row.title,
        CONFIG_A,
        None,
        "not supported then",
        row.options,
        row.instance,
    )
    assert server.project().space is None
    assert server.version() == version
    assert server.project().problem == ""


def test_a_changed_layout_changes_nothing(server: Server) -> None:
    before = server.version()
    server.services.queue.cancel("annotate", 7)
    assert server.version(xml=CONFIG_A.replace('showInline="true"', 'layout="select"')) == before
    assert server.services.queue.place("annotate", 7) == "absent"
    assert "select" in server.project().label_config


@pytest.mark.parametrize("extra", [{"TEACHER": "similarity"}, '{"TEACHER": "similarity"}', None, ""])
def test_options_come_as_object_string_or_null(server: Server, extra: object) -> None:
    assert server.setup(extra=extra).status_code == 200
    assert server.project().options == ({"TEACHER": "similarity"} if extra else {})


SAME = '<Choices name="label" toName="text"><Choice value="a" alias="same"/><Choice value="b" alias="same"/></Choices>'


def test_an_option_that_names_another_teacher_changes_the_version(server: Server) -> None:
    assert server.version() != server.version(extra={"TEACHER": "openai:gpt-test", "PROMPT": "single"})


@pytest.mark.parametrize(
    ("xml", "extra", "phrase"),
    [
        (
            view('<Choices name="label" toName="text" value="$o"/>'),
            None,
            'Choices "label" takes its options from task data; use fixed Choice tags',
        ),
        (view(SAME.replace("same", "ä")), None, 'Choices "label": labels occur more than once: ä'),
        (view(SAME.replace("same", "✓")), None, 'Choices "label": labels occur more than once: ?'),
        ("<View>\n<\n", None, "the label config is not valid XML"),
        (CONFIG_A, {"TEACHR": "similarity"}, "unknown option TEACHR, did you mean TEACHER"),
        (CONFIG_A, {"RETRAIN_AFTER": -1}, "setting RETRAIN_AFTER"),
        (CONFIG_A, "[1]", "extra_params must be a JSON object"),
        (CONFIG_A, "{", "extra_params is not JSON"),
        (CONFIG_A, "[" * 100_000, "extra_params is not JSON"),
        (CONFIG_A, {"STUDENT_ENCODER": "/etc"}, "a project must not choose the model '/etc' by itself: whoever runs"),
        (CONFIG_A, {"STUDENT_ENCODER": "someone/model"}, "a project must not choose the model 'someone/model'"),
        (CONFIG_A, {"COMMITTEE": "words,/etc/a.json"}, "a project must not choose the model '/etc/a.json'"),
        (CONFIG_A, {"COMMITTEE": "student,student:1/head@//host/x"}, "a project must not choose the model '//host/x'"),
    ],
)
def test_what_is_not_supported_is_said_in_the_status_line(server: Server, xml: str, extra: object, phrase: str) -> None:
    answer = server.setup(xml=xml, extra=extra)
    assert answer.status_code == 422
    assert answer.reason.startswith(phrase)
    assert server.setup(xml=xml, extra=extra).reason == answer.reason


def test_a_config_that_turns_bad_is_kept_with_its_sentence_and_recovers(server: Server) -> None:
    version = server.version()
    assert server.setup(xml="<View/>").status_code == 422
    assert "no Choices, Taxonomy, Rating or Pairwise" in server.project().problem
    assert server.predict({1: "a"}, xml="<View/>") == [[]]
    assert server.version() == version


@pytest.mark.parametrize(
    ("body", "phrase"),
    [
        ("", "the body is not JSON"),
        ("{", "the body is not JSON"),
        ("[]", "the body must be a JSON object, got list"),
        ('{"project": "7.1"}', "schema must be the label config as text"),
        ('{"project": "seven", "schema": "<View/>"}', "project must be <id>.<created>, got 'seven'"),
        ('{"project": null, "schema": "<View/>"}', "project must be"),
        ('{"project": "99999999999999999999.1", "schema": "<View/>"}', "project must be"),
        ("[" * 100_000, "the JSON body is nested too deeply"),
        ('{"project": ' + "1" * 5000 + "}", "the body is not JSON"),
    ],
)
def test_what_is_not_understood_is_a_400(server: Server, body: str, phrase: str) -> None:
    answer = server.post("/setup", body)
    assert answer.status_code == 400
    assert answer.reason.startswith(phrase)


def test_a_recreated_project_starts_empty_and_takes_nothing_away(server: Server) -> None:
    server.version()
    server.answered({1: "old"}, ["billing"])
    body = {"project": "7.1895239698", "schema": CONFIG_A}
    assert server.post("/setup", body).status_code == 200
    version = server.post("/setup", body).json()["model_version"]
    new = projects.find(server.services.engine, 7, "1895239698")
    assert new is not None
    assert tasks.count(server.services.engine, new.project) == 0
    assert candidates.read(server.services.engine, new.project, version, None) == {}
    assert tasks.count(server.services.engine, 7) == 1
    assert len(candidates.read(server.services.engine, 7, version, None)) == 1


def test_setup_works_without_redis(serve: Callable[..., Server]) -> None:
    server = serve(REDIS_URL="redis://127.0.0.1:1/0")
    assert server.version().startswith("teacher-")


def test_two_servers_on_one_pool_agree_at_once(serve: Callable[..., Server]) -> None:
    first = serve()
    second = serve(DATABASE_URL=first.services.settings.database_url)
    xml = CONFIG_A.replace("other", "else")
    assert first.version(xml=CONFIG_A) == second.version(xml=CONFIG_A)
    assert second.version(xml=xml) == first.version(xml=xml)
