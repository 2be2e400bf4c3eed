from pathlib import Path

import pytest

from backend.commands.start.credentials import Credentials
from backend.commands.start.label_studio import EmbeddedLabelStudio
from backend.commands.start.part import Part
from backend.commands.start.sample.importing import Imported
from backend.commands.start.welcome import welcome
from backend.settings import Settings

DATA = Path("/srv/data")


@pytest.fixture
def label_studio() -> EmbeddedLabelStudio:
    part = Part("Label Studio", ("true",), {}, Path("log"), lambda: True)
    return EmbeddedLabelStudio(part, "http://127.0.0.1:8080", Credentials(password="pass-word", token="0" * 40))


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


def test_it_says_where_everything_is_and_how_to_get_in(label_studio: EmbeddedLabelStudio) -> None:
    text = "\n".join(welcome(settings(PORT=9999), label_studio, Imported(3, "messages", 328), DATA))
    assert "http://127.0.0.1:8080/projects/3/data" in text
    assert "admin@shortlist.local   password pass-word" in text
    assert "/srv/data/label-studio/credentials.json" in text
    assert "http://127.0.0.1:9999/projects" in text
    assert "Label All Tasks" in text
    assert "After 20 decisions" in text
    assert label_studio.credentials.token not in text


def test_the_offline_teacher_is_called_what_it_is(label_studio: EmbeddedLabelStudio) -> None:
    assert "offline similarity teacher (no LLM)" in "\n".join(welcome(settings(), label_studio, None, DATA))
    paid = "\n".join(welcome(settings(TEACHER="openai:some-model"), label_studio, None, DATA))
    assert "openai:some-model" in paid
    assert "similarity" not in paid


def test_without_label_studio_it_says_how_to_connect() -> None:
    text = "\n".join(welcome(settings(PORT=9999), None, None, DATA))
    assert "Connect Model, and enter http://127.0.0.1:9999" in text
    assert "LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set" in text
    key = {"LABEL_STUDIO_URL": "http://ls", "LABEL_STUDIO_API_KEY": "k"}
    assert "are not set" not in "\n".join(welcome(settings(**key), None, None, DATA))


def test_training_by_the_button_only_is_told(label_studio: EmbeddedLabelStudio) -> None:
    assert 'Press "Start training"' in "\n".join(welcome(settings(RETRAIN_AFTER=0), label_studio, None, DATA))


def test_lines_fit_a_terminal(label_studio: EmbeddedLabelStudio) -> None:
    lines = welcome(settings(), label_studio, Imported(3, "messages", 328), Path("data"))
    assert max(map(len, lines)) <= 120
