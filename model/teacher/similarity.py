"""The offline similarity teacher (no LLM): cosine similarity of a text with what the label config says of each label.

Zero-shot classification by a sentence encoder. Temperature and mass were chosen on the train parts of banking77,
ag_news and trec (2,000 rows each): 0.06 has the least mean negative log-likelihood of 0.01 to 0.15, and from a mass of
0.8 on sets grow faster than coverage. `python -m benchmarks.teacher` prints the figures. At use no label is seen.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.arrays import Embed
from model.group_answers import applies, joined
from model.groups import qualified
from model.labels import CandidateSet, Label, LabelSpace, readable
from model.teacher.base import Answer, State

if TYPE_CHECKING:
    from model.arrays import FloatArray

NAME = "offline similarity teacher (no LLM)"
TEMPERATURE = 0.06
MASS = 0.8
SURE = 0.4  # probability from which on a label is certain where several may be right: two at most reach it; not tuned
RULES = 1  # raise it when the same text may get another answer


class SimilarityTeacher:
    """Softmax over similarities; the candidate set is the smallest one that holds `mass` of the probability.

    Sets have at most `max_candidates` labels. Confidences are the softmax probabilities over all labels of a question.
    A text without any letter or digit is abstained from.
    """

    name = NAME
    paid = False
    fast = True

    def __init__(
        self,
        space: LabelSpace,
        embed: Embed,
        max_candidates: int = 5,
        encoder: str = "default",
        temperature: float = TEMPERATURE,
        mass: float = MASS,
    ) -> None:
        if max_candidates < 1 or temperature <= 0 or not 0 < mass <= 1:
            raise ValueError(f"{max_candidates=} must be >= 1, {temperature=} > 0, {mass=} in (0, 1]")
        self.space = space
        self.hash = similarity_hash(max_candidates, encoder, temperature, mass)
        self._embed, self._limit, self._temperature, self._mass = embed, max_candidates, temperature, mass
        self._lock = threading.Lock()
        self._vectors: FloatArray | None = None

    def shortlist(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text; equal texts get equal answers, whatever stands beside them."""
        worded = [row for row, text in enumerate(texts) if re.search(r"\w", text)]
        answers = [Answer(State.ABSTAINED, None, "", reason="the text has no words")] * len(texts)
        if worded:
            for row, probabilities in zip(worded, self.probabilities([texts[row] for row in worded]), strict=True):
                answers[row] = self._answer(probabilities)
        return answers

    def upper_bound_microusd(self, texts: Sequence[str]) -> int:
        """Nothing."""
        return 0

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Softmax of similarity / temperature over the labels of each question, float32 `(n, C)`."""
        import numpy as np

        scores = self._embed(texts) @ self._label_vectors().T / self._temperature
        result: FloatArray = np.empty(scores.shape, np.float32)
        for group in self.space.groups:
            part = scores[:, group.columns]
            part = np.exp(part - part.max(axis=1, keepdims=True))
            result[:, group.columns] = part / part.sum(axis=1, keepdims=True)
        return result

    def _label_vectors(self) -> FloatArray:
        """One vector per label, `(C, d)`: the mean over its phrasings, computed once."""
        import numpy as np

        with self._lock:
            if self._vectors is None:
                phrased = [phrasings(label) for label in self.space.labels]
                flat = self._embed([text for texts in phrased for text in texts])
                ends = np.cumsum([len(texts) for texts in phrased])[:-1]
                means = [part.mean(axis=0) for part in np.split(flat, ends)]
                self._vectors = np.stack(means).astype(np.float32)
            return self._vectors

    def _answer(self, probabilities: FloatArray) -> Answer:
        """All questions that are asked beside the likeliest answers to those before them."""
        if not self.space.questions:
            return self._of_question(self.space, probabilities)
        parts: list[CandidateSet | None] = []
        likely: list[str] = []
        for group, space in zip(self.space.groups, self.space.parts, strict=True):
            if applies(group, likely):
                parts.append(self._of_question(space, probabilities[group.columns]).candidates)
                likely += [qualified(group.name, label) for one in parts[-1:] if one for label in one.labels[:1]]
            else:
                parts.append(CandidateSet((), (), ()) if space.several else None)
        return Answer(State.ANSWERED, joined(self.space, parts), "")

    def _of_question(self, space: LabelSpace, probabilities: FloatArray) -> Answer:
        import numpy as np

        order = np.argsort(-probabilities, kind="stable")
        held = np.cumsum(probabilities[order])
        size = min(int((held < self._mass).sum()) + 1, self._limit, len(order))
        labels = tuple(space.names[place] for place in order[:size])
        confidences = tuple(round(float(probabilities[place]), 4) for place in order[:size])
        reason = "all labels: says nothing" if size == len(space) else ""
        if space.several:
            certain = labels[: int((probabilities[order[:size]] >= SURE).sum())]
            return Answer(State.ANSWERED, CandidateSet(labels, confidences, certain), "", reason=reason)
        return Answer(State.ANSWERED, CandidateSet(labels, confidences), "", reason=reason)


def similarity_hash(
    max_candidates: int, encoder: str = "default", temperature: float = TEMPERATURE, mass: float = MASS
) -> str:
    """Six hex digits over everything that shapes an answer, besides the label space."""
    content = json.dumps(["similarity", RULES, max_candidates, encoder, temperature, mass])
    return hashlib.sha256(content.encode()).hexdigest()[:6]


def phrasings(label: Label) -> list[str]:
    """The texts that stand for a label: its title, a sentence with it, and its hint where there is one."""
    title = readable(label.title)
    texts = [title, f"This text is about {title}."]
    return [*texts, label.hint, f"{title}: {label.hint}"] if label.hint.strip() else texts
