"""Texts, a student that is served, and waiting for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from model.calibration import Calibration
from model.encoder.encoder import load_encoder
from model.labels import HumanLabel, LabelSpace
from model.train import TrainingOptions, train_student, training_data
from tests.support.web_server import Server

TEXTS = {1: "I was charged twice", 2: "where is my parcel", 3: "hello"}


def promote_student(server: Server, project: int, number: int = 1, calibration: Calibration | None = None) -> str:
    """Train a tiny student on a few texts, store and promote it as the train job does."""
    space = server.project(project).space
    assert isinstance(space, LabelSpace)
    encoder = load_encoder()
    texts = [f"{label.name} {label.hint} {word}" for label in space.labels for word in ("please", "help")]
    sets = [None] * len(texts)
    people = [HumanLabel((name,)) for name in space.names for _ in range(2)]
    data = training_data(space, texts, sets, people)
    student, _ = train_student(space, data, TrainingOptions(), encoder.embed)
    card = {"calibration": calibration.to_json()} if calibration else {}
    server.registry.write(project, f"student-{number}-{space.hash}", student, card)
    return server.promote(number, project)


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def shown(version: str, *labels: str) -> dict[str, object]:
    region = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return {"id": 1, "model_version": version, "score": 0.5, "result": [region]}
