"""Settings come from the environment and from a project's extra_params; what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.errors import SettingsError
from backend.project_options import ProjectOptions
from backend.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load_settings(DATA_DIR=tmp_path)


def test_everything_has_a_place_below_the_data_folder(settings: Settings, tmp_path: Path) -> None:
    assert settings.database_url == f"sqlite:///{tmp_path / 'pool.sqlite'}"
    assert settings.model_dir == str(tmp_path / "versions")
    assert settings.cache_dir == tmp_path / "cache"
    assert settings.backend_url == "http://127.0.0.1:9090"


def test_environment_and_env_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PORT=8123\nOPENAI_API_KEY=sk-secret\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("RETRAIN_AFTER", "7")
    settings = load_settings()
    assert (settings.PORT, settings.RETRAIN_AFTER) == (8123, 7)
    assert "sk-secret" not in repr(settings)
    assert settings.OPENAI_API_KEY.get_secret_value() == "sk-secret"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "many", "must be a whole number (port the backend"),
        ("PORT", "70000", "must be at most 65535"),
        ("TEACHER", "gpt", "is none of what is allowed (auto, similarity, openai:<model>"),
        ("PROMPT", "some", "must be 'single', 'unsure' or 'all'"),
        ("LABEL_STUDIO_URL", "localhost:8080", "must start with http:// or https://"),
        ("BUDGET_USD", "-1", "must be at least 0"),
        ("PRESELECT", "maybe", "must be true or false"),
        ("COMMITTEE", "{student}", "{student}"),
    ],
)
def test_a_malformed_setting_is_named_with_what_it_must_be(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"setting {name}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("empty", [None, "", {}, "{}", "  "])
def test_a_project_without_options_has_the_general_ones(settings: Settings, empty: object) -> None:
    assert settings.for_project(empty) == ProjectOptions()


def test_a_project_overrides_by_object_or_by_json_text(settings: Settings) -> None:
    options = {"TEACHER": "openai:gpt-x", "RETRAIN_AFTER": 5}
    assert settings.for_project(options) == settings.for_project(json.dumps(options))
    assert settings.for_project(options).RETRAIN_AFTER == 5
    assert settings.for_project(options).PROMPT == settings.PROMPT


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"TEECHER": "auto"}, "did you mean TEACHER"),
        ({"SERVE": "both"}, "SERVE"),
        ({"RETRAIN_AFTER": -1}, "RETRAIN_AFTER"),
        ("no json", "not JSON"),
        ([1], "must be a JSON object"),
        ({"OPENAI_API_KEY": "sk-1"}, "unknown option"),
    ],
)
def test_wrong_options_are_refused_with_what_is_allowed(settings: Settings, extra: object, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings.for_project(extra)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OPENAI_API_KEY", "“sk-abc”", "left double quotation mark"),
        ("ANTHROPIC_API_KEY", "sk-\u200babc", "zero width space"),
        ("LABEL_STUDIO_API_KEY", "abc def", "at place 4 that no key has .space."),
        ("OPENAI_API_KEY", "'sk-abc'", "stands in quotation marks"),
        ("OPENAI_BASE_URL", "http://host:port/v1", "is no address"),
        ("OPENAI_BASE_URL", "http://", "names no host"),
        ("LABEL_STUDIO_URL", "http://host/a b", "which no address has"),
    ],
)
def test_what_no_request_can_carry_is_named_when_settings_are_read(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"setting {name}: .*{words}") as caught:
        load_settings(_env_file=None, **{name: value})
    assert value not in str(caught.value)


def test_white_space_around_a_key_or_address_is_nothing() -> None:
    found = load_settings(_env_file=None, OPENAI_API_KEY=" sk-abc\n", OPENAI_BASE_URL=" http://host/v1/ ")
    assert (found.OPENAI_API_KEY.get_secret_value(), found.OPENAI_BASE_URL) == ("sk-abc", "http://host/v1")
