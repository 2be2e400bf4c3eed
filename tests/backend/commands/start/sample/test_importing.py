import io
from pathlib import Path

import pytest

from backend.commands.start.console import Console
from backend.commands.start.first_project import report_reading
from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.importing import sample_key, shuffled, title
from backend.commands.start.sample.label_space import label_space, shipped_messages


@pytest.mark.parametrize("name", ["a.csv", "tickets.jsonl.gz", "x" * 300 + ".csv", "ümläut büro.json"])
def test_titles_have_a_length_that_label_studio_takes(name: str) -> None:
    assert 3 <= len(title(Path(name))) <= 50


def test_titles_name_the_file() -> None:
    assert title(Path("my.tickets.jsonl.gz")) == "my.tickets (sample)"
    assert title(Path("/data/banking/train.jsonl.gz")) == "banking train (sample)"
    assert title(shipped_messages()) == "Customer messages (sample)"


def test_the_key_follows_content_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text\nfirst of all\n")
    sample = read_sample(path)
    assert sample_key(sample, label_space(sample, "a,b")) != sample_key(sample, label_space(sample, "a,c"))


def test_what_was_read_is_told_with_the_first_bad_rows_in_full(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a good one", "label": "x"}\n' + "broken\n" * 15)
    said = io.StringIO()
    report_reading(read_sample(path), Console(said))
    lines = said.getvalue().splitlines()
    assert lines[0] == "Sample: 1 texts from column 'text' (by its name) of a.jsonl"
    assert lines[1] == "  labels of column 'label' are kept for comparison only; no model sees them"
    assert lines[2].startswith("  line 2 skipped: not JSON")
    assert lines[-1] == "  5 more lines skipped for such reasons: 12, 13, 14, 15, 16"
    assert len(lines) == 13


def test_tasks_come_shuffled_and_always_in_the_same_order(tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    path.write_text("text,label\n" + "".join(f"message number {row},{'ab'[row >= 100]}\n" for row in range(200)))
    sample = read_sample(path)
    rows = shuffled(sample)
    assert sorted(row.line for row in rows) == [row.line for row in sample.rows]
    assert 10 <= sum(row.label == "a" for row in rows[:40]) <= 30
    assert rows == shuffled(read_sample(path))
