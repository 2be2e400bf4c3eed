"""Logs: structlog into stdlib logging on stderr, one line per event, and never a secret in any of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from backend.settings import Settings

HIDDEN = "[hidden]"
SECRET_KEYS = re.compile(r"(api_?key|token|pass(word)?|secret|authorization|cookie)$", re.IGNORECASE)
SECRETS = re.compile(
    r"(?P<scheme>\b(?:Basic|Bearer|Token)\s+)(?=\S*[0-9A-Z=._])[A-Za-z0-9._~+/=-]{8,}"  # Authorization headers
    r"|(?P<user>://[^/\s:@]*:)[^/\s@]+(?=@)"  # passwords in URLs
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # JSON web tokens
    r"|\bsk-[\w-]{8,}"  # keys of OpenAI and Anthropic
)
NOISY = ("rq.worker", "rq.job", "rq.queue", "rq.scheduler", "httpx", "httpx2", "httpcore", "alembic", "werkzeug")


def configure_logs(settings: Settings) -> None:
    """Send every log line of this process to stderr, ours and those of libraries, from LOG_LEVEL on."""
    secrets = _own_secrets(settings)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings.LOG_FORMAT)],
    )
    handler = _StderrHandler()
    handler.setFormatter(_Hiding(formatter, secrets))
    root = logging.getLogger()
    root.handlers[:] = [other for other in root.handlers if not isinstance(other, _StderrHandler)] + [handler]
    root.setLevel(settings.LOG_LEVEL)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a logger made before this call follows it too
    )


def hide_secrets(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without keys, tokens and passwords: those that look like one, and the given ones."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return SECRETS.sub(lambda found: (found["scheme"] or found["user"] or "") + HIDDEN, text)


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_fields,
    ]


def _renderers(kind: str) -> list[Any]:
    if kind == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _hide_fields(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if SECRET_KEYS.search(name):
            event[name] = HIDDEN
    return event


def _own_secrets(settings: Settings) -> tuple[str, ...]:
    fields = ("LABEL_STUDIO_API_KEY", "BASIC_AUTH_PASS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    values = [getattr(settings, name).get_secret_value() for name in fields]
    return tuple(value for value in values if len(value) >= 6)  # a shorter one would tear up ordinary words


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the moment, not to what it was when the handler was made."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _Hiding(logging.Formatter):
    """Formats by another formatter and then hides secrets in the whole line, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._inner, self._secrets = inner, secrets

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(self._inner.format(record), self._secrets)
