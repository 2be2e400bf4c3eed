"""The environment that the parts of the all-in-one command are given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from backend.addresses import around_proxies
from backend.settings import Settings

UNTOLD = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DATA_DIR", "LOG_LEVEL", "LOG_FORMAT")  # keys of LLMs are in no file


def for_parts(settings: Settings, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Ours, with where data are kept, one thread per process unless told otherwise, and no proxy on this machine."""
    threads = str(settings.THREADS)
    return {
        **inherited,
        "DATA_DIR": str(settings.DATA_DIR.absolute()),
        "OMP_NUM_THREADS": inherited.get("OMP_NUM_THREADS", threads),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        **around_proxies(inherited),
    }


def addresses(settings: Settings) -> dict[str, str]:
    """The settings that name where the running parts are; other commands on this machine take them over."""
    values = {
        "REDIS_URL": settings.REDIS_URL,
        "HOST": settings.HOST,
        "PORT": str(settings.PORT),
        "LABEL_STUDIO_URL": settings.LABEL_STUDIO_URL,
        "LABEL_STUDIO_API_KEY": settings.LABEL_STUDIO_API_KEY.get_secret_value(),
    }
    return {name: value for name, value in values.items() if value}


def announced(settings: Settings) -> dict[str, str]:
    """What other commands on this machine take over: addresses, and everything that was set for this instance."""
    given = {name: _plain(getattr(settings, name)) for name in settings.model_fields_set if name not in UNTOLD}
    if given.get("PROMPT_FILE"):
        given["PROMPT_FILE"] = str(Path(given["PROMPT_FILE"]).absolute())
    return {**given, **addresses(settings)}


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
