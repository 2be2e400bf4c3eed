"""What the rows say: figures of students and rivals by set, and of rules the area under their budget curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
MAIN = {"similarity": "accuracy", "search": "ndcg_at_10"}
REFERENCE = "random"


def summary(rows: Sequence[Row]) -> Row:
    """`students`: means by set, budget and method; `rules`: by ground the mean over budgets of the main metric, and its
    difference to random with a paired 95 % interval over seeds."""
    students: Row = {}
    rules: Row = {}
    for row in rows:
        if isinstance(row["budget"], str):
            place = students.setdefault(row["dataset"], {}).setdefault(row["budget"], {}).setdefault(row["method"], {})
            place.setdefault(row["metric"], []).append(row["value"])
        elif row["metric"] == MAIN[row["task"]]:
            ground = rules.setdefault(f"{row['dataset']}, {row['split']}", {})
            ground.setdefault(row["method"], {}).setdefault(row["seed"], {})[row["budget"]] = row["value"]
    return {"students": _means(students), "rules": {name: _curves(ground) for name, ground in rules.items()}}


def _means(found: Any) -> Any:
    if isinstance(found, list):
        return round(float(np.mean(found)), 4)
    return {name: _means(part) for name, part in found.items()}


def _curves(ground: Row) -> Row:
    """By method: the mean over budgets and seeds, the last budget alone, and the gain over random."""
    means = {name: {seed: float(np.mean(list(one.values()))) for seed, one in seeds.items()}
             for name, seeds in ground.items()}  # fmt: skip
    found: Row = {}
    for name, by_seed in means.items():
        last = [values[max(values)] for values in ground[name].values()]
        found[name] = {"mean": round(float(np.mean(list(by_seed.values()))), 4), "last": round(float(np.mean(last)), 4)}
        both = [seed for seed in by_seed if seed in means.get(REFERENCE, {})]
        if name not in (REFERENCE, "everything", "nothing") and both:
            gains = np.array([by_seed[seed] - means[REFERENCE][seed] for seed in both])
            half = 1.96 * float(gains.std(ddof=1)) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
            found[name] |= {"gain": round(float(gains.mean()), 4), "half": None if np.isnan(half) else round(half, 4)}
    return found
