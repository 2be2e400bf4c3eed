"""Write requirements-web.txt: what a web server needs that serves students in ONNX form, at the locked versions.

.venv/bin/python scripts/web_requirements.py [--check]
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK, PAGE = ROOT / "requirements.txt", ROOT / "requirements-web.txt"
EXTRAS = ("serve", "llm", "postgres", "s3")
UNUSED = ("nltk", "opencv-python-headless", "pandas")  # of label-studio-sdk, which imports them for what is not ours
HEAD = """# What a web server needs that runs students in ONNX form (SHARE_ENCODER=true): no torch, no transformers.
# Written by scripts/web_requirements.py from pyproject.toml and requirements.txt; install with `pip install --no-deps`.
"""


def needed(roots: Iterable[str]) -> set[str]:
    """Names of all packages that these requirements bring along, as they are installed here, without UNUSED."""
    found: set[str] = set()
    waiting = [Requirement(root) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name in UNUSED or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            further = Requirement(line)
            marker = further.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append(further)
    return found


def page() -> str:
    """The whole file; every needed package must be in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    roots = [*project["dependencies"], *(line for extra in EXTRAS for line in project["optional-dependencies"][extra])]
    wanted = needed(roots)
    lines = [line for line in LOCK.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)]
    pins = {canonicalize_name(re.split(r"==", line, maxsplit=1)[0]): line for line in lines}
    missing = sorted(wanted - set(pins))
    if missing:
        raise SystemExit(f"requirements.txt lacks {', '.join(missing)}")
    return HEAD + "".join(f"{pins[name]}\n" for name in sorted(wanted))


def main() -> int:
    """Write the file, or with --check compare; 1 if it is out of date."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    sys.stderr.write(f"{PAGE.name} is out of date: run .venv/bin/python scripts/web_requirements.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
