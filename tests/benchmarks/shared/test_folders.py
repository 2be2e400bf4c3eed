"""Every benchmark that takes a data folder measures any folder, or says in one sentence what is missing."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.committee import __main__ as committee
from benchmarks.quality import __main__ as quality
from benchmarks.sampling import __main__ as sampling
from benchmarks.shared.folders import has_plain_labels, plain_sets
from benchmarks.speed import __main__ as speed
from benchmarks.teacher import __main__ as teacher

BENCHMARKS = {
    "committee": committee.main, "quality": quality.main, "sampling": sampling.main, "speed": speed.main,
    "teacher": teacher.main,
}  # fmt: skip


def add_set(data: Path, name: str, labels: object, row: dict[str, object]) -> None:
    (data / name).mkdir(parents=True)
    (data / name / "labels.json").write_text(json.dumps(labels))
    for part in ("train", "test"):
        with gzip.open(data / name / f"{part}.jsonl.gz", "wt") as file:
            file.write(json.dumps(row) + "\n")


def other_kinds(data: Path) -> None:
    add_set(data, "pairs", ["a", "b"], {"fields": {"one": "x", "two": "y"}, "label": "a"})
    add_set(data, "several", ["a", "b"], {"text": "x", "labels": ["a"]})
    add_set(data, "tree", {"a": ["b"]}, {"text": "x", "path": ["a", "b"]})
    (data / "unfinished").mkdir()
    (data / "unfinished" / "labels.json").write_text("[]")


@pytest.mark.parametrize("name", BENCHMARKS)
@pytest.mark.parametrize("folder", ["empty", "of other kinds", "missing"])
@pytest.mark.parametrize("quick", [True, False])
def test_nothing_to_measure_is_said_in_one_sentence(
    name: str, folder: str, quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    if folder != "missing":
        data.mkdir()
    if folder == "of other kinds":
        other_kinds(data)
    words = ["--data", str(data), "--out", str(tmp_path / "out.json"), *(["--quick"] if quick else [])]
    monkeypatch.setattr(sys, "argv", [name, *words])
    main: Callable[[], None] = BENCHMARKS[name]
    with pytest.raises(SystemExit) as found:
        main()
    said = str(found.value)
    assert said.startswith(f"--data {data}: there is no")
    assert "\n" not in said
    assert not (tmp_path / "out.json").exists()


def test_only_flat_labels_of_texts_are_plain(tmp_path: Path) -> None:
    other_kinds(tmp_path)
    add_set(tmp_path, "mine", ["a", "b"], {"text": "x", "label": "a"})
    add_set(tmp_path, "named", {"labels": ["a", "b"]}, {"text": "x", "label": "a"})
    assert plain_sets(tmp_path) == ["mine", "named"]
    assert plain_sets(tmp_path, ("trec", "named")) == ["named"]
    assert plain_sets(tmp_path, ("trec",)) == ["mine", "named"]
    assert not has_plain_labels(tmp_path / "several")
