"""The ledger of a soak run: what Label Studio's own database refused is told apart, and nothing else."""

from __future__ import annotations

from pathlib import Path

from backend.commands.start.sample.file import read_sample
from benchmarks.soak.__main__ import WITHIN_LINES, locked_requests, write_sample
from benchmarks.soak.load import Tally

LOCKED = "django.db.utils.OperationalError: database is locked\n"
ANSWER = '[2026-11-21 14:08:01,094] [django.server] [ERROR] "GET /api/projects/1/next/ HTTP/1.1" 500 1918\n'
ERROR = "LabelStudioAnswer: GET /api/projects/1/next/: 500 <html>"


def test_only_errors_right_after_a_locked_database_are_label_studios(tmp_path: Path) -> None:
    log = tmp_path / "label-studio.log"
    log.write_text("Traceback\n" + LOCKED + ANSWER + ANSWER)  # it writes each answer twice
    assert locked_requests(log, [ERROR, ERROR]) == [ERROR]
    assert locked_requests(log, ["LabelStudioAnswer: POST /api/tasks/3/annotations: 500 x"]) == []
    log.write_text(LOCKED + "something else\n" * (WITHIN_LINES + 1) + ANSWER)
    assert locked_requests(log, [ERROR]) == []


def test_the_sample_has_a_gold_label_for_each_of_its_texts(tmp_path: Path) -> None:
    path, gold = write_sample(tmp_path, 700)
    assert {row.text: row.label for row in read_sample(path).rows} == gold
    assert len(gold) == 700


def test_every_event_is_counted_and_silence_is_no_answer() -> None:
    tally = Tally()
    tally.acted(0.1, {"action": "ANNOTATION_CREATED"})
    tally.acted(0.1, None)
    tally.sent_by_hand(True)
    tally.sent_by_hand(False)
    tally.failed(ValueError("x"))
    assert (tally.events_sent, tally.injected, tally.refused, len(tally.sent)) == (4, 2, 1, 1)
    assert tally.errors == ["ValueError: x"]
