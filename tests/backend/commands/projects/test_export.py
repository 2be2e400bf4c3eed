"""Labels with their provenance in every format, the student as a folder of transformers, and the report."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from backend.errors import ProjectError
from backend.pool import annotations, candidates, projects, tasks, text
from backend.pool.annotation import Annotation
from backend.pool.database.student_tables import predictions
from backend.projects.current import current_of
from backend.reporting.export import COLUMNS
from backend.services import open_services
from backend.settings import load_settings
from model.labels import LabelSpace
from model.registry import Registry
from model.student.head import HeadStudent
from tests.backend.commands.projects.conftest import SPACE, Run, name
from tests.support.samples import answered

TEXTS = {1: "=money back", 2: "שלום, my bill", 3: "refund\nplease", 4: "nothing known", 5: "either"}


@pytest.fixture
def filled(pool: sa.Engine, run: Run) -> sa.Engine:
    """Five tasks: decided by a person, answered by the student, by the teacher alone, by nobody, and narrowed."""
    project = projects.get(pool, 7)
    assert project is not None
    tasks.add(pool, 7, TEXTS)
    teacher = current_of(open_services(load_settings()), project).teacher_version
    sets = {1: ["billing", "refund"], 2: ["billing"], 3: ["refund"], 5: ["refund", "billing"]}
    rows = [(task, text.text_hash(TEXTS[task]), answered(*labels)) for task, labels in sets.items()]
    candidates.save(pool, 7, teacher, rows)
    with pool.begin() as connection:
        for task, label in ((1, "billing"), (2, "refund"), (5, "billing")):
            row = {"project": 7, "task": task, "version": name(4), "label": label, "score": 0.75}
            row["text_hash"] = text.text_hash(TEXTS[task])
            connection.execute(sa.insert(predictions), row)
    at = "2026-11-21T05:43:01.000000Z"
    shown = {"shown_version": name(3), "shown_labels": ("billing",), "shown_at": at, "shown_score": 0.7}
    people = [
        Annotation(1, 1, 11, ("refund",), "labelled", False, at, **shown),
        Annotation(2, 5, 12, ("billing", "refund"), "labelled", False, at),
    ]
    annotations.save(pool, 7, people)
    return pool


def exported(run: Run, tmp_path: Path) -> dict[int, dict[str, object]]:
    """The rows that the command writes, by task."""
    file = tmp_path / "labels.jsonl"
    assert run("export", "7", str(file)).exit_code == 0
    return {row["task"]: row for row in map(json.loads, file.read_text().splitlines())}


def test_an_answer_to_another_text_is_not_given(filled: sa.Engine, run: Run, tmp_path: Path) -> None:
    tasks.add(filled, 7, {2: "something else altogether", 3: "edited, too"})
    rows = exported(run, tmp_path)
    assert (rows[1]["label"], rows[5]["label"]) == ("refund", "billing")
    for task in (2, 3):
        found = rows[task]
        assert (found["label"], found["source"], found["confidence"]) == ("", "", None)
        assert (found["candidates"], found["student"], found["student_label"]) == ([], "", "")


def test_a_label_that_there_is_no_more_is_not_given(filled: sa.Engine, run: Run, tmp_path: Path) -> None:
    other = LabelSpace.of(["billing", "returns"])
    projects.save_config(filled, 7, "1", "tickets", "<View/>", other, "", {})
    rows = exported(run, tmp_path)
    assert {row["label"] for row in rows.values()} == {""}  # nobody was asked about these labels yet
    assert {row["student"] for row in rows.values()} == {""}
    assert (rows[1]["labels"], rows[1]["people"], rows[5]["labels"]) == ([], [], [])


WANTED = {1: ("refund", "person"), 2: ("refund", "student"), 3: ("refund", "teacher"), 4: ("", ""),
          5: ("billing", "student")}  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_holds_the_same_labels(filled: sa.Engine, run: Run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"labels.{ending}"
    result = run("export", "7", str(path), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sources"] == {"person": 1, "student": 2, "teacher": 1}
    if ending == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows[0]["text"] == "'=money back"
        assert json.loads(rows[0]["candidates"]) == ["billing", "refund"]
    elif ending == "jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert rows[1]["text"] == TEXTS[2]
        assert (rows[0]["people"], rows[1]["confidence"]) == ([11], 0.75)
    else:
        rows = pq.read_table(path).to_pylist()
        assert rows[2]["candidate_confidences"] == [0.6]
    assert {int(row["task"]): (row["label"], row["source"]) for row in rows} == WANTED
    assert tuple(rows[0]) == COLUMNS
    assert [found.name for found in tmp_path.iterdir() if found.name.endswith(".part")] == []


def test_an_unknown_ending_is_refused(filled: sa.Engine, run: Run) -> None:
    result = run("export", "7", "labels.xlsx")
    assert isinstance(result.exception, ProjectError)
    assert ".parquet" in str(result.exception)


def test_a_student_that_is_not_there_is_named(filled: sa.Engine, run: Run) -> None:
    result = run("export", "7", "folder", "--student", "--version", "student-9-x")
    assert isinstance(result.exception, ProjectError)
    assert "shortlist versions 7" in str(result.exception)


class Loaded(HTMLParser):
    """Collects what a page would fetch by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag for name, value in attrs if name == "src" or (tag == "link" and name == "href" and value)]


def test_the_report_stands_alone_and_tells_of_disagreement(filled: sa.Engine, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert run("report", "7", str(path)).exit_code == 0
    page = path.read_text(encoding="utf-8")
    loaded = Loaded()
    loaded.feed(page)
    assert loaded.found == []
    assert "<script" not in page
    assert "=money back" in page
    assert name(2) in page
    assert "Agreement between people" in page


def test_the_served_student_is_written_with_an_example(filled: sa.Engine, run: Run, tmp_path: Path) -> None:
    settings = load_settings()
    weights = {"mean": np.zeros(384), "scale": np.ones(384), "out": np.eye(384, 2), "out_bias": np.zeros(2)}
    head = {key: value.astype(np.float32) for key, value in weights.items()}
    student = HeadStudent(SPACE, "default", [head])
    Registry(settings.model_dir, settings.cache_dir / "fetched").write(7, name(4), student, {})
    result = run("export", "7", "my-classifier", "--student")
    assert result.exit_code == 0, result.output
    assert 'pipeline("text-classification", model="my-classifier"' in result.stdout
    config = json.loads((tmp_path / "my-classifier" / "config.json").read_text())
    assert config["id2label"] == {"0": "billing", "1": "refund"}
    card = (tmp_path / "my-classifier" / "README.md").read_text()
    assert "human labels: 40" in card
    assert 'right when people decided: "not known"' in card


def test_an_unknown_form_of_the_student_is_refused(filled: sa.Engine, run: Run) -> None:
    found = run("export", "7", "folder", "--student", "--format", "pickle")
    assert found.exit_code == 2
    assert "onnx" in found.output
