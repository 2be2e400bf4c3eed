"""Figures about candidate sets and answers, on plain sequences. No figure without data: None, never a guess.

Candidate metrics after CanDist (arXiv 2506.03857), section on candidate metrics, and He et al. 2024.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its count and Wilson 95 % interval."""

    value: float
    low: float
    high: float
    count: int

    def to_json(self) -> dict[str, float]:
        """A plain object."""
        return asdict(self)


def rate(hits: int, count: int) -> Rate | None:
    """The share hits / count with its Wilson interval; None without any case."""
    if count <= 0:
        return None
    share = hits / count
    spread = Z95 * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    centre = share + Z95**2 / (2 * count)
    scale = 1 + Z95**2 / count
    low, high = max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
    return Rate(share, min(low, share), max(high, share), count)  # rounding must not put the share outside


def accuracy(predicted: Sequence[str], gold: Sequence[str]) -> Rate | None:
    """Share of equal pairs."""
    return rate(sum(left == right for left, right in zip(predicted, gold, strict=True)), len(gold))


def coverage(sets: Sequence[Collection[str]], gold: Sequence[str]) -> Rate | None:
    """Share of tasks whose true label is in the set (the paper's 1 - alpha-error)."""
    return rate(sum(label in labels for labels, label in zip(sets, gold, strict=True)), len(gold))


def set_size(sets: Sequence[Collection[str]]) -> float | None:
    """Mean number of labels per set (#La)."""
    return sum(len(labels) for labels in sets) / len(sets) if sets else None


def beta(sets: Sequence[Collection[str]], num_labels: int) -> float | None:
    """How far the label space shrank: (C - #La) / (C - 1), the paper's beta-coverage. ValueError if C < 2."""
    if num_labels < 2:
        raise ValueError(f"beta needs at least two labels, got {num_labels}")
    size = set_size(sets)
    return None if size is None else (num_labels - size) / (num_labels - 1)


def f1(coverage_share: float, beta_share: float) -> float:
    """Harmonic mean of coverage and beta; 0 when both are 0."""
    total = coverage_share + beta_share
    return 2.0 * coverage_share * beta_share / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """The figures of candidate sets against true labels. `top1` counts the first label of each set."""

    tasks: int
    coverage: Rate | None
    top1: Rate | None
    set_size: float | None
    beta: float | None
    f1: float | None
    uninformative: int  # sets that name every label
    per_class: dict[str, Rate | None]  # coverage by true label
    inseparable: tuple[tuple[str, str], ...]  # pairs that nearly always come together, both ways

    def to_json(self) -> dict[str, object]:
        """A plain object."""
        return asdict(self)


def candidate_report(sets: Sequence[Sequence[str]], gold: Sequence[str], num_labels: int) -> CandidateReport:
    """All candidate figures at once. Every set is non-empty, most likely label first."""
    covered, shrunk = coverage(sets, gold), beta(sets, num_labels)
    by_class: dict[str, list[bool]] = defaultdict(list)
    for labels, label in zip(sets, gold, strict=True):
        by_class[label].append(label in labels)
    return CandidateReport(
        tasks=len(gold),
        coverage=covered,
        top1=accuracy([labels[0] for labels in sets], gold),
        set_size=set_size(sets),
        beta=shrunk,
        f1=None if covered is None or shrunk is None else f1(covered.value, shrunk),
        uninformative=sum(len(labels) == num_labels for labels in sets),
        per_class={label: rate(sum(hits), len(hits)) for label, hits in sorted(by_class.items())},
        inseparable=inseparable_pairs(sets),
    )


def inseparable_pairs(
    sets: Sequence[Collection[str]], share: float = 0.9, least: int = 5
) -> tuple[tuple[str, str], ...]:
    """Pairs of labels of which each comes with the other in more than `share` of its sets: no student can part them."""
    alone: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for labels in sets:
        names = sorted(set(labels))
        alone.update(names)
        together.update((left, right) for place, left in enumerate(names) for right in names[place + 1 :])
    return tuple(
        sorted(
            pair
            for pair, count in together.items()
            if min(alone[pair[0]], alone[pair[1]]) >= least and count > share * max(alone[pair[0]], alone[pair[1]])
        )
    )


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Precision, recall and F1 of one label, None where there is no case."""

    precision: float | None
    recall: float | None
    f1: float | None
    gold: int
    predicted: int


def per_label(predicted: Sequence[str], gold: Sequence[str]) -> dict[str, LabelFigures]:
    """Figures of every label that was predicted or true."""
    hits: Counter[str] = Counter(left for left, right in zip(predicted, gold, strict=True) if left == right)
    said, true = Counter(predicted), Counter(gold)
    figures = {}
    for label in sorted(set(said) | set(true)):
        precision = hits[label] / said[label] if said[label] else None
        recall = hits[label] / true[label] if true[label] else None
        harmonic = None if recall is None else f1(precision or 0.0, recall)
        figures[label] = LabelFigures(precision, recall, harmonic, true[label], said[label])
    return figures


def mean_f1(figures: Mapping[str, LabelFigures]) -> float | None:
    """Macro-F1: the mean over the labels that occur as true labels; None without any."""
    values = [one.f1 for one in figures.values() if one.f1 is not None]
    return sum(values) / len(values) if values else None
