from pathlib import Path

import pytest

from backend.commands.start.sample.columns import choose_columns
from backend.errors import SampleError

PATH = Path("tickets.csv")


@pytest.mark.parametrize(
    ("record", "text", "label", "reason"),
    [
        ({"id": "1", "text": "x", "label": "a"}, "text", "a", "by its name"),
        ({"id": "1", "TEXT ": "x", "Label": "a"}, "TEXT ", "a", "by its name"),
        ({"id": "17", "message": "where is my parcel", "when": "2026-01-01"}, "message", "", "the only one with texts"),
        (
            {"subject": "one two three", "body": "one two three four"},
            "subject",
            "",
            "the first of 2 with texts",
        ),
        ({"id": "A-1", "word": "parcel", "n": 3}, "id", "", "the first of 2 with texts"),
        ({"label": "one two three four", "note": "why so many words"}, "note", "one two three four", "the only one"),
    ],
)
def test_the_text_column_is_chosen_and_the_reason_told(
    record: dict[str, object], text: str, label: str, reason: str
) -> None:
    columns = choose_columns([record], PATH)
    assert columns.text == text
    assert columns.reason.startswith(reason)
    assert record.get(columns.label, "") == label


def test_a_column_that_shows_up_late_counts() -> None:
    records: list[dict[str, object]] = [{"n": 1}, {"n": 2, "remark": "this came later on"}]
    assert choose_columns(records, PATH).text == "remark"


@pytest.mark.parametrize("record", [{"n": 1}, {"a": "1", "b": "2.5"}, {"label": "one two three"}, {"a": None}])
def test_a_file_without_texts_is_refused_with_its_columns(record: dict[str, object]) -> None:
    with pytest.raises(SampleError, match=r"tickets\.csv has no column with texts .*call the column 'text'"):
        choose_columns([record], PATH)
