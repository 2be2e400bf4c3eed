"""Where a member that others trained comes from, as it is stored: its place and the map from its labels to ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from model.committee.members.label_map import LabelMap
from model.errors import ArtifactError
from model.labels import LabelSpace


class Origin(NamedTuple):
    """What such a member is made from again; `targets` maps its labels to ours or to None."""

    name: str
    space: LabelSpace
    place: str
    targets: Mapping[str, str | None]


def write_origin(path: Path, name: str, place: str, labels: LabelMap) -> None:
    """Write it to a file, whose folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"format": 1, "name": name, "place": place, "label_space": labels.space.to_json()}
    path.write_text(json.dumps({**content, "map": dict(labels.targets)}, ensure_ascii=False))


@contextmanager
def read_origin(path: Path) -> Iterator[Origin]:
    """For making the member within: ArtifactError names the file if that fails."""
    try:
        content = json.loads(path.read_text())
        space = LabelSpace.from_json(content["label_space"])
        yield Origin(str(content["name"]), space, str(content["place"]), dict(content["map"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: not a stored member ({error!r})") from error
