"""How large the container images are: the base image aside, the files of all packages in each lock, by size.

.venv/bin/python scripts/image_size.py
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOWN = 12


def sizes(lock: Path) -> dict[str, int]:
    """Bytes of each locked package as it is installed here; those that are not installed here are missing."""
    names = re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE)
    found: dict[str, int] = {}
    for name in names:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        places = [Path(str(file.locate())) for file in files if not str(file).endswith(".pyc")]
        found[name] = sum(place.stat().st_size for place in places if place.is_file())
    return found


def table(found: dict[str, int]) -> str:
    """The largest packages and the sum, in megabytes (10^6 bytes)."""
    ordered = sorted(found.items(), key=lambda pair: -pair[1])
    lines = [f"{name:<28}{size / 1e6:8.1f} MB" for name, size in ordered[:SHOWN]]
    rest = sum(size for _, size in ordered[SHOWN:])
    lines.append(f"{len(ordered) - SHOWN} others{'':<20}{rest / 1e6:8.1f} MB")
    lines.append(f"{'all packages':<28}{sum(found.values()) / 1e6:8.1f} MB")
    return "\n".join(lines)


if __name__ == "__main__":
    for image, lock in (("web", "requirements-web.txt"), ("worker", "requirements.txt")):
        sys.stdout.write(f"{image}, from {lock}\n{table(sizes(ROOT / lock))}\n\n")
