"""What the rows say: figures of students and rivals by set, and of rules the area under their budget curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
MAIN = {"similarity": "accuracy", "search": "ndcg_at_10"}
REFERENCE = "random"
WITHOUT = "without "  # before the domain that is left out, in the name of a split


def summary(rows: Sequence[Row]) -> Row:
    """`students`: means by set, budget and method; `rules`: by ground and kind of labels the mean over budgets of the
    main metric, and its difference to random with a paired 95 % interval over seeds; where each domain is left out
    once, over domains."""
    students: Row = {}
    rules: Row = {}
    for row in rows:
        if isinstance(row["budget"], str):
            place = students.setdefault(row["dataset"], {}).setdefault(row["budget"], {}).setdefault(row["method"], {})
            place.setdefault(row["metric"], []).append(row["value"])
        elif row["metric"] == MAIN[row["task"]]:
            name, draw = ground_of(row)
            ground = rules.setdefault(name, {}).setdefault(row["labels"], {})
            draws = ground.setdefault(row["method"], {}).setdefault(draw, {})
            draws.setdefault(row["budget"], []).append(row["value"])
    curves = {name: {kind: _curves(one) for kind, one in kinds.items()} for name, kinds in rules.items()}
    return {"students": _means(students), "rules": curves}


def ground_of(row: Row) -> tuple[str, str]:
    """The ground that a row belongs to, and over what its intervals are: a seed, or a domain that is left out."""
    left_out = row["split"].startswith(WITHOUT)
    split = "one domain left out" if left_out else row["split"]
    return f"{row['dataset']}, {split}", row["split"] if left_out else str(row["seed"])


def _means(found: Any) -> Any:
    if isinstance(found, list):
        return round(float(np.mean(found)), 4)
    return {name: _means(part) for name, part in found.items()}


def _curves(ground: Row) -> Row:
    """By method: the mean over budgets and draws, the last budget alone, and the gain over random."""
    means = {name: {draw: float(np.mean([np.mean(values) for values in one.values()])) for draw, one in draws.items()}
             for name, draws in ground.items()}  # fmt: skip
    found: Row = {}
    for name, by_draw in means.items():
        last = [np.mean(values[max(values)]) for values in ground[name].values()]
        found[name] = {"mean": round(float(np.mean(list(by_draw.values()))), 4), "last": round(float(np.mean(last)), 4)}
        both = [draw for draw in by_draw if draw in means.get(REFERENCE, {})]
        if name not in (REFERENCE, "everything", "nothing") and both:
            gains = np.array([by_draw[draw] - means[REFERENCE][draw] for draw in both])
            half = 1.96 * float(gains.std(ddof=1)) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
            found[name] |= {"gain": round(float(gains.mean()), 4), "half": None if np.isnan(half) else round(half, 4)}
    return found
