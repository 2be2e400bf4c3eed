import gzip
import json
from pathlib import Path

import pytest

from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.state import SampleState, keep_labels, recall, remember


def test_a_state_is_found_again_under_its_key(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    assert recall(folder, "a") is None
    remember(folder, "a", SampleState(3, complete=False))
    remember(folder, "a", SampleState(3, complete=True))
    assert recall(folder, "a") == SampleState(3, complete=True)
    assert recall(folder, "b") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"project": 1}', '{"other": 1}'])
def test_a_damaged_state_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    assert recall(tmp_path, "a") is None


def test_labels_are_kept_by_line_beside_the_tasks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nfirst of all,a\nno label here,\nlast of all,b\n")
    kept = keep_labels(read_sample(path), tmp_path / "samples", 7)
    assert kept is not None
    with gzip.open(kept, "rt") as file:
        assert [json.loads(line) for line in file] == [{"row": 2, "label": "a"}, {"row": 4, "label": "b"}]
    assert [found.name for found in (tmp_path / "samples").iterdir()] == ["project-7-labels.jsonl.gz"]


def test_without_labels_nothing_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\nfirst of all\n")
    assert keep_labels(read_sample(path), tmp_path / "samples", 7) is None
    assert not (tmp_path / "samples").exists()
