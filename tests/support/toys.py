"""Small learnable problems: vectors around class centres, found by their text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.arrays import BoolArray, FloatArray, IntArray
from model.labels import LabelSpace
from model.training.data import TrainingData


class Toy:
    """n texts of C classes; `embed` gives a vector near the class's centre. `labels` is the truth."""

    def __init__(self, rows: int = 300, labels: int = 4, noise: float = 0.25, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        centres = random.normal(size=(labels, 16))
        self.labels: IntArray = random.integers(labels, size=rows)
        vectors = centres[self.labels] / np.linalg.norm(centres, axis=1)[self.labels, None]
        vectors += noise * random.normal(size=vectors.shape) / 2
        self._vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        self.texts = [f"text {row}" for row in range(rows)]
        self.space = LabelSpace.of([f"label {label}" for label in range(labels)])
        self._random = random
        self.asked = 0

    def embed(self, texts: Sequence[str]) -> FloatArray:
        self.asked += len(texts)
        found: FloatArray = self._vectors[[int(text.split()[1]) for text in texts]]
        return found

    def sets(self, right: float = 0.9, extra: int = 1) -> tuple[BoolArray, IntArray]:
        """Candidate sets that hold the truth in the share `right`, plus `extra` random labels; and the first labels."""
        rows, labels = len(self.texts), len(self.space)
        sets = np.zeros((rows, labels), np.bool_)
        wrong = (self.labels + self._random.integers(1, labels, size=rows)) % labels
        first = np.where(self._random.random(rows) < right, self.labels, wrong)
        sets[np.arange(rows), first] = True
        for _ in range(extra):
            sets[np.arange(rows), self._random.integers(labels, size=rows)] = True
        return sets, first.astype(np.int64)

    def data(self, right: float = 0.9, extra: int = 1, human: int = 0) -> TrainingData:
        """Training data whose first `human` rows are labelled by a person."""
        sets, first = self.sets(right, extra)
        candidates, decided = sets.copy(), np.zeros(len(self.texts), np.bool_)
        decided[:human] = True
        candidates[:human] = np.eye(len(self.space), dtype=np.bool_)[self.labels[:human]]
        return TrainingData(self.texts, candidates, decided, None, sets, first)


def tiny_transformer(folder: Path, words: Sequence[str], layers: int = 2) -> str:
    """A transformer of 32 dimensions over a dictionary of a few words; the folder's name. Each layer takes a second and
    a half to export."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(known))
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(known), hidden_size=32, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return str(folder)


def tiny_classifier(folder: Path, names: Sequence[str] = ("LABEL_0", "LABEL_1", "LABEL_2")) -> None:
    """A real, untrained BERT with three labels."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    vocabulary = folder / "vocab.txt"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "team", "bank"]))
    config = BertConfig(
        vocab_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    torch.manual_seed(0)  # else its answers would depend on the tests before
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(vocab_file=str(vocabulary)).save_pretrained(folder)
