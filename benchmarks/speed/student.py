"""Predictions per second: through HTTP against the raw runtime, and the runtimes against eager float32 torch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from backend.pool import projects, versions
from backend.pool.version_names import trained_name
from backend.services import Services
from benchmarks.shared.datasets import read_rows
from benchmarks.shared.folders import plain_sets
from benchmarks.speed.rows import Row, interleaved, ratio, row
from benchmarks.speed.web import (
    LABELS,
    PROJECT,
    Client,
    environment_of,
    pool,
    predict_body,
    scratch,
    settings_for,
    web_server,
)
from model.arrays import FloatArray
from model.encoder.batching import Batching
from model.encoder.runtimes import RUNTIMES, open_encoder, preferred
from model.labels import LabelSpace
from model.registry import Registry
from model.student.head import HeadStudent

TASKS = 100


def texts_of(data: Path, number: int, usual: str = "ag_news") -> list[str]:
    """Different texts of a train part: news of about forty words, or of the folder's first set if it has none.

    SystemExit if the folder has no set of texts.
    """
    dataset = plain_sets(data, (usual,), ("train",))[0]
    found = dict.fromkeys(str(one["text"]) for one in read_rows(data / dataset / "train.jsonl.gz"))
    return [f"{text} {turn}".strip() for turn in ["", *map(str, range(1, 1000))] for text in found][:number]


def runtime_rows(data: Path, rounds: int, number: int) -> tuple[list[Row], dict[str, float]]:
    """Texts per second of every runtime, and the agreement of a head's labels with those of float32."""
    texts = texts_of(data, number)
    with scratch() as folder:
        encoders = {name: open_encoder("default", name, folder) for name in RUNTIMES}
        found = interleaved(rounds, {name: partial(_rate, one, texts) for name, one in encoders.items()})
        vectors = {name: one.embed(texts) for name, one in encoders.items()}
    rows = [
        row("texts", name, value, "texts/s", turn)
        for name, values in found.items()
        for turn, value in enumerate(values)
    ]
    head = _random_head(vectors["float32"])
    labels = {name: head.of_vectors(one).argmax(1) for name, one in vectors.items()}
    for name in RUNTIMES:
        rows.append(row("agreement", name, float((labels[name] == labels["float32"]).mean()), "share of labels"))
        rows.append(row("cosine", name, float((vectors[name] * vectors["float32"]).sum(1).min()), "smallest"))
    summary = {f"{name}_vs_float32": ratio(found[name], found["float32"]) for name in RUNTIMES[1:]}
    summary |= {
        f"{name}_agreement": one["value"] for one in rows if one["what"] == "agreement" for name in [one["method"]]
    }
    return rows, summary


def served_rows(data: Path, rounds: int) -> tuple[list[Row], dict[str, float]]:
    """A student that answers 100 new tasks a request, against its encoder in a plain loop over the same texts."""
    turns = rounds + 1
    texts = texts_of(data, TASKS * turns)
    parts = [texts[start : start + TASKS] for start in range(0, len(texts), TASKS)]
    with scratch() as folder:
        settings = settings_for(folder, PREDICT_SECONDS=60.0)
        encoder = open_encoder("default", preferred(), folder)
        with pool(settings) as services:
            _promote(services, Registry(settings.model_dir, folder / "fetched"), encoder.dimension)
        with web_server("backend.web.wsgi:app", environment_of(settings), folder) as (_, port):
            client, numbers = Client(port), iter(range(1, turns * TASKS + 1))
            bodies: Iterator[bytes] = iter([predict_body({next(numbers): text for text in part}) for part in parts])
            while b'"choices"' not in client.post("/predict", predict_body({10**6: "is it loaded?"})):
                time.sleep(0.2)
            client.post("/predict", next(bodies))
            plain = iter(parts[1:])
            ways = {"http": lambda: TASKS / client.seconds("/predict", next(bodies), 1),
                    "runtime": lambda: _rate(encoder, next(plain))}  # fmt: skip
            found = interleaved(rounds, ways)
    rows = [
        row("predictions", name, value, "texts/s", turn)
        for name, values in found.items()
        for turn, value in enumerate(values)
    ]
    return rows, {"http_vs_runtime": ratio(found["http"], found["runtime"])}


def _rate(encoder: Batching, texts: Sequence[str]) -> float:
    torch.set_num_threads(1)
    started = time.perf_counter()
    encoder.embed(texts)
    return len(texts) / (time.perf_counter() - started)


def _random_head(vectors: FloatArray) -> HeadStudent:
    """Twenty labels whose centres are texts: the student is as unsure as students are."""
    centres = vectors[np.random.default_rng(0).choice(len(vectors), 20, replace=False)]
    head: dict[str, FloatArray] = {"mean": np.zeros(vectors.shape[1], np.float32), "scale": np.ones(1, np.float32)}
    head |= {"out": (20 * centres.T).astype(np.float32), "out_bias": np.zeros(20, np.float32)}
    return HeadStudent(LabelSpace.of([f"label {number}" for number in range(20)]), "default", [head])


def _promote(services: Services, registry: Registry, width: int) -> None:
    project = projects.get(services.engine, PROJECT)
    assert project is not None, "the project was connected"
    assert project.space is not None, "its label config is supported"
    random, version = np.random.default_rng(0), trained_name("student", 1, project.space_hash)
    head: dict[str, FloatArray] = {"mean": np.zeros(width, np.float32), "scale": np.full(1, 20, np.float32)}
    head |= {
        "hidden": random.normal(0.0, 0.05, (width, 256)).astype(np.float32),
        "hidden_bias": np.zeros(256, np.float32),
    }
    head |= {
        "out": random.normal(size=(256, len(LABELS))).astype(np.float32),
        "out_bias": np.zeros(len(LABELS), np.float32),
    }
    registry.write(PROJECT, version, HeadStudent(project.space, "default", [head], runtime=preferred()), {})
    versions.add(services.engine, PROJECT, version, 1, project.space_hash, {}, 0)
    projects.promote(services.engine, PROJECT, version)
