"""Every setting, in one typed class: environment variables and `.env`; a project overrides some of them."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.addresses import around_proxies, header_key, http_address, networks
from backend.errors import SettingsError
from backend.project_options import ProjectOptions

MOST_OPTIONS = 1_000  # different sets of overrides that are remembered
WRONG = {  # kinds of pydantic's errors in our words
    "int_parsing": "must be a whole number", "int_from_float": "must be a whole number",
    "float_parsing": "must be a number", "bool_parsing": "must be true or false", "literal_error": "must be {expected}",
    "string_pattern_mismatch": "is none of what is allowed", "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}", "greater_than": "must be more than {gt}",
}  # fmt: skip


class Settings(ProjectOptions, BaseSettings):
    """All settings. Names are environment variables; unknown project options are refused."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, case_sensitive=True)

    _known_options: dict[str, ProjectOptions] = PrivateAttr(default_factory=dict)  # every request asks for them

    LABEL_STUDIO_URL: str = Field("", description="base URL of Label Studio, for sync and publishing")
    LABEL_STUDIO_LINK: str = Field(
        "", description="Label Studio's address as people's browsers reach it, for links; empty: LABEL_STUDIO_URL"
    )
    LABEL_STUDIO_API_KEY: SecretStr = Field(SecretStr(""), description="personal access token or legacy token")
    BASIC_AUTH_USER: str = Field("", description="user name that Label Studio must send; empty: no login")
    BASIC_AUTH_PASS: SecretStr = Field(SecretStr(""), description="password that Label Studio must send")
    HOST: str = Field("127.0.0.1", description="address the backend listens on")
    BACKEND_URL: str = Field("", description="where Label Studio reaches this backend; empty: http://HOST:PORT")
    ALLOWED_HOSTS: str = Field(
        "",
        description="more names of this backend, separated by commas; without a login it answers only to these, to "
        "localhost and to the hosts of HOST and BACKEND_URL",
    )
    TRUSTED_PROXIES: str = Field(
        "",
        description="addresses or networks of proxies before this backend, separated by commas: only these are "
        "believed about client, address and path (X-Forwarded-*)",
    )
    PORT: int = Field(9090, ge=1, le=65535, description="port the backend listens on")
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe log line shown")
    LOG_FORMAT: Literal["text", "json"] = Field("text", description="json: each log line is an object, for log stores")
    DATA_DIR: Path = Field(Path("data"), description="folder of everything that is kept when the next four are not set")
    REDIS_URL: str = Field("", description="redis://…; empty: `shortlist start` starts one")
    DATABASE_URL: str = Field("", description="sqlite:///… or postgresql://…; empty: SQLite in DATA_DIR")
    MODEL_DIR: str = Field("", description="any fsspec URL for versions; empty: DATA_DIR/versions")
    CACHE_DIR: str = Field("", description="folder of cached embeddings; empty: DATA_DIR/cache")
    OPENAI_API_KEY: SecretStr = Field(SecretStr(""), description="key of the OpenAI or compatible server")
    OPENAI_BASE_URL: str = Field("", description="address of an OpenAI-compatible server")
    ANTHROPIC_API_KEY: SecretStr = Field(SecretStr(""), description="key of Anthropic")
    ANTHROPIC_BASE_URL: str = Field("", description="address of a gateway to Anthropic; empty: Anthropic itself")
    TEACHER_PRICE: str = Field(
        "",
        description="US dollars per million tokens, `input,output`, for models without a price; `openai:mine=0,0` for"
        " one model alone; several are separated by ;",
    )
    PROMPT_FILE: str = Field(
        "", description="file that replaces the prompt's template; {project} in it stands for the project's number"
    )
    LLM_CONCURRENCY: int = Field(32, ge=1, le=256, description="questions under way at one LLM provider, per process")
    BATCH_POLL_SECONDS: float = Field(60.0, gt=0, le=3600, description="how often a batch API is asked if it is done")
    PREDICT_SECONDS: float = Field(3.0, gt=0, le=60, description="time budget of one /predict answer, seconds")
    PROJECT_MODELS: str = Field(
        "", description="encoders and classifier files that extra_params may choose besides those of these settings"
    )
    THREADS: int = Field(1, ge=1, description="torch threads per process")
    SHARE_ENCODER: bool = Field(
        False, description="workers keep encoders in ONNX form in MODEL_DIR, for web servers without torch"
    )

    @field_validator("LABEL_STUDIO_URL", "LABEL_STUDIO_LINK", "BACKEND_URL", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return http_address(value)

    @field_validator("LABEL_STUDIO_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        return SecretStr(header_key(value.get_secret_value()))

    @field_validator("ALLOWED_HOSTS")
    @classmethod
    def _host_names(cls, value: str) -> str:
        names = [name.strip() for name in value.split(",") if name.strip()]
        if any(set("/*@ ") & set(name) for name in names):
            raise ValueError("must be names as shortlist.internal, separated by commas")
        return ",".join(names)

    @field_validator("TRUSTED_PROXIES")
    @classmethod
    def _networks(cls, value: str) -> str:
        return networks(value)

    @property
    def backend_url(self) -> str:
        """Where Label Studio reaches this backend."""
        return self.BACKEND_URL or f"http://{self.HOST}:{self.PORT}"

    @property
    def label_studio_link(self) -> str:
        """Where people find Label Studio."""
        return self.LABEL_STUDIO_LINK or self.LABEL_STUDIO_URL

    @property
    def database_url(self) -> str:
        """Where the pool is."""
        return self.DATABASE_URL or f"sqlite:///{(self.DATA_DIR / 'pool.sqlite').absolute()}"

    @property
    def model_dir(self) -> str:
        """Where versions are stored, an fsspec URL."""
        return self.MODEL_DIR or str((self.DATA_DIR / "versions").absolute())

    @property
    def cache_dir(self) -> Path:
        """Where embeddings are cached."""
        return Path(self.CACHE_DIR) if self.CACHE_DIR else (self.DATA_DIR / "cache").absolute()

    def for_project(self, extra_params: object) -> ProjectOptions:
        """The options of one project: these settings, overridden by `extra_params` (object, JSON string or null).

        Raises SettingsError that names the option and what is allowed.
        """
        defaults = {name: getattr(self, name) for name in ProjectOptions.model_fields}
        values = {**defaults, **_as_object(extra_params)}  # all of them: a copy with other settings shares the cache
        key = json.dumps(values, sort_keys=True, default=repr)
        known = self._known_options.get(key)
        if known is None:
            known = _checked(ProjectOptions, values)
            if len(self._known_options) >= MOST_OPTIONS:
                self._known_options.clear()
            self._known_options[key] = known
        return known


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment and `.env`; SettingsError names what is malformed.

    From here on this process reaches what runs on this machine without a proxy.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    called = (settings.LABEL_STUDIO_URL, settings.backend_url, settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL)
    os.environ.update(around_proxies(os.environ, called))
    return settings


def _as_object(extra_params: object) -> dict[str, Any]:
    if isinstance(extra_params, str):
        try:
            extra_params = json.loads(extra_params) if extra_params.strip() else None
        except (ValueError, RecursionError):
            raise SettingsError(f"extra_params is not JSON: {str(extra_params)[:80]!r}") from None
    if extra_params is None:
        return {}
    if not isinstance(extra_params, Mapping):
        raise SettingsError(f"extra_params must be a JSON object, got {type(extra_params).__name__}")
    return dict(extra_params)


def _checked(kind: type[ProjectOptions], values: dict[str, Any]) -> ProjectOptions:
    try:
        return kind(**values)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, ProjectOptions.model_fields, n=1)
        hint = f", did you mean {near[0]}" if near else ""
        return f"unknown option {name}{hint}; allowed are {', '.join(ProjectOptions.model_fields)}"
    kind = Settings if name in Settings.model_fields else ProjectOptions
    meaning = kind.model_fields[name].description if name in kind.model_fields else ""
    words = WRONG.get(first["type"])
    wrong = words.format(**first.get("ctx", {})) if words else first["msg"].removeprefix("Value error, ")
    return f"setting {name}: {wrong}" + (f" ({meaning})" if meaning else "")
