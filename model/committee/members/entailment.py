"""A zero-shot classifier of others as a member: a model for natural language inference that is asked, for every label,
whether the text says so (Yin et al., 2019, arXiv 1909.00161). It needs no map and has seen no label of the project."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.arrays import FloatArray, softmax
from model.errors import ArtifactError, LabelSpaceError
from model.labels import LabelSpace

DESCRIPTION = "entailment.json"
HYPOTHESIS = "This text is about {}."  # {} is the label's title, with its hint
ENTAILED = "entail"  # how the name of the class begins that says yes
BATCH = 32  # pairs of text and label
LONGEST = 256  # tokens


class EntailmentMember:
    """Votes by how far each label's sentence follows from the text. It reads a text once for every label."""

    trainable = False

    def __init__(
        self, name: str, space: LabelSpace, place: str, hypothesis: str = HYPOTHESIS, download: bool = True
    ) -> None:
        """Load the model at once. ArtifactError if it does not load, is not made for inference, or if the sentence has
        no place for the label."""
        from model.encoder.pretrained import text_classifier

        self.name, self.space, self.place, self.hypothesis = name, space, place, hypothesis
        if hypothesis.count("{}") != 1:
            raise ArtifactError(f"{place}: the hypothesis {hypothesis!r} needs {{}} once, where the label stands")
        self._tokenizer, self._model = text_classifier(place, download=download)
        names = {int(number): str(label).casefold() for number, label in self._model.config.id2label.items()}
        yes = [number for number, label in names.items() if label.startswith(ENTAILED)]
        if len(yes) != 1:
            raise ArtifactError(f"{place} has no class `entailment`: it is no model for natural language inference")
        self._yes = yes[0]
        sentences = [f"{label.title}: {label.hint}" if label.hint else label.title for label in space.labels]
        self._sentences = [hypothesis.replace("{}", said) for said in sentences]
        self._lock = threading.Lock()

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Float32 `(n, C)`: the labels' entailment against each other."""
        pairs = [(text, sentence) for text in texts for sentence in self._sentences]
        parts = [self._batch(pairs[start : start + BATCH]) for start in range(0, len(pairs), BATCH)]
        logits = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return softmax(logits.reshape(len(texts), len(self.space)))

    def _batch(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        import torch

        texts, sentences = (list(part) for part in zip(*pairs, strict=True))
        how = {"padding": True, "truncation": True, "max_length": LONGEST, "return_tensors": "pt"}
        with self._lock, torch.inference_mode():
            logits: FloatArray = self._model(**self._tokenizer(texts, sentences, **how)).logits.float().numpy()
        return logits[:, self._yes]

    def save(self, folder: Path) -> None:
        """Write where the model lies and how it is asked; the weights stay where they are."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {"format": 1, "name": self.name, "place": self.place, "hypothesis": self.hypothesis}
        text = json.dumps({**content, "label_space": self.space.to_json()}, ensure_ascii=False)
        (folder / DESCRIPTION).write_text(text)

    @classmethod
    def load(cls, folder: Path) -> EntailmentMember:
        """The inverse of `save`; ArtifactError names the file."""
        path = folder / DESCRIPTION
        try:
            content = json.loads(path.read_text())
            space = LabelSpace.from_json(content["label_space"])
            name, place, hypothesis = (str(content[key]) for key in ("name", "place", "hypothesis"))
        except (OSError, ValueError, KeyError, TypeError, LabelSpaceError) as error:
            raise ArtifactError(f"{path}: not a stored member ({error!r})") from error
        return cls(name, space, place, hypothesis)
