"""How fast Shortlist is: serving, the student, retraining, latency under training, and a million tasks.

    python -m benchmarks.speed [--data DIR] [--quick] [--only PART …] --out FILE.json

Everything is a ratio within one run on this machine, the two sides taking turns; medians over rounds. Beside the JSON
it writes a table (.md) and the plot of scaling (.svg), anew after every part, so that nothing measured is lost. A part
that fails is named at the end, the others go on. `--only` measures parts anew.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.folders import plain_sets
from benchmarks.speed.report import markdown, write_report
from benchmarks.speed.rows import Row

Found = tuple[list[Row], dict[str, float]]
SUMMARY = ("predict_1", "predict_100", "http_vs_runtime", "int8_vs_float32", "time_to_accuracy", "webhook_p99_ms",
           "setup_p99_ms", "scale_cost_ratio", "web_rss_mb", "worker_rss_mb",
           "status_ms_1m", "metrics_ms_100_projects", "idle_core_percent", "retrain_seconds_10k",
           "going_on_accuracy", "workers_4_vs_1", "bytes_per_task_50_versions", "retrain_seconds_1m",
           "restart_seconds", "first_shortlist_seconds", "task_cost_10m_vs_100k")  # fmt: skip


SIZES = (1_000, 10_000, 100_000, 1_000_000)


TEXTS = {"runtimes", "served", "training", "going_on"}  # parts that read the data folder


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    requests: int
    texts: int
    train_rows: int
    seeds: int
    seconds: float
    largest: int
    versions: int
    grown: int
    shown: int


FULL = Size(rounds=9, requests=600, texts=400, train_rows=1000, seeds=3, seconds=40, largest=1_000_000,
            versions=50, grown=10_000, shown=200)  # fmt: skip
QUICK = Size(rounds=5, requests=300, texts=200, train_rows=300, seeds=1, seconds=12, largest=100_000,
             versions=8, grown=2_000, shown=20)  # fmt: skip


def parts(size: Size, data: Path, kept: Path) -> dict[str, Callable[[], Found]]:
    """The measurements by name; what takes long is `kept` on the way, so that it goes on when it is run again."""
    from benchmarks.speed.going_on import going_on_rows
    from benchmarks.speed.growth import growth_rows
    from benchmarks.speed.http import http_rows
    from benchmarks.speed.looking import looking_rows
    from benchmarks.speed.renewing import renewing_rows
    from benchmarks.speed.retrain import latency_rows, memory_rows, retrain_rows
    from benchmarks.speed.scale import large_rows, scale_rows
    from benchmarks.speed.starting import starting_rows
    from benchmarks.speed.student import runtime_rows, served_rows
    from benchmarks.speed.training import training_rows
    from benchmarks.speed.workers import workers_rows

    return {
        "http": lambda: http_rows(size.rounds, size.requests),
        "runtimes": lambda: runtime_rows(data, min(size.rounds, 5), size.texts),
        "served": lambda: served_rows(data, size.rounds),
        "retrain": lambda: retrain_rows([1_000, 10_000], 5),
        "going_on": lambda: going_on_rows(data, size.seeds),
        "latency": lambda: latency_rows(10_000, size.seconds),
        "training": lambda: training_rows(data, size.train_rows, size.seeds),
        "scale": lambda: scale_rows([number for number in SIZES if number <= size.largest]),
        "large": lambda: large_rows(SIZES[2], 10 * size.largest, kept),
        "looking": lambda: looking_rows([SIZES[1], size.largest]),
        "memory": lambda: memory_rows(size.largest),
        "workers": workers_rows,
        "renewing": lambda: renewing_rows(10 * size.shown),
        "starting": lambda: starting_rows(3),
        "growth": lambda: growth_rows(size.versions, size.grown, size.shown),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write JSON, table and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of data sets")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and at most 100,000 tasks")
    parser.add_argument("--only", nargs="*", help="parts to measure; an existing result file keeps its other rows")
    parser.add_argument("--out", type=Path, required=True, help="the result file, JSON")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers are stopped on the way out
    size = QUICK if chosen.quick else FULL
    known = parts(size, chosen.data, chosen.out.with_suffix(".large"))
    result = _earlier(chosen.out) if chosen.only else {"rows": [], "summary": {}}
    if TEXTS & set(chosen.only or known):
        plain_sets(chosen.data)  # ends here where there are no texts, not after an hour
    failed = []
    for name in chosen.only or known:
        started = time.monotonic()
        try:
            rows, summary = known[name]()
        except Exception:
            failed.append(name)
            traceback.print_exc()
            continue
        _note(result, name, rows, summary)
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text(json.dumps(result, indent=1) + "\n")
        write_report(chosen.out, result)
        print(f"{name}: {summary} in {time.monotonic() - started:.0f} s", flush=True)
    if chosen.out.is_file():
        print(markdown(result))
    if failed:
        raise SystemExit(
            f"not measured: {', '.join(failed)}; see above, and repeat them with --only {' '.join(failed)}"
        )


def _note(result: dict[str, Any], name: str, rows: list[Row], summary: dict[str, float]) -> None:
    """Put the rows of a part in the place of its earlier ones; the summary has the agreed keys first."""
    kept = [row for row in result["rows"] if row["part"] != name]
    result["rows"] = kept + [{"part": name, **row} for row in rows]
    found = result["summary"] | {key: round(value, 4) for key, value in summary.items()}
    result["summary"] = {key: found.get(key) for key in [*SUMMARY, *sorted(set(found) - {*SUMMARY})]}


def _earlier(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {"rows": [], "summary": {}}


if __name__ == "__main__":
    main()
