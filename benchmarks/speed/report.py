"""The tables of a speed run, and the plot of scaling."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.rows import Row, spread

AIMS: Mapping[str, tuple[str, str]] = {  # summary key: what it is, the aim
    "predict_1": ("`/predict` with 1 task, requests/s against bare Flask", "≥ 0.9"),
    "predict_100": ("`/predict` with 100 tasks, requests/s against bare Flask", "≥ 0.9"),
    "setup": ("`/setup`, requests/s against bare Flask", ""),
    "health_s": ("start of the web server's process to the first answer of `/health`, s", "≤ 2"),
    "http_vs_runtime": ("new texts through HTTP, 100 a request, against the encoder in a plain loop", "≥ 0.9"),
    "int8_vs_float32": ("int8 onnxruntime against eager float32 torch, texts/s", "≥ 3"),
    "int8_agreement": ("labels that int8 leaves as they are, random head of 20 labels", "≥ 0.995"),
    "bfloat16_vs_float32": ("bfloat16 torch against eager float32 torch, texts/s", "≥ 3"),
    "bfloat16_agreement": ("labels that bfloat16 leaves as they are", "≥ 0.995"),
    "time_to_accuracy": ("Trainer's time to our head's accuracy, against our time with warm embeddings", "≥ 20"),
    "time_to_accuracy_cold": ("the same with all embeddings to be computed", ""),
    "retrain_1000_s": ("deciding annotation to the new student, 1,000 tasks, s", ""),
    "retrain_10000_s": ("deciding annotation to the new student, 10,000 tasks, s", "≤ 20"),
    "retrain_seconds_10k": ("the same by the aim for a pool with warm embeddings", "≤ 3"),
    "going_on_accuracy": ("accuracy on the pool, a training that goes on minus one from scratch", "≥ -0.005"),
    "retrain_seconds_1m": ("the same for a million tasks, by a training that goes on", "≤ 20"),
    "parts_accuracy": ("the same where each reads 4,000 of 10,000 tasks", "≥ -0.005"),
    "bytes_per_task_50_versions": ("our database after 50 versions, bytes per task", ""),
    "pool_growth_second_half": ("our database after 50 versions against after 25", "≤ 1.05"),
    "label_studio_growth_second_half": ("Label Studio's database after 50 versions against after 25", "≤ 1.05"),
    "restart_seconds": ("a further start of everything to its address, s", "≤ 8"),
    "first_shortlist_seconds": ("connecting the sample to the first shortlists in Label Studio, s", "≤ 10"),
    "workers_4_vs_1": ("an annotate run of one project by four workers, times as fast as by one", "≥ 3.6"),
    "status_ms_1m": ("a project's status with a million tasks, ms", "< 20"),
    "metrics_ms_100_projects": ("`/metrics` with 100 projects, ms", "< 100"),
    "idle_core_percent": ("an idle installation of 100 projects, % of a core", "< 1"),
    "webhook_p99_ms": ("webhook p99 under training, ms", "< 50"),
    "setup_p99_ms": ("`/setup` p99 under training, ms", "< 20"),
    "events_per_second": ("webhooks a second meanwhile", "200"),
    "scale_cost_ratio": ("cost per task at the largest size against 10,000 tasks, worst step", "≤ 1.2"),
    "task_cost_10m_vs_100k": ("cost per task on PostgreSQL, 10,000,000 tasks against 100,000", "≤ 1.3"),
    "scale_rss_mb": ("memory of the process that did these steps for the largest size, MB", ""),
    "scale_disk_mb": ("its database, MB", ""),
    "web_rss_mb": ("largest memory of the web process, MB", "< 1,000"),
    "worker_rss_mb": ("largest memory of a worker's process, MB", "< 4,000"),
}


def markdown(result: Mapping[str, Any]) -> str:
    """Summary beside its aims, then every measurement."""
    return f"{aims(result['summary'])}\n\n{measurements(result['rows'])}\n"


def aims(summary: Mapping[str, Any]) -> str:
    """What was measured beside what was to be reached."""
    lines = ["| what | measured | aim |", "|---|---|---|"]
    lines += [f"| {text} | {shown(summary[key])} | {aim} |" for key, (text, aim) in AIMS.items() if key in summary]
    if any(summary.get(key, 0) is None for key in AIMS):
        lines += ["", "A dash: not measured in this run."]
    return "\n".join(lines)


def measurements(rows: Sequence[Row]) -> str:
    """Every measurement: median, smallest, largest."""
    groups: dict[tuple[str, str, object], list[float]] = defaultdict(list)
    units: dict[tuple[str, str, object], str] = {}
    for row in rows:
        key = (str(row["what"]), str(row["method"]), row.get("tasks", ""))
        groups[key].append(float(row["value"]))
        units[key] = str(row["unit"])
    lines = ["| measurement | of | tasks | median | from | to | unit |", "|---|---|---|---|---|---|---|"]
    for key, values in groups.items():
        low, high = spread(values)
        cells = [key[0], key[1], str(key[2]), shown(median(values)), shown(low), shown(high), units[key]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(value: float | None) -> str:
    """Three significant digits; a dash for what was not measured."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plot(rows: Sequence[Row], path: Path) -> None:
    """Microseconds per task by number of tasks."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    scale = [row for row in rows if row.get("part") == "scale" and row["unit"] == "us/task"]
    if not scale:
        return
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for what in dict.fromkeys(row["what"] for row in scale):
        points = sorted((row["tasks"], row["value"]) for row in scale if row["what"] == what)
        axes.plot(*zip(*points, strict=True), marker="o", label=what)
    axes.set(xscale="log", ylim=(0, None), xlabel="tasks", ylabel="processor time per task, µs")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def growth_plot(rows: Sequence[Row], path: Path) -> None:
    """Bytes per task of both databases, and seconds of a publish, by number of versions."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    grown = [row for row in rows if row.get("part") == "growth" and row["seed"]]
    if not grown:
        return
    figure, (sizes, times) = pyplot.subplots(2, 1, figsize=(7, 5), sharex=True)
    for axes, what, method, name in (
        (sizes, "size", "pool", "ours"),
        (sizes, "size", "Label Studio", "Label Studio's"),
        (times, "publish", "Label Studio", "publish"),
        (times, "clear", "Label Studio", "taking older predictions away"),
    ):
        points = [(row["seed"], row["value"]) for row in grown if (row["what"], row["method"]) == (what, method)]
        axes.plot(*zip(*points, strict=True), label=f"{name}, {_tasks(grown, method):,} tasks")
        axes.legend()
    sizes.set(ylim=(0, None), ylabel="bytes per task")
    times.set(ylim=(0, None), ylabel="s", xlabel="versions")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _tasks(rows: Sequence[Row], method: str) -> int:
    return next(int(row["tasks"]) for row in rows if row["method"] == method)


def write_report(path: Path, result: Mapping[str, Any]) -> None:
    """Table (.md) and plot (.svg) beside the result file `path`."""
    path.with_suffix(".md").write_text(markdown(result))
    plot(result["rows"], path.with_suffix(".svg"))
    growth_plot(result["rows"], path.with_name(f"{path.stem}-growth.svg"))
