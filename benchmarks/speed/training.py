"""Time to accuracy: our head against `transformers.Trainer`, which fine-tunes the same encoder on the same rows."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks.shared.datasets import gold_part, read_space
from benchmarks.shared.folders import plain_sets
from benchmarks.speed.rows import Row, row
from benchmarks.speed.web import scratch
from model.arrays import Embed, FloatArray, IntArray
from model.encoder.place import checkpoint_place
from model.encoder.runtimes import open_encoder, preferred
from model.labels import HumanLabel, LabelSpace
from model.train import TrainingOptions, train_student, training_data

DATASET, TESTED = "trec", 500
BATCH, EPOCHS, RATE = 32, 8, 5e-5
Texts = tuple[str, ...]
LOOKS = 4  # evaluations per epoch of Trainer; their time does not count


def training_rows(data: Path, number: int, seeds: int) -> tuple[list[Row], dict[str, float]]:
    """Seconds and accuracy of both on gold labels, and how much longer Trainer takes for the head's accuracy."""
    folder = data / plain_sets(data, (DATASET,))[0]
    space = read_space(folder)
    train, test = (gold_part(folder, part) for part in ("train", "test"))
    step = max(1, len(train) // number)
    texts, gold = train.texts[::step][:number], train.gold[::step][:number]
    tested, truth = test.texts[:TESTED], np.array([space.index(label) for label in test.gold[:TESTED]])
    rows: list[Row] = []
    warm, cold, ratios = [], [], []
    for seed in range(seeds):
        found = _head(space, texts, gold, tested, truth, seed)
        warm.append(found["head"])
        cold.append(found["head"] + found["embedding"])
        curve = _trainer(space, texts, gold, tested, truth, seed, found["accuracy"])
        reached = next((seconds for seconds, accuracy in curve if accuracy >= found["accuracy"]), None)
        ratios.append((reached or curve[-1][0]) / found["head"])
        rows += [row(f"head {name}", "shortlist", value, "s" if name != "accuracy" else "share", seed)
                 for name, value in found.items()]  # fmt: skip
        rows += [
            row("trainer accuracy", "trainer", accuracy, "share", seed, seconds=seconds) for seconds, accuracy in curve
        ]
        rows.append(row("trainer reached the head's accuracy", "trainer", float(reached is not None), "yes", seed))
    share = median(cold) / median(warm)
    return rows, {"time_to_accuracy": median(ratios), "time_to_accuracy_cold": median(ratios) / share}


def _head(
    space: LabelSpace,
    texts: tuple[str, ...],
    gold: tuple[str, ...],
    tested: tuple[str, ...],
    truth: IntArray,
    seed: int,
) -> dict[str, float]:
    """Seconds of embedding and of training with warm embeddings, as every training but the first has them."""
    encoder = open_encoder("default", preferred())
    started = time.perf_counter()
    vectors = dict(zip(texts, encoder.embed(list(texts)), strict=True))
    embedding = time.perf_counter() - started
    embed: Embed = lambda some: np.stack([vectors[text] for text in some])  # noqa: E731
    data = training_data(space, texts, [None] * len(texts), [HumanLabel((label,)) for label in gold])
    started = time.perf_counter()
    student, _ = train_student(space, data, TrainingOptions(way="head", seed=seed), embed)
    seconds = time.perf_counter() - started
    labels = student.probabilities(tested, encoder.embed).argmax(1)
    return {"embedding": embedding, "head": seconds, "accuracy": float((labels == truth).mean())}


def _trainer(
    space: LabelSpace,
    texts: tuple[str, ...],
    gold: tuple[str, ...],
    tested: tuple[str, ...],
    truth: IntArray,
    seed: int,
    wanted: float,
) -> list[tuple[float, float]]:
    """(seconds of training so far, test accuracy) some times per epoch, of plain fine-tuning in float32, until the
    accuracy is the `wanted` one."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainerCallback
    from transformers import TrainingArguments as Arguments

    place = checkpoint_place("default")
    tokenizer = AutoTokenizer.from_pretrained(place)
    model = AutoModelForSequenceClassification.from_pretrained(place, num_labels=len(space))
    rows = _rows(space, texts, gold, tokenizer)
    curve: list[tuple[float, float]] = []
    clock = {"since": 0.0, "seconds": 0.0}
    every = max(1, len(rows) // BATCH // LOOKS)

    class Look(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            clock["since"] = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step % every:
                return
            clock["seconds"] += time.perf_counter() - clock["since"]
            curve.append((clock["seconds"], _accuracy(model, tokenizer, tested, truth)))
            control.should_training_stop = curve[-1][1] >= wanted
            clock["since"] = time.perf_counter()

    with scratch() as folder:
        arguments = Arguments(
            output_dir=str(folder), per_device_train_batch_size=BATCH, num_train_epochs=EPOCHS, learning_rate=RATE,
            seed=seed, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        Trainer(model, arguments, train_dataset=rows, processing_class=tokenizer, callbacks=[Look()]).train()
    return curve


def _rows(space: LabelSpace, texts: Texts, gold: Texts, tokenizer: Any) -> list[dict[str, Any]]:
    """What the trainer learns from."""
    inputs = tokenizer(list(texts), truncation=True, max_length=128)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": space.index(label)}
        for ids, mask, label in zip(inputs["input_ids"], inputs["attention_mask"], gold, strict=True)
    ]


def _accuracy(model: Any, tokenizer: Any, texts: Texts, truth: IntArray) -> float:
    was = model.training
    model.eval()
    labels: list[FloatArray] = []
    with torch.inference_mode():
        for start in range(0, len(texts), 128):
            inputs = tokenizer(list(texts[start : start + 128]), padding=True, truncation=True, return_tensors="pt")
            labels.append(model(**inputs).logits.argmax(1).numpy())
    model.train(was)
    return float((np.concatenate(labels) == truth).mean())
