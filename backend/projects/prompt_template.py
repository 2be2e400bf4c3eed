"""The team's own prompt template, read from a file when it changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from string import Template

from backend.errors import SettingsError

PLACEHOLDERS = {"count", "labels", "instructions", "task", "form"}
LARGEST = 100_000  # bytes


def prompt_template(setting: str, project: int) -> str:
    """The template for a project; "" means the built-in one.

    With `{project}` in the setting every project may have its own file, and one without a file gets the built-in
    template. Raises SettingsError if the file cannot be read or used.
    """
    if not setting:
        return ""
    path = Path(setting.replace("{project}", str(project)))
    try:
        stat = path.stat()
    except OSError as error:
        if "{project}" in setting and isinstance(error, FileNotFoundError):
            return ""
        raise SettingsError(f"PROMPT_FILE={setting}: {error.strerror}") from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, _changed_ns: int, size: int) -> str:
    if size > LARGEST:
        raise SettingsError(f"PROMPT_FILE={path} is larger than {LARGEST} bytes")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"PROMPT_FILE={path} cannot be read: {error}") from None
    template = Template(text)
    unknown = sorted(set(template.get_identifiers()) - PLACEHOLDERS)
    if unknown or not template.is_valid():
        raise SettingsError(
            f"PROMPT_FILE={path}: {'$' + unknown[0] if unknown else 'a lone $'} is no placeholder; there are "
            f"{', '.join('$' + name for name in sorted(PLACEHOLDERS))}, and $$ is a dollar"
        )
    if "labels" not in template.get_identifiers():
        raise SettingsError(f"PROMPT_FILE={path} has no $labels; without it the LLM does not know the labels")
    return text
