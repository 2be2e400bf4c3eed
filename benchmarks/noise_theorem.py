"""A plot and a table of the noise-tolerance theorem: distillation of one label against two, over the noise level.

python -m benchmarks.noise_theorem --out FILE.json      (also writes FILE.svg)
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.noise_theorem import World, experiment


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
