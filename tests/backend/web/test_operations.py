"""What operators ask: is it ready, what do the metrics say; and what an attacker gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.label_studio.labels import MAX_LABELS
from backend.label_studio.task_text import LONGEST_TEXT
from backend.pool import tasks
from benchmarks.shared.waiting import wait_for
from tests.support.servers import RedisServer
from tests.support.web_server import Server


def test_ready_says_which_part_is_missing(
    serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> None:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    server = serve(REDIS_URL=redis.url)
    assert server.get("/ready").json() == {"ready": True, "pool": "ok", "redis": "ok", "students": "ok"}
    server.version()
    version = server.promote()
    answer = server.get("/ready")
    assert (answer.status_code, answer.json()["students"]) == (503, f"{version} is being loaded")
    server.live.get(7, version)
    wait_for("the reason", server.live.problems, 240)
    redis.stop()
    answer = server.get("/ready")
    assert answer.status_code == 503
    assert "Redis cannot be used" in answer.json()["redis"]
    assert "cannot be loaded: " in answer.json()["students"]
    assert server.get("/health").status_code == 200


def test_ready_without_the_login_is_a_bare_yes_or_no(serve: Callable[..., Server]) -> None:
    server = serve(BASIC_AUTH_USER="me", BASIC_AUTH_PASS="secret")
    assert server.get("/ready").json() == {"ready": True}
    assert server.get("/ready", auth=("me", "secret")).json()["pool"] == "ok"
    assert server.get("/metrics").status_code == 401


def test_metrics_tell_of_jobs_and_queues(server: Server) -> None:
    server.version()
    server.services.queue.enqueue("train", 7)
    page = server.get("/metrics").text
    assert 'shortlist_job{kind="train",project="7",state="queued"} 1.0' in page
    assert 'shortlist_job{kind="train",project="7",state="running"} 0.0' in page
    assert 'shortlist_jobs_waiting{queue="train"} 1.0' in page
    assert 'shortlist_queue_age_seconds{queue="publish"} 0.0' in page
    assert 'shortlist_paused{project="7"} 0.0' in page


def test_pages_cannot_be_framed_sniffed_or_cached(server: Server) -> None:
    headers = server.get("/projects").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_label_space_that_is_too_large_is_refused_in_words(server: Server) -> None:
    choices = "".join(f'<Choice value="l{number}"/>' for number in range(MAX_LABELS + 1))
    xml = f'<View><Text name="text" value="$text"/><Choices name="label" toName="text">{choices}</Choices></View>'
    answer = server.setup(xml=xml)
    assert (answer.status_code, f"has {MAX_LABELS + 1} labels, at most {MAX_LABELS}" in answer.reason) == (422, True)


def test_entities_of_a_label_config_are_not_expanded_without_end(server: Server) -> None:
    lines = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))
    xml = f'<!DOCTYPE View [<!ENTITY e0 "lol">{lines}]><View><Header value="&e11;"/></View>'
    assert server.setup(xml=xml).status_code == 422
    labels = '<Choices name="label" toName="text"><Choice value="&f;"/><Choice value="b"/></Choices>'
    entity = '<!DOCTYPE View [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    inside = f'{entity}<View><Text name="text" value="$text"/>{labels}</View>'
    answer = server.setup(xml=inside)
    assert "root:" not in answer.text + answer.reason
    status = server.get("/projects/7.json")
    assert "root:" not in status.text


def test_a_text_of_any_length_is_cut_and_answered(server: Server) -> None:
    server.version()
    assert len(server.predict({1: "x " * LONGEST_TEXT, 2: "short"})) == 2
    server.parts.background.drain()
    assert len(tasks.texts(server.services.engine, 7, [1])[1]) <= LONGEST_TEXT


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, "{" + '"a":[' * 30_000])
def test_bottomless_json_is_a_400(server: Server, body: str) -> None:
    answer = server.post("/setup", body)
    assert (answer.status_code, answer.reason in ("the JSON body is nested too deeply", "the body is not JSON")) == (
        400, True,
    )  # fmt: skip
    assert server.post("/webhook", body).json() == {}
