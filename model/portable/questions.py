"""What an exported student is told about its questions, and the code that goes with it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OURS = re.compile(r"^from (model(?:\.portable)?)\.(\w+) import", re.MULTILINE)


def write_code(source: str, target: Path, package: str = "") -> None:
    """Copy the module `source` and those of ours that it imports beside it, which it then imports from there: with
    `package` "." as neighbours in a package."""
    text = (HERE / source).read_text(encoding="utf-8")
    for place, name in OURS.findall(text):
        folder = HERE if place.endswith("portable") else HERE.parent
        shutil.copyfile(folder / f"{name}.py", target.with_name(f"{name}.py"))
    target.write_text(OURS.sub(rf"from {package}\2 import", text), encoding="utf-8")


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
