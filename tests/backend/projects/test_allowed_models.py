"""A project may use the encoders that it is allowed, in any way; what is malformed is refused with the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import SettingsError
from backend.project_options import ProjectOptions
from backend.projects.allowed_models import refuse_foreign
from backend.settings import Settings


def wanted(**options: str) -> ProjectOptions:
    return ProjectOptions.model_validate(options)


def test_how_an_encoder_is_used_needs_no_permission_but_another_encoder_does(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path, PROJECT_MODELS="intfloat/e5-small")
    for name in ("default?pooling=cls", "intfloat/e5-small?prefix=query:%20"):
        refuse_foreign(settings, wanted(STUDENT_ENCODER=name))
    refuse_foreign(settings, wanted(COMMITTEE="student,student@intfloat/e5-small?pooling=max"))
    with pytest.raises(SettingsError, match="PROJECT_MODELS=other/one"):
        refuse_foreign(settings, wanted(STUDENT_ENCODER="other/one?pooling=cls"))


@pytest.mark.parametrize(
    "name", ["default?prompt=x", "default?pooling=middle", "?prefix=x", "default?prefix=a&prefix=b"]
)
def test_a_malformed_use_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ValueError, match=r"STUDENT_ENCODER=.*(write NAME|allowed are)"):
        wanted(STUDENT_ENCODER=name)
