"""No secret reaches a log line, whichever way it takes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from backend.logs import HIDDEN, configure_logs, hide_secrets
from backend.settings import Settings

OWN = "quite-an-ordinary-word"


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logs(Settings(_env_file=None, DATA_DIR=tmp_path, BASIC_AUTH_PASS=SecretStr(OWN), LOG_LEVEL="INFO"))
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Token 0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw"),
        ("postgresql://user:letmein@host/db", "letmein"),
        ("redis://:letmein@host:6379/0", "letmein"),
        ("key eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6MX0.c2ln in a sentence", "eyJhbGci"),
        ("Incorrect API key provided: sk-proj-0123456789abcdef", "0123456789"),
        (f"the password {OWN} was wrong", OWN),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    found = hide_secrets(text, (OWN,))
    assert secret not in found
    assert HIDDEN in found


@pytest.mark.parametrize("text", ["Basic training of 12 tasks", "token by token", "https://host:8080/path", "sk-learn"])
def test_ordinary_words_stay(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.usefixtures("configured")
def test_events_fields_tracebacks_and_libraries_are_covered(capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.get_logger("backend.some")
    with structlog.contextvars.bound_contextvars(project=7, job="train"):
        log.info("connected", api_key="plain-secret-1", url="http://u:plain-secret-2@host")
    try:
        raise RuntimeError(f"cannot log in with {OWN}")
    except RuntimeError:
        log.exception("failed", headers={"x": "Bearer plain-secret-3"})
    logging.getLogger("library").warning("sent Token plain-secret-4")
    logging.getLogger("httpx").info("HTTP Request: GET http://host")
    out, text = capsys.readouterr()
    assert out == ""
    assert "plain-secret" not in text
    assert OWN not in text
    assert "project=7" in text
    assert "job=train" in text
    assert "RuntimeError" in text
    assert "library" in text
    assert "HTTP Request" not in text


@pytest.mark.usefixtures("configured")
def test_the_level_is_respected(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("backend.some").debug("too fine")
    assert capsys.readouterr().err == ""


def test_lines_for_a_log_store_are_objects_with_project_job_and_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    settings = Settings(_env_file=None, DATA_DIR=tmp_path, BASIC_AUTH_PASS=SecretStr(OWN), LOG_FORMAT="json")
    configure_logs(settings)
    try:
        with structlog.contextvars.bound_contextvars(job="train", project=7, version="student-3-9f2c1a"):
            structlog.get_logger("test").info("promoted", reason=f'the "{OWN}" of postgresql://me:letmein@host/db')
        try:
            raise ValueError("letmein")
        except ValueError:
            logging.getLogger("library").exception("failed")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["project"], first["job"], first["version"]) == (
        "promoted", 7, "train", "student-3-9f2c1a",
    )  # fmt: skip
    assert first["reason"] == f'the "{HIDDEN}" of postgresql://me:{HIDDEN}@host/db'
    assert second["level"] == "error"
    assert "ValueError: letmein" in second["exception"]
