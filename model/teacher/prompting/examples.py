"""Few-shot examples: for each text its nearest labelled ones. Human labels first, an LLM's own examples until then.

CanDist (arXiv 2506.03857): the examples of a candidate prompt show a single label each, nearest by embedding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.arrays import Embed
from model.text_groups import same

if TYPE_CHECKING:
    from model.arrays import FloatArray

TWIN = 0.95  # cosine similarity above which two examples say the same


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the one label it has, or the first and all `others` where several may be right at once ("" and none:
    no label applies). `human`: a person decided; among those, later ones come later in the pool."""

    text: str
    label: str
    human: bool = True
    others: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the text."""
        return (self.label, *self.others) if self.label else ()


class Examples:
    """A pool of examples, cleaned once.

    Generated examples of a label step back when human ones of that label are there. Near-duplicates within a label are
    dropped, the later one stays. `nearest` never gives a text itself as an example, nor one equal to it after
    normalisation. With `fixed`, every text gets the same examples, one label after the other, so that they can be
    cached as part of the prompt's prefix. `written` is how many generated ones per label are wanted.
    """

    def __init__(
        self, pool: Sequence[Example], embed: Embed, count: int = 10, fixed: bool = False, written: int = 0
    ) -> None:
        self.count, self.is_fixed = count, fixed
        self.policy = policy_of("fixed" if fixed else "nearest", written)
        kept = _preferred(pool)
        vectors = embed([example.text for example in kept]) if kept else None
        places = _without_twins(kept, vectors) if vectors is not None else []
        self._pool = [kept[place] for place in places]
        self._vectors = vectors[places] if vectors is not None else None
        self._embed = embed

    def __len__(self) -> int:
        return len(self._pool)

    def fixed(self) -> list[Example]:
        """The same for every text: the latest of each label, as many rounds as fit into `count`."""
        by_label: dict[str, list[Example]] = defaultdict(list)
        for example in reversed(self._pool):
            by_label[example.label].append(example)
        rounds = [
            example for turn in range(self.count) for rest in by_label.values() for example in rest[turn : turn + 1]
        ]
        return rounds[: self.count]

    def nearest(self, texts: Sequence[str]) -> list[list[Example]]:
        """For each text up to `count` examples, the nearest one last, next to the question."""
        import numpy as np

        if self._vectors is None or not texts:
            return [[] for _ in texts]
        order = np.argsort(-(self._embed(texts) @ self._vectors.T), axis=1, kind="stable")
        found = []
        for text, row in zip(texts, order, strict=True):
            own = same(text)
            chosen = (self._pool[place] for place in row if same(self._pool[place].text) != own)
            found.append([example for example, _ in zip(chosen, range(self.count), strict=False)][::-1])
        return found

    def nearest_to_any(self, texts: Sequence[str]) -> list[Example]:
        """Up to `count` examples for texts that are asked about together: the nearest of each, then the second ones.

        The nearest stand last. None of the texts is among them.
        """
        asked = {same(text) for text in texts}
        rows = self.nearest(texts)
        ranked = (row[-rank] for rank in range(1, self.count + 1) for row in rows if rank <= len(row))
        chosen = list(dict.fromkeys(example for example in ranked if same(example.text) not in asked))
        return chosen[: self.count][::-1]


def policy_of(kind: str, written: int) -> str:
    """How examples are chosen, in a word: part of the teacher's hash. `written` are those per label of an LLM."""
    return f"{kind}+{written}" if kind != "none" and written else kind


def _preferred(pool: Sequence[Example]) -> list[Example]:
    """One example per text (the last), and no generated ones where people have labelled."""
    latest = {same(example.text): example for example in pool if same(example.text)}
    decided = {example.label for example in latest.values() if example.human}
    return [example for example in latest.values() if example.human or example.label not in decided]


def _without_twins(pool: list[Example], vectors: FloatArray) -> list[int]:
    """Places of examples that have no later near-duplicate with the same label, in order."""
    import numpy as np

    kept: dict[str, list[int]] = defaultdict(list)
    for place in range(len(pool) - 1, -1, -1):
        others = kept[pool[place].label]
        if not others or float(np.max(vectors[others] @ vectors[place])) <= TWIN:
            others.append(place)
    return sorted(place for places in kept.values() for place in places)
