"""Write docs/settings.md from the settings class, so that the page cannot be out of date.

.venv/bin/python scripts/settings_table.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import SecretStr  # noqa: E402
from pydantic.fields import FieldInfo  # noqa: E402

from backend.project_options import ProjectOptions  # noqa: E402
from backend.settings import Settings  # noqa: E402

HEAD = """# Settings

Every setting is an environment variable, or a line in `.env`; its default stands in brackets. An unknown project option
or a malformed value is refused with its name and what is allowed. This page is written by `scripts/settings_table.py`.

"""
PROJECT = """## Of a project

These may also stand in the `extra_params` of a project's ML backend connection, as a JSON object such as
`{"TEACHER": "openai:my-model", "BUDGET_USD": 2}`; there they hold for that project only.

"""


def listed(names: list[str], fields: dict[str, FieldInfo]) -> str:
    """Some fields, one a line."""
    return "".join(f"- **`{name}`**{default(fields[name])}: {meaning(fields[name])}\n" for name in names)


def default(field: FieldInfo) -> str:
    """The default as code in brackets, nothing where it is empty."""
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return "" if value == "" else f" (`{value}`)"


def meaning(field: FieldInfo) -> str:
    """The description, with the allowed words of a choice."""
    allowed = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    words = f" ({', '.join(f'`{word}`' for word in allowed)})" if allowed else ""
    return f"{field.description}{words}".replace("<", "&lt;")


def page() -> str:
    """The whole page."""
    fields = Settings.model_fields
    own = [name for name in fields if name in ProjectOptions.model_fields]
    rest = [name for name in fields if name not in ProjectOptions.model_fields]
    return f"{HEAD}{PROJECT}{listed(own, fields)}\n## Of the installation\n\n{listed(rest, fields)}"


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(page(), encoding="utf-8")
