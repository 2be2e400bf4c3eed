"""Made-up worlds in which a promise is made many times over: how often it is broken, by our rule and by spoilt ones.

A world: 1,500 tasks with eight features and three labels, a ridge student that learns from what people decided, sixty
actively chosen tasks at a time, the product's looks, a target of 10 % wrong labels and 95 % confidence. A spoilt rule
that is not caught would mean that the test has no teeth. With several people the truth is their consensus about the
whole pool. There, and where one person follows ticks, what scores choose is shown with the student's answer, which is
left in six of ten tasks, also where it is wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.finish.several import consensus, swayed, votes
from model.promise.acceptance import breaking_number
from model.promise.border import look
from model.promise.looks import attempt_risk, look_risk, plan

World: TypeAlias = Literal["even", "uneven", "drifting", "duplicated", "ticks followed", "several people"]
Rule: TypeAlias = Literal["ours", "sorted", "dropped", "memorised", "shown"]
TASKS, FEATURES, LABELS, STEP, TARGET, RISK = 1_500, 8, 3, 60, 0.1, 0.05
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """Whether more labels than promised were wrong, and the share of tasks that people decided."""

    broken: bool
    people: float


@dataclass(frozen=True)
class _Pool:
    features: Floats
    truth: Ints
    ranks: Floats
    votes: Ints | None = None  # of several people


def once(seed: int, world: World = "even", rule: Rule = "ours") -> Outcome:
    """One pool, finished by its first border."""
    draw = np.random.default_rng(seed)
    pool = _pool(draw, world, rule)
    if rule == "sorted":
        pool = replace(pool, ranks=np.arange(TASKS) / TASKS)
    steps = plan(TASKS - STEP, TASKS, TARGET, attempt_risk(RISK, 1))
    risk = look_risk(attempt_risk(RISK, 1), len(steps))
    chosen = np.zeros(TASKS, bool)
    chosen[draw.choice(TASKS, STEP, replace=False)] = True
    said = pool.truth.copy()
    audited = np.zeros(TASKS, bool)
    for step in steps:
        while (missing := STEP + step.chosen - int(chosen.sum())) > 0:
            answers, uncertainty = _student(pool, chosen | audited if rule == "memorised" else chosen, said)
            asked = _next(chosen, uncertainty, min(STEP, missing))  # as if nobody had decided the audited ones
            if world in ("ticks followed", "several people"):
                said[asked] = swayed(draw, pool.truth[asked], answers[asked])
            chosen |= asked
        rest = np.flatnonzero(~chosen)
        audited = np.zeros(TASKS, bool)
        audited[rest[np.argsort(pool.ranks[rest])[: step.audited]]] = True
        answers, uncertainty = _student(pool, chosen | audited if rule == "memorised" else chosen, said)
        found = _look(pool, chosen, audited, answers, uncertainty, rule, risk, draw)
        if found is not None:
            return found
    return Outcome(False, 1.0)


def _look(
    pool: _Pool, chosen: Any, audited: Any, answers: Ints, uncertainty: Floats, rule: Rule, risk: float, draw: Any
) -> Outcome | None:
    """The finished pool, None where nothing may be left to the student yet."""
    wrong = audited & (answers != _judged(pool, audited, answers, rule, draw))
    if rule == "dropped":  # people skip most of what is hard, and nobody counts it
        dropped = wrong & (draw.random(TASKS) < 0.9)
        audited, wrong = audited & ~dropped, wrong & ~dropped
        chosen = chosen | dropped
    rest = {int(task): (float(uncertainty[task]), float(pool.ranks[task])) for task in np.flatnonzero(~chosen)}
    lost = dict.fromkeys(np.flatnonzero(wrong).tolist(), 1)
    found = look(rest, set(np.flatnonzero(audited)), lost, breaking_number(TASKS, TARGET), risk)
    if not found.accepted:
        return None
    kept = np.array(sorted(found.accepted), np.int64)
    bad = int((answers[kept] != pool.truth[kept]).sum())
    return Outcome(bad > math.floor(TARGET * TASKS + 1e-9), 1 - len(found.accepted) / TASKS)


def _judged(pool: _Pool, audited: Any, answers: Ints, rule: Rule, draw: Any) -> Ints:
    """What people say of the audited tasks; elsewhere the truth."""
    found = pool.truth.copy()
    if pool.votes is not None:
        found[audited] = consensus(pool.votes[audited], LABELS)
    if rule == "shown":
        found[audited] = swayed(draw, found[audited], answers[audited], follows=0.9)
    return found


def _pool(draw: Any, world: World, rule: Rule) -> _Pool:
    centres = draw.normal(size=(LABELS, FEATURES))
    shares = (0.8, 0.15, 0.05) if world == "uneven" else (1 / 3, 1 / 3, 1 / 3)
    truth: Ints = draw.choice(LABELS, TASKS, p=shares)
    noise = draw.uniform(0.5, 2.5, TASKS)
    if world == "drifting":
        noise.sort()
    features: Floats = centres[truth] + noise[:, None] * draw.normal(size=(TASKS, FEATURES))
    if world == "duplicated":
        source = draw.integers(0, TASKS // 3, TASKS)
        return _Pool(features[source], truth[source], draw.random(TASKS))
    if world == "several people":
        said = votes(draw, truth, LABELS)
        return _Pool(features, consensus(said, LABELS), draw.random(TASKS), said)
    if rule == "memorised":  # enough features to learn every label by heart
        features = np.hstack([features, draw.normal(size=(TASKS, 150))])
    return _Pool(features, truth, draw.random(TASKS))


def _student(pool: _Pool, learned: Any, said: Ints) -> tuple[Ints, Floats]:
    """Ridge regression on what people decided: answers and uncertainties."""
    with_one = np.hstack([pool.features, np.ones((TASKS, 1))])
    seen = with_one[learned]
    wanted = np.eye(LABELS)[said[learned]]
    weights = np.linalg.solve(seen.T @ seen + np.eye(with_one.shape[1]), seen.T @ wanted)
    logits = 4 * with_one @ weights
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    answers: Ints = shares.argmax(axis=1)
    return answers, 1 - shares.max(axis=1)


def _next(chosen: Any, uncertainty: Floats, number: int) -> Any:
    """The tasks that active learning takes next, whatever their rank."""
    order = np.argsort(np.where(chosen, -1.0, uncertainty))[::-1]
    found = np.zeros(TASKS, bool)
    found[order[:number]] = True
    return found


def often(repetitions: int, world: World = "even", rule: Rule = "ours") -> dict[str, Any]:
    """Share of broken promises and mean share of people's decisions over so many worlds."""
    found = [once(seed, world, rule) for seed in range(repetitions)]
    return {
        "world": world,
        "rule": rule,
        "repetitions": repetitions,
        "broken": sum(one.broken for one in found),
        "people": round(float(np.mean([one.people for one in found])), 3),
    }
