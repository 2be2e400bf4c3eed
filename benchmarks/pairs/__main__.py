"""Pairs of texts and search: the student beside rivals, and which pairs are worth a label, in domain and under a shift.

    python -m benchmarks.pairs --data DIR --out F.json [--seeds 5] [--rows 2000] [--sets mrpc sts_domains] [--quick]

`--data` is a folder of sets with rows {"fields": {"a": str, "b": str}, "label": str}; search sets have a `group`, a set
with the domains of `sts_domains` is shifted, and each of its larger domains is once the target. No LLM's answers are
stored for such sets: the teacher is gold that is wrong in a quarter of all tasks. Rows: dataset, split, task, method,
budget, seed, metric, value.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from benchmarks.pairs.choosing import curves
from benchmarks.pairs.grounds import grounds
from benchmarks.pairs.material import Material, has_pairs, read
from benchmarks.pairs.students import compared
from benchmarks.pairs.summary import summary
from benchmarks.shared.folders import must_exist, nothing
from model.arrays import Embed
from model.encoder.embeddings import EmbeddingCache
from model.encoder.encoder import load_encoder


def measured(found: Sequence[Material], embed: Embed, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All rows."""
    for material in found:
        for seed in range(given.student_seeds):
            yield from compared(material, embed, seed)
        adapting = not given.quick and "shift, adapted".startswith(given.splits)
        for ground in grounds(material, embed, given.cache, adapting) if given.seeds else ():
            if ground.split.startswith(given.splits):
                yield from curves(ground, range(given.seeds))


def main() -> None:
    """Measure, and write rows and summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of sets of pairs")
    parser.add_argument("--out", type=Path, required=True, help="the result, JSON")
    parser.add_argument("--sets", nargs="+", default=(), help="only these sets")
    parser.add_argument("--splits", default="", help="only pools whose name begins so, such as `without`")
    parser.add_argument("--seeds", type=int, default=5, help="of the rules' curves")
    parser.add_argument("--student-seeds", type=int, default=3, help="of the comparison with rivals")
    parser.add_argument("--rows", type=int, default=2000, help="pairs of each part, at most")
    parser.add_argument("--quick", action="store_true", help="one seed, 400 pairs, no adapted encoder")
    parser.add_argument("--cache", type=Path, default=Path("runs/pairs-cache"), help="embeddings")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    if given.quick:
        given.seeds, given.student_seeds, given.rows = 1, 1, min(given.rows, 400)
    must_exist(given.data)
    folders = [folder for folder in sorted(given.data.iterdir()) if not given.sets or folder.name in given.sets]
    found = [read(folder, given.rows) for folder in folders if folder.is_dir() and has_pairs(folder)]
    if not found:
        nothing(
            given.data, "a folder <set>/ with labels.json, and train.jsonl.gz and test.jsonl.gz of rows with two fields"
        )
    embed = EmbeddingCache(given.cache, load_encoder("default", 1)).embed
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for row in measured(found, embed, given):
        rows.append(row)
        if len(rows) % 50 == 0:
            print(json.dumps(row), flush=True)
            given.out.write_text(json.dumps({"rows": rows, "summary": summary(rows)}, indent=1))
    given.out.write_text(json.dumps({"rows": rows, "summary": summary(rows)}, indent=1))


if __name__ == "__main__":
    main()
