"""What a training says of texts that its encoder does not know, or does not read to the end."""

from __future__ import annotations

from backend.reporting.wording import left_out_words
from backend.training.text_fit import text_fit
from model.training.options import TrainingOptions, TrainingReport

NOTHING = {"tasks": 0, "annotations": 0, "labels": {}}
GERMAN = "Der Kunde möchte seine Bestellung stornieren und das Geld zurückerhalten"
ENGLISH = "I want to cancel my order and get my money back"


def said(way: str, *texts: str) -> str:
    report = TrainingReport("shortlist", way, len(texts), 0, settings=TrainingOptions(way=way).to_json())
    return " ".join(left_out_words({**NOTHING, "texts": text_fit(report, texts)}))


def test_texts_of_another_language_are_told_with_the_setting() -> None:
    assert said("head", ENGLISH, ENGLISH) == ""
    assert "50% of the texts are in a language or script" in said("head", ENGLISH, GERMAN)
    assert "STUDENT_ENCODER=default does not know" in said("head", GERMAN)


def test_a_fine_tuned_student_reads_beginnings() -> None:
    long = ENGLISH + " please" * 200
    assert said("head", long) == ""
    assert "STUDENT_TRAINING=head reads them to the end" in said("finetune", long)
    assert said("finetune", *[ENGLISH + str(number) for number in range(20)], long) == ""


def test_before_a_training_nothing_is_told() -> None:
    assert left_out_words({**NOTHING, "texts": {}}) == []
