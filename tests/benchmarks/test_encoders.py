"""The benchmark of encoders on a small set of its own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from benchmarks.encoders import accuracy, labelled, vectors_of
from model.encoder.encoder import load_encoder
from tests.support.encoder_folders import tiny_model


def test_pieces_tell_what_stands_at_the_end_of_a_text(tmp_path: Path) -> None:
    beginning = "bill bank pay " * 20
    rows = [{"text": beginning + f"{word} " * 30, "label": word} for word in ("cat", "fur") for _ in range(8)]
    rows += [{"text": "cat", "path": ["animal", "cat"]}]
    with gzip.open(tmp_path / "train.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    texts, labels = labelled(tmp_path, 16)
    assert len(texts) == len(labels) == 16
    tiny_model("bert", tmp_path / "tiny")
    encoder = load_encoder(str(tmp_path / "tiny"))
    before = encoder.usage
    cut, whole = (vectors_of(encoder, texts, number) for number in (1, 8))
    assert encoder.usage == before
    rest = [place for place, text in enumerate(texts) if text != "cat"]
    assert np.allclose(cut[rest], cut[rest[0]], atol=1e-5)  # alike: they differ behind what is read
    assert accuracy(whole[rest], [labels[place] for place in rest], 1) > 90
