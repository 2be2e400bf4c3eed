"""Other wordings of a text for the consistency loss: by small edits (no second model), or by back-translation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from model.errors import ArtifactError, EncoderError

SHARE = 0.15  # of words that are dropped or swapped
TRANSLATORS = ("Helsinki-NLP/opus-mt-en-fr", "Helsinki-NLP/opus-mt-fr-en")
BATCH = 16

Translate = Callable[[Sequence[str]], list[str]]


class Augmenter(Protocol):
    """Gives another wording of every text."""

    def __call__(self, texts: Sequence[str], seed: int) -> list[str]: ...


def edit_words(texts: Sequence[str], seed: int) -> list[str]:
    """Drop 15 % of the words and swap 15 % with their right neighbour; texts of up to two words stay as they are."""
    return [_edited(text, random.Random(f"{seed} {text}")) for text in texts]


def _edited(text: str, draw: random.Random) -> str:
    words = text.split()
    if len(words) < 3:
        return text
    for place in range(len(words) - 1):
        if draw.random() < SHARE:
            words[place], words[place + 1] = words[place + 1], words[place]
    kept = [word for word in words if draw.random() >= SHARE]
    return " ".join(kept if len(kept) >= 2 else words)


class BackTranslation:
    """English to French and back, once per text; the outcome is kept, so every epoch sees the same other wording."""

    def __init__(self, there: Translate, back: Translate) -> None:
        self._there, self._back = there, back
        self._known: dict[str, str] = {}

    def __call__(self, texts: Sequence[str], seed: int) -> list[str]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            self._known.update(zip(part, self._back(self._there(part)), strict=True))
        return [self._known[text] or text for text in texts]


def make_augmenter(name: str, translators: tuple[str, str] = TRANSLATORS) -> Augmenter:
    """`words` or `back-translation`; ValueError for anything else, EncoderError if a translator cannot be loaded."""
    if name == "words":
        return edit_words
    if name == "back-translation":
        there, back = (load_translator(translator) for translator in translators)
        return BackTranslation(there, back)
    raise ValueError(f"augmentation {name!r} is neither words nor back-translation")


def load_translator(name: str) -> Translate:
    """A sequence-to-sequence model as a function; EncoderError says which one cannot be loaded."""
    import torch

    from model.encoder.pretrained import pretrained

    try:
        tokenizer, model = pretrained("AutoModelForSeq2SeqLM", name)
    except ArtifactError as error:
        raise EncoderError(
            f"back-translation: the model {name} cannot be loaded ({error}); set FINETUNE_AUGMENTATION=words"
        ) from error

    def translate(texts: Sequence[str]) -> list[str]:
        inputs = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True)
        with torch.inference_mode():
            return list(tokenizer.batch_decode(model.generate(**inputs), skip_special_tokens=True))

    return translate
