"""Label Studio's own exports as sample files."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.commands.start.plan import read_plan_sample
from backend.commands.start.sample.file import read_sample
from backend.errors import SampleError


def annotation(*labels: str, **more: object) -> dict[str, Any]:
    region = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return {"result": [region] if labels else [], "was_cancelled": False, **more}


def full(folder: Path, *tasks: list[dict[str, Any]]) -> Path:
    path = folder / "export.json"
    rows = [{"id": n, "data": {"text": f"message {n}"}, "annotations": found} for n, found in enumerate(tasks, start=1)]
    path.write_text(json.dumps(rows))
    return path


def test_the_annotations_of_a_full_export_are_its_labels(tmp_path: Path) -> None:
    part = {"type": "labels", "value": {"start": 0, "end": 2, "text": "me", "labels": ["PER"]}}
    path = full(
        tmp_path,
        [annotation("late")],
        [annotation("late", "broken")],
        [annotation("late"), annotation("broken")],
        [annotation("late"), annotation("late")],
        [annotation("broken", was_cancelled=True)],
        [{"result": [part]}],
        [{"result": [{"type": "taxonomy", "value": {"taxonomy": [["money", "in"]]}}]}],
        [],
    )
    sample = read_sample(path)
    found = [row.label or row.narrowed for row in sample.rows]
    assert found == ["late", ("late", "broken"), ("late", "broken"), "late", (), (), "money / in", ()]
    assert sample.columns.label == "annotations"


@pytest.mark.parametrize(
    "content",
    [
        "annotation_id,annotator,id,label,text\n1,1,7,late,It is late\n2,2,7,broken,It is late\n3,1,8,late,Late too\n",
        'annotation_id,id,label,text\n1,7,"{""choices"":[""late"",""broken""]}",It is late\n3,8,late,Late too\n',
        "annotation_id,id,topic,text\n1,7,\"{'choices': ['late', 'broken']}\",It is late\n3,8,late,Late too\n",
    ],
)
def test_a_table_export_has_one_text_for_each_task(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    sample = read_sample(tmp_path / "a.csv")
    found = [(row.text, row.label or row.narrowed) for row in sample.rows]
    assert found == [("It is late", ("late", "broken")), ("Late too", "late")]


def test_other_tools_rows_with_one_id_stay_apart(tmp_path: Path) -> None:
    lines = [{"id": 1, "text": f"message {n}", "labels": [label]} for n, label in enumerate(["late", "broken"])]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [row.label for row in read_sample(tmp_path / "a.jsonl").rows] == ["late", "broken"]


def test_labels_are_peoples_only_where_there_are_some(tmp_path: Path) -> None:
    path = full(tmp_path, [annotation("late")], [annotation("broken", "late")], [annotation("lost")], [])
    assert read_plan_sample(str(path), "", by_people=True).outside == 0
    assert read_plan_sample(str(path), "late,broken", by_people=True).outside == 1
    with pytest.raises(SampleError, match="no labels of the project's that could count as people's"):
        read_plan_sample(str(path), "good,bad", by_people=True)
    with pytest.raises(SampleError, match="LABELS_BY_PEOPLE goes with SAMPLE"):
        read_plan_sample("", "", by_people=True)
