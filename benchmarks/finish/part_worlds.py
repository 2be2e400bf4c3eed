"""Made-up worlds for promises about losses and parts: how often each is broken, and by a rule that ignores the units.

    python -m benchmarks.finish.part_worlds --out F.json --repetitions 500

1,500 tasks with eight features; a ridge student of each question learns 60 tasks drawn at random, and what it doubts
most before each look. Levels: five in order, lost is the distance. Sets: four labels, each right by itself, lost is one
minus the Jaccard index. Questions: one of three labels, and five levels, each with a share of its own. Labels: a share
for each of three, of which one is rare. A promise is broken if any part of it is.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.finish.validity import FEATURES, RISK, STEP, TASKS
from model.groups import Group
from model.labels import Label, LabelSpace
from model.promise.looks import attempt_risk, look_risk, plan
from model.promise.parts import Part, look_at, lost, parts_of

World: TypeAlias = Literal["levels", "sets", "questions", "labels"]
Rule: TypeAlias = Literal["ours", "sorted"]
WORLDS: tuple[World, ...] = ("levels", "sets", "questions", "labels")
TARGET = 0.1
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
KINDS = {"levels": ("ordered",), "sets": ("any",), "questions": ("one", "ordered"), "labels": ("one",)}
SIZES = {"one": 3, "ordered": 5, "any": 4}
RARE = (0.6, 0.37, 0.03)  # how frequent each of three labels is, where each has a promise


@dataclass(frozen=True)
class Made:
    """Tasks of one world: features `(n, d)`, what is right and the noise that makes it hard to see, as columns of
    labels `(n, C)`, and the parts of its promise."""

    space: LabelSpace
    parts: tuple[Part, ...]
    features: Floats
    truth: Bools


def made(draw: np.random.Generator, world: World) -> Made:
    """A pool of 1,500 tasks."""
    features: Floats = draw.normal(size=(TASKS, FEATURES))
    noise = draw.uniform(0.2, 1.6, TASKS)
    columns, names, groups = list[Bools](), list[str](), list[Group]()
    for place, kind in enumerate(KINDS[world]):
        size = SIZES[kind]
        groups.append(Group(f"q{place}", kind, len(names), len(names) + size, 0 if kind == "any" else 1))  # type: ignore[arg-type]
        names += [f"q{place}={one}" for one in range(size)]
        seen = features @ draw.normal(size=(FEATURES, 1 if kind == "ordered" else size))
        columns.append(_right(kind, seen + noise[:, None] * draw.normal(size=seen.shape), world == "labels"))
    several = len(groups) > 1
    space = LabelSpace(tuple(map(Label, names)), answer="several", questions=tuple(groups)) if several else LabelSpace(
        tuple(map(Label, names)), answer={"one": "one", "ordered": "ordered", "any": "several"}[KINDS[world][0]],  # type: ignore[arg-type]
        least=0 if KINDS[world][0] == "any" else 1)  # fmt: skip
    shares = {group.name: TARGET if place == 0 else TARGET / 2 for place, group in enumerate(space.groups)}
    parts = parts_of(space, shares, whole=world == "labels", per_label=world == "labels")
    return Made(space, parts, features, np.hstack(columns))


def _right(kind: str, seen: Floats, rare: bool) -> Bools:
    """What is right of each row `(n, size)` of what the features and noise say."""
    if kind == "any":
        ticked: Bools = seen > np.quantile(seen, 0.6, axis=0)
        return ticked
    if kind == "ordered":
        cuts = np.quantile(seen[:, 0], (0.2, 0.4, 0.6, 0.8))
        level: Bools = np.eye(SIZES[kind], dtype=np.bool_)[np.searchsorted(cuts, seen[:, 0])]
        return level
    shifted = seen + 6 * np.log(RARE) / 3 if rare else seen
    likeliest: Bools = np.eye(SIZES[kind], dtype=np.bool_)[shifted.argmax(axis=1)]
    return likeliest


def once(seed: int, world: World, rule: Rule = "ours") -> tuple[bool, float]:
    """A made-up world, finished."""
    draw = np.random.default_rng(seed)
    return finished(made(draw, world), draw, rule)


def finished(pool: Made, draw: np.random.Generator, rule: Rule = "ours") -> tuple[bool, float]:
    """Whether more was lost of any part than promised, and the share that people decided, at the first look that leaves
    anything to the student."""
    number = len(pool.features)
    ranks = np.arange(number) / number if rule == "sorted" else draw.random(number)
    questions, strata = {part.question for part in pool.parts}, max(1, sum(bool(part.label) for part in pool.parts))
    target, given = min(part.target for part in pool.parts), attempt_risk(RISK, 1)
    steps = plan(number - STEP, number, target, given / len(questions), strata)
    risk = look_risk(attempt_risk(RISK, 1), len(steps))
    chosen = np.zeros(number, bool)
    chosen[draw.choice(number, STEP, replace=False)] = True
    for step in steps:
        _, doubt = _student(pool, chosen)
        order = np.argsort(np.where(chosen, -1.0, doubt))[::-1]
        chosen[order[: STEP + step.chosen - int(chosen.sum())]] = True
        ticks, doubt = _student(pool, chosen)
        rest = np.flatnonzero(~chosen)
        if rule == "sorted":  # spoilt on purpose: the audit is what the student is surest of
            ranks = np.argsort(np.argsort(doubt)) / number
        audited = rest[np.argsort(ranks[rest])[: step.audited]].tolist()
        names = {task: (_names(pool, ticks[task]), _names(pool, pool.truth[task])) for task in rest.tolist()}
        places = {task: (float(doubt[task]), float(ranks[task])) for task in names}
        found = {task: {part.question: lost(pool.space, part, *names[task]) for part in pool.parts} for task in audited}
        said = {task: mine for task, (mine, _) in names.items()}
        seen, kept = look_at(pool.space, pool.parts, number, places, said, found, risk)
        if kept:
            broken = any(
                sum(lost(pool.space, one.part, *names[task]) for task in kept if _of(one.part, said[task]))
                > one.allowed * one.part.steps + 1e-9
                for one in seen
            )
            return broken, 1 - len(kept) / number
    return False, 1.0


def _of(part: Part, said: tuple[str, ...]) -> bool:
    return not part.label or part.label in said


def _names(pool: Made, row: Bools) -> tuple[str, ...]:
    return tuple(pool.space.names[place] for place in np.flatnonzero(row))


def _student(pool: Made, learned: Bools) -> tuple[Bools, Floats]:
    """Ridge regression on decided tasks: what it ticks `(n, C)`, and how far it doubts each task."""
    with_one = np.hstack([pool.features, np.ones((len(pool.features), 1))])
    seen = with_one[learned]
    weights = np.linalg.solve(seen.T @ seen + np.eye(with_one.shape[1]), seen.T @ pool.truth[learned].astype(float))
    scores = with_one @ weights
    ticks: Bools = np.zeros(scores.shape, np.bool_)
    doubt: Floats = np.zeros(len(scores))
    for group in pool.space.groups:
        here = scores[:, group.columns]
        if group.kind == "any":
            ticks[:, group.columns] = here > 0.5
            doubt = np.maximum(doubt, 0.5 - np.abs(here - 0.5).min(axis=1))
            continue
        ticks[np.arange(len(scores)), group.start + here.argmax(axis=1)] = True
        two = np.sort(here, axis=1)[:, -2:]
        doubt = np.maximum(doubt, 1.0 - (two[:, 1] - two[:, 0]))
    return ticks, doubt


def often(repetitions: int, world: World, rule: Rule = "ours") -> dict[str, Any]:
    """Broken promises and the mean share of people's decisions over so many worlds."""
    found = [once(seed, world, rule) for seed in range(repetitions)]
    people = round(float(np.mean([share for _, share in found])), 3)
    return {"world": world, "rule": rule, "repetitions": repetitions, "broken": sum(bad for bad, _ in found),
            "people": people}  # fmt: skip


def main() -> None:
    """Simulate, and write rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--repetitions", type=int, default=500)
    given = parser.parse_args()
    rows = [often(given.repetitions, world) for world in WORLDS]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(rows, indent=1))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
