"""One split, one method, one seed: spend the budgets step by step and measure after each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog

from benchmarks.sampling.splits import Embed, Split, Texts, drawn
from benchmarks.shared.linear_student import LinearStudent, fit
from model.acquisition.base_model import ClassMeans, LabelSimilarity, LinearProbe
from model.acquisition.pool import Pool, Probabilities, from_array
from model.acquisition.rules import DEFAULT, rule
from model.acquisition.selection import select
from model.acquisition.temperature import matching_temperature, tempered
from model.arrays import FloatArray, IntArray
from model.errors import NotEnoughDataError

log = structlog.get_logger(__name__)

BUDGETS = (0.01, 0.02, 0.05, 0.1, 0.2)
MEMBERS = 3
EVERYTHING = "everything"
WITH_REST = (DEFAULT, "margin", "random")  # methods whose last student is also measured after self-training
SELF_TURNS, SELF_POWER = 2, 2  # chosen on train parts

Answers = Callable[[FloatArray], FloatArray]  # vectors (b, d) to probabilities (b, C)


@dataclass(frozen=True)
class Draw:
    """What one seed of a split looks like as vectors."""

    split: Split
    seed: int
    source: Texts
    pool: Texts
    source_vectors: FloatArray
    pool_vectors: FloatArray
    test_vectors: FloatArray
    test_gold: IntArray
    label_vectors: FloatArray


Teach = Callable[[Draw, IntArray], Answers]


def draw(split: Split, seed: int, embed: Embed) -> Draw:
    """Sample and embed."""
    source, pool, test = drawn(split, seed)
    names = embed([readable(label.title) for label in split.space.labels])
    vectors = embed(source.texts), embed(pool.texts), embed(test.texts)
    return Draw(split, seed, source, pool, *vectors, test.gold, names)


def readable(label: str) -> str:
    """A label as words: `EducationalInstitution` and `card_arrival` with spaces."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-/]+", " ", label).strip()


def curve(drawn: Draw, method: str, teach: Teach | None = None) -> Iterator[dict[str, Any]]:
    """Rows of one method: accuracy before the first label and after each budget. `rule@base` names another base.

    `teach` makes a student of what was bought; None: the linear one, which is also measured after self-training.
    """
    name, _, base = method.partition("+")[0].partition("@")
    train = teach or learn
    bought: IntArray = np.zeros(0, np.int64)
    student = train(drawn, bought)
    yield row(drawn, method, 0.0, student, bought, 0.0)
    for step, budget in enumerate(BUDGETS):
        started = time.perf_counter()
        eligible = np.setdiff1d(np.arange(len(drawn.pool.texts)), bought)
        count = round(budget * len(drawn.pool.texts)) - len(bought)
        threshold = conformal_threshold(drawn, bought) if name == "conformal-set-size" else 0.1
        chosen = rule(name, drawn.seed, threshold)
        pool = make_pool(drawn, student, bought, chosen.score.needs, base or "similarity")
        found = select(pool, chosen, count, eligible, seed=1000 * drawn.seed + step)
        seconds = time.perf_counter() - started
        bought = np.concatenate([bought, found.rows])
        student = train(drawn, bought)
        found_row = row(drawn, method, budget, student, bought, seconds)
        if budget == BUDGETS[-1] and method in WITH_REST and isinstance(student, LinearStudent):
            found_row["accuracy_rest"] = accuracy(drawn, with_rest(drawn, student, bought))
        yield found_row


def everything(drawn: Draw, teach: Teach | None = None) -> dict[str, Any]:
    """The ceiling: the labeller answers for the whole pool."""
    bought = np.arange(len(drawn.pool.texts))
    found = row(drawn, EVERYTHING, 1.0, (teach or learn)(drawn, bought), bought, 0.0)
    return {**found, "accuracy_rest": found["accuracy"]}  # there is no rest


def learn(drawn: Draw, bought: IntArray, keep: IntArray | None = None) -> LinearStudent:
    """A student of the source and what was bought; `keep` chooses among those rows, with repetition."""
    vectors = np.concatenate([drawn.source_vectors, drawn.pool_vectors[bought]])
    targets = np.concatenate([drawn.source.said, drawn.pool.said[bought]])
    return fit(vectors, targets) if keep is None else fit(vectors[keep], targets[keep])


def with_rest(drawn: Draw, student: LinearStudent, bought: IntArray) -> LinearStudent:
    """A student that also learns from its own answers for the rest of the pool, sharpened: self-training."""
    rest = np.setdiff1d(np.arange(len(drawn.pool.texts)), bought)
    vectors = np.concatenate([drawn.source_vectors, drawn.pool_vectors[bought], drawn.pool_vectors[rest]])
    for _ in range(SELF_TURNS):
        own = student(drawn.pool_vectors[rest]) ** SELF_POWER
        own /= own.sum(axis=1, keepdims=True)
        student = fit(vectors, np.concatenate([drawn.source.said, drawn.pool.said[bought], own.astype(np.float32)]))
    return student


def accuracy(drawn: Draw, student: Answers) -> float:
    """On target test texts."""
    return float((student(drawn.test_vectors).argmax(axis=1) == drawn.test_gold).mean())


def row(drawn: Draw, method: str, budget: float, student: Answers, bought: IntArray, seconds: float) -> dict[str, Any]:
    """One measurement. `pool_accuracy`: the labeller's label where it was bought, the student's elsewhere."""
    answers = student(drawn.pool_vectors).argmax(axis=1)
    answers[bought] = drawn.pool.said[bought].argmax(axis=1)
    return {
        "split": drawn.split.name,
        "labeller": drawn.split.labeller,
        "shifted": drawn.split.shifted,
        "method": method,
        "budget": budget,
        "labels": len(bought),
        "seed": drawn.seed,
        "accuracy": accuracy(drawn, student),
        "pool_accuracy": float((answers == drawn.pool.gold).mean()),
        "seconds": round(seconds, 4),
    }


def make_pool(drawn: Draw, student: Answers, bought: IntArray, needs: Sequence[str], base: str) -> Pool:
    """The pool as the rule sees it."""
    rows = np.arange(len(drawn.pool.texts))
    answers = from_array(student(drawn.pool_vectors))
    first: Probabilities | None = None
    if "base" in needs:
        raw = from_array(base_score(drawn, bought, base)(drawn.pool_vectors))
        first = tempered(raw, matching_temperature(answers, raw, rows))
    members = committee(drawn, bought) if "members" in needs else ()
    return Pool(len(rows), answers, first, members, drawn.pool_vectors)


def base_score(drawn: Draw, bought: IntArray, base: str) -> Callable[[FloatArray], FloatArray]:
    """p0 by label names, or by class means or a linear probe on what is labelled (names where labels are too few)."""
    vectors = np.concatenate([drawn.source_vectors, drawn.pool_vectors[bought]])
    targets = np.concatenate([drawn.source.said, drawn.pool.said[bought]])
    try:
        if base == "means":
            return ClassMeans.fit(vectors, targets)
        if base == "probe":
            return LinearProbe.fit(vectors, targets)
    except NotEnoughDataError:
        log.info("base_score_fallback", base=base, split=drawn.split.name)
    return LabelSimilarity(drawn.label_vectors)


def committee(drawn: Draw, bought: IntArray) -> tuple[Probabilities, ...]:
    """Students of bootstrap samples."""
    generator = np.random.default_rng(drawn.seed)
    count = len(drawn.source.texts) + len(bought)
    keeps = [generator.integers(0, count, count) for _ in range(MEMBERS)]
    return tuple(from_array(learn(drawn, bought, keep)(drawn.pool_vectors)) for keep in keeps)


def conformal_threshold(drawn: Draw, bought: IntArray, alpha: float = 0.1) -> float:
    """Split conformal: four fifths train, one fifth calibrates; `1 - quantile of 1 - p(labeller's label)`."""
    count = len(drawn.source.texts) + len(bought)
    order = np.random.default_rng(drawn.seed).permutation(count)
    held = order[: count // 5]
    student = learn(drawn, bought, order[count // 5 :])
    vectors = np.concatenate([drawn.source_vectors, drawn.pool_vectors[bought]])[held]
    labels = np.concatenate([drawn.source.said, drawn.pool.said[bought]])[held].argmax(axis=1)
    true = student(vectors)[np.arange(len(held)), labels]
    level = min(1.0, np.ceil((len(held) + 1) * (1 - alpha)) / len(held))
    return float(1.0 - np.quantile(1.0 - true, level, method="higher"))
