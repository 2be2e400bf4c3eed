"""What an exported student is told about its questions, and the code that goes with it: see `answering`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ANSWERING = "answering.py"
IMPORT = "from model.portable.answering import"


def write_code(source: str, target: Path, package: str = "") -> None:
    """Copy the module `source` and `answering` beside it, which it then imports from there: with `package` "." as a
    neighbour in a package."""
    text = (HERE / source).read_text(encoding="utf-8").replace(IMPORT, f"from {package}answering import")
    target.write_text(text, encoding="utf-8")
    shutil.copyfile(HERE / ANSWERING, target.with_name(ANSWERING))


def described(student: Any) -> list[dict[str, Any]]:
    """A plain object for every question of a student."""
    space, limits = student.space, getattr(student, "thresholds", None)
    return [
        {
            "name": group.name,
            "kind": group.kind,
            "start": group.start,
            "stop": group.stop,
            "labels": list(part.names),
            "thresholds": [0.5] * len(group) if limits is None else [float(one) for one in limits[group.columns]],
            "least": group.least,
            "when": [
                {"columns": [space.index(label) for label in one.labels], "chosen": one.chosen} for one in group.when
            ],
        }
        for group, part in zip(space.groups, space.parts, strict=True)
    ]
