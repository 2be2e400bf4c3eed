"""A plot and a table of the noise-tolerance theorem: distillation of one label against two, over the noise level.

python -m benchmarks.noise_theorem --out FILE.json      (also writes FILE.svg)
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from model.arrays import IntArray

Matrix = npt.NDArray[np.float64]


def sweep(world: World, second: float = 0.3) -> list[dict[str, Any]]:
    """Rows for growing noise; the share `second` of the flips goes to the second wrong label."""
    rows = []
    for flips in range(0, 66, 2):
        two = round(second * flips)
        rows.append({"flips": flips, **asdict(experiment(world, flips - two, two))})
    return rows


def main() -> None:
    """Compute, write JSON, draw."""
    parser = argparse.ArgumentParser(description="Noise tolerance of distillation from one and from two labels")
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    world = World()
    rows = sweep(world)
    first = next((row["level"] for row in rows if row["top1"] < 100), None)
    second = next((row["level"] for row in rows if row["top2"] < 100), None)
    summary = {"condition_6": 1.0 - world.ratio, "condition_7": 1.0, "top1_fails_at": first, "top2_fails_at": second}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"rows": rows, "summary": summary}, indent=1))
    draw(out.with_suffix(".svg"), rows, world)
    print(json.dumps(summary, indent=1))


def draw(path: Path, rows: list[dict[str, Any]], world: World) -> None:
    """Accuracy over noise level, with both conditions as vertical lines."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    levels = [row["level"] for row in rows]
    for name, title in (("teacher", "teacher"), ("top1", "student of one label"), ("top2", "student of two labels")):
        axes.plot(levels, [row[name] for row in rows], "o-", label=title, markersize=3)
    axes.axvline(1.0 - world.ratio, linestyle=":", color="grey", label="condition (6)")
    axes.axvline(1.0, linestyle="--", color="grey", label="condition (7)")
    axes.set(xlabel="noise level: largest flip rate + all flips of a class", ylabel="accuracy on the training rows, %")
    axes.legend()
    figure.savefig(path, bbox_inches="tight")
    pyplot.close(figure)


if __name__ == "__main__":
    main()


@dataclass(frozen=True)
class World:
    """C classes of `per_class` rows; similarities a and b; `regularisation` is C m lambda."""

    labels: int = 3
    per_class: int = 100
    a: float = 0.5
    b: float = 0.1
    regularisation: float = 1.0

    @property
    def rows(self) -> int:
        """m, the number of rows."""
        return self.labels * self.per_class

    @property
    def truth(self) -> IntArray:
        """True labels `(m,)`, class by class."""
        return np.repeat(np.arange(self.labels), self.per_class)

    @property
    def theta(self) -> float:
        """Weight that a row's own target keeps."""
        return 1.0 - self.regularisation / (self.regularisation + 1.0 - self.a)

    @property
    def phi(self) -> float:
        """Weight of own target and class mean together."""
        shared = self.per_class * (self.a - self.b)
        return 1.0 - self.regularisation / (self.regularisation + shared + 1.0 - self.a)

    @property
    def ratio(self) -> float:
        """theta / (phi - theta): how much a row's own wrong label outweighs its class."""
        return self.theta / (self.phi - self.theta)


def outputs(world: World, targets: Matrix) -> Matrix:
    """What the classifier answers on its own training rows, `(m, C)`, for targets `(m, C)`."""
    same = world.truth[:, None] == world.truth[None, :]
    similarity = np.where(same, world.a, world.b)
    np.fill_diagonal(similarity, 1.0)
    inverse = np.linalg.solve(similarity + world.regularisation * np.eye(world.rows), similarity)
    answers: Matrix = 1.0 / world.labels + inverse @ (targets - 1.0 / world.labels)
    return answers


def cyclic_flips(world: World, to_next: int, to_second: int) -> IntArray:
    """Labels `(m,)`: of every class, `to_next` rows carry the next label and `to_second` the one after."""
    labels = world.truth.copy()
    for label in range(world.labels):
        first = label * world.per_class
        labels[first : first + to_next] = (label + 1) % world.labels
        labels[first + to_next : first + to_next + to_second] = (label + 2) % world.labels
    return labels


def top_targets(answers: Matrix, k: int) -> Matrix:
    """Targets that share 1 equally among the k largest answers of each row."""
    targets = np.zeros_like(answers)
    best = np.argsort(-answers, axis=1, kind="stable")[:, :k]
    np.put_along_axis(targets, best, 1.0 / k, axis=1)
    return targets


def noise_level(world: World, labels: IntArray) -> float:
    """Largest R[c, c'] + sum of R[c, i] over i != c: the left side of both conditions."""
    rates = np.zeros((world.labels, world.labels))
    np.add.at(rates, (world.truth, labels), 1.0 / world.per_class)
    wrong = rates - np.diag(np.diag(rates))
    return float((wrong.max(1) + wrong.sum(1)).max())


@dataclass(frozen=True)
class Outcome:
    """Accuracies in percent on the training rows, ties counting as wrong, and whether each condition holds."""

    level: float
    first_holds: bool  # condition (6): teacher, and student of its first label
    second_holds: bool  # condition (7): student of its two first labels
    teacher: float
    top1: float
    top2: float


def experiment(world: World, to_next: int, to_second: int) -> Outcome:
    """Teacher on flipped labels, then a student of its top label and one of its two top labels."""
    labels = cyclic_flips(world, to_next, to_second)
    taught = outputs(world, np.eye(world.labels)[labels])
    level = noise_level(world, labels)
    return Outcome(
        level,
        level < 1.0 - world.ratio,
        level < 1.0,
        accuracy(world, taught),
        accuracy(world, outputs(world, top_targets(taught, 1))),
        accuracy(world, outputs(world, top_targets(taught, 2))),
    )


def accuracy(world: World, answers: Matrix) -> float:
    """Percent of rows whose true label has strictly the largest answer."""
    own = answers[np.arange(world.rows), world.truth]
    others = np.where(np.eye(world.labels, dtype=np.bool_)[world.truth], -np.inf, answers).max(1)
    return 100.0 * float((own > others + 1e-9).mean())
