"""Tables of the committee benchmark."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Rows = Sequence[Mapping[str, Any]]

MEMBER = "member:"
TITLES = {"pool": "annotated", "new": "new"}
FAIR = ("panel", "one-student", "logistic")  # rivals with the same answers and the same labels by people
NAMED = ("committee", "llm", "majority", "published", *FAIR)
AIM = 0.02  # above the best fair rival


def summary(rows: Rows) -> dict[str, Any]:
    """For the pool and for new tasks: every set and the mean over sets."""
    return {part: part_summary([row for row in rows if row["part"] == part]) for part in ("pool", "new")}


def part_summary(rows: Rows) -> dict[str, Any]:
    """Sets, and over those whose LLM is above chance: means of methods, gains, and the sets below the best member."""
    sets = [dataset(rows, name) for name in sorted({row["dataset"] for row in rows})]
    if not sets:
        return {"sets": [], "mean": {}}
    counted = [entry for entry in sets if not entry["below_chance"]] or sets
    methods = sorted(set.intersection(*(set(entry["methods"]) for entry in sets)))
    mean = {
        method: {
            key: float(np.mean([entry["methods"][method][key] for entry in counted]))
            for key in ("accuracy", "calls", "usd")
        }
        for method in methods
    }
    return {
        "sets": sets,
        "mean": mean,
        "against": {method: against(rows, method) for method in methods},
        "best_member": float(np.mean([entry["best_member"] for entry in counted])),
        "gain_over_llm": mean["committee"]["accuracy"] - mean["llm"]["accuracy"],
        "fair": fair(counted),
        "below_best_member": [entry["dataset"] for entry in sets if entry["below"]],
    }


def fair(sets: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float, float]]:
    """The committee minus every fair rival: the mean over sets, and a 95 % interval that resamples sets."""
    found = {}
    for rival in FAIR:
        gains = np.array([
            entry["methods"]["committee"]["accuracy"] - entry["methods"][rival]["accuracy"]
            for entry in sets if rival in entry["methods"]
        ])  # fmt: skip
        if len(gains):
            draws = gains[np.random.default_rng(0).integers(len(gains), size=(4000, len(gains)))].mean(axis=1)
            low, high = np.percentile(draws, (2.5, 97.5))
            found[rival] = (float(gains.mean()), float(low), float(high))
    return found


def against(rows: Rows, method: str) -> tuple[float, float]:
    """Accuracy minus that of the default committee on the same set with the same seed: the mean, and 1.96 of its
    standard errors over sets and seeds."""
    default = {(row["dataset"], row["seed"]): row["accuracy"] for row in rows if row["method"] == "committee"}
    pairs = [row["accuracy"] - default[row["dataset"], row["seed"]] for row in rows if row["method"] == method]
    error = 1.96 * float(np.std(pairs, ddof=1)) / math.sqrt(len(pairs)) if len(pairs) > 1 else 0.0
    return float(np.mean(pairs)), error


def dataset(rows: Rows, name: str) -> dict[str, Any]:
    """Means over seeds. The best member is the one with the highest mean: known only with gold labels.

    `below` says that the committee's accuracy is lower by more than 1.96 standard errors of a difference of two shares
    on that many tasks (a wide bound: the two answer the same tasks)."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["dataset"] == name:
            found[row["method"]].append(row)
    methods = {
        method: {
            "accuracy": float(np.mean([row["accuracy"] for row in group])),
            "deviation": float(np.std([row["accuracy"] for row in group])),
            "calls": float(np.mean([row["share_of_calls"] for row in group])),
            "usd": float(np.mean([row.get("usd", 0.0) for row in group])),
        }
        for method, group in found.items()
    }
    best = max((entry["accuracy"], method) for method, entry in methods.items() if method.startswith(MEMBER))
    ours, count = methods["committee"]["accuracy"], found["committee"][0]["rows"]
    error = math.sqrt((ours * (1 - ours) + best[0] * (1 - best[0])) / count)
    return {
        "dataset": name,
        "teacher": found["committee"][0]["teacher"],
        "rows": count,
        "human_labels": found["committee"][0]["human_labels"],
        "tokens_per_call": found["committee"][0].get("tokens_per_call"),
        "methods": methods,
        "best_member": best[0],
        "best_member_name": best[1].removeprefix(MEMBER),
        "below": ours < best[0] - 1.96 * error,
        "below_chance": methods["llm"]["accuracy"] < 1 / found["committee"][0].get("labels", math.inf),
    }


def markdown(found: Mapping[str, Any]) -> str:
    """One table per part, and one of other settings; accuracy in percent, calls in percent of the tasks."""
    lines: list[str] = []
    titles = {"pool": "Tasks that are annotated", "new": "New tasks of the same kind"}
    for part, title in titles.items():
        entry = found[part]
        if not entry["sets"]:
            continue
        head = ["set (reviewer)", "tasks", "LLM", "panel", "one student", "logistic", "best member", "majority",
                "published: calls", "**committee**: calls"]  # fmt: skip
        lines += [f"### {title}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [set_line(line) for line in entry["sets"]]
        lines += [mean_line(entry), ""]
        lines += [sentence(entry), ""]
    return "\n".join([*lines, *cost_table(found), *settings_table(found)])


def sentence(entry: Mapping[str, Any]) -> str:
    """The committee against its fair rivals, and whether the aim is reached."""
    parts = [
        f"{rival} {100 * gain:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        for rival, (gain, low, high) in entry["fair"].items()
    ]
    best = min((gain for gain, _, _ in entry["fair"].values()), default=None)
    verdict = "" if best is None else f" {'Reached' if best >= AIM else 'Missed'}: +2 points over the best of them."
    below = ", ".join(entry["below_best_member"]) or "no set"
    return (
        f"Committee minus its fair rivals, points, 95 % intervals over sets: {', '.join(parts) or 'not measured'}."
        f"{verdict} Below the best member by more than noise: {below}."
    )


def cost_table(found: Mapping[str, Any]) -> list[str]:
    """US dollars for the calls of 1,000 tasks; nothing where they were not computed."""
    parts = {part: found[part] for part in ("pool", "new") if found[part]["sets"]}
    if not parts or not all(entry["mean"]["llm"]["usd"] for entry in parts.values()):
        return []
    ways = ("llm", "published", "committee")
    head = ["set", "tokens per call", *(f"{TITLES[part]}: {way}" for part in parts for way in ways)]
    lines = ["### Price of the calls for 1,000 tasks", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for sets in zip(*(entry["sets"] for entry in parts.values()), strict=True):
        cells = [f"${line['methods'][way]['usd']:.4f}" for line in sets for way in ways]
        lines.append(f"| {' | '.join([sets[0]['dataset'], str(sets[0]['tokens_per_call']), *cells])} |")
    means = [f"${entry['mean'][way]['usd']:.4f}" for entry in parts.values() for way in ways]
    return [*lines, f"| **mean** |  | {' | '.join(means)} |", ""]


def settings_table(found: Mapping[str, Any]) -> list[str]:
    """Other settings of the committee: means over the sets, and the paired difference to the default; nothing without
    any."""
    means = {part: found[part]["mean"] for part in ("pool", "new") if found[part]["sets"]}
    first: Mapping[str, Any] = next(iter(means.values()), {})
    others = [name for name in first if name not in NAMED and MEMBER not in name]
    if not others:
        return []
    head = [cell for part in means for cell in (TITLES[part], f"{TITLES[part]}: difference")]
    lines = [
        "### Other settings, mean of the sets",
        "",
        f"| setting | {' | '.join(head)} |",
        "|---" * (1 + len(head)) + "|",
    ]
    for name in ["committee", *others]:
        cells = [
            cell for part in means for cell in (with_calls(means[part][name]), points(*found[part]["against"][name]))
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def points(mean: float, error: float) -> str:
    """A difference in points, with its interval; nothing where there is none."""
    return f"{100 * mean:+.1f} ± {100 * error:.1f}" if mean or error else ""


def set_line(entry: Mapping[str, Any]) -> str:
    """One set, with the committee's deviation over seeds."""
    methods = entry["methods"]
    name = f"{entry['dataset']} ({entry['teacher']}{', below chance' if entry['below_chance'] else ''})"
    cells = [name, str(entry["rows"]), percent(methods["llm"])]
    cells += [percent(methods[rival]) if rival in methods else "-" for rival in FAIR]
    cells += [f"{100 * entry['best_member']:.1f} ({entry['best_member_name']})", percent(methods["majority"])]
    ours = methods["committee"]
    cells += [with_calls(methods["published"])]
    cells += [f"{percent(ours)} ± {100 * ours['deviation']:.1f}: {100 * ours['calls']:.0f} %"]
    return f"| {' | '.join(cells)} |"


def mean_line(entry: Mapping[str, Any]) -> str:
    """The mean over sets."""
    mean = entry["mean"]
    cells = ["**mean**", "", percent(mean["llm"])]
    cells += [percent(mean[rival]) if rival in mean else "-" for rival in FAIR]
    cells += [f"{100 * entry['best_member']:.1f}", percent(mean["majority"])]
    cells += [with_calls(mean[name]) for name in ("published", "committee")]
    return f"| {' | '.join(cells)} |"


def percent(entry: Mapping[str, float]) -> str:
    """An accuracy."""
    return f"{100 * entry['accuracy']:.1f}"


def with_calls(entry: Mapping[str, float]) -> str:
    """An accuracy and its share of calls."""
    return f"{percent(entry)}: {100 * entry['calls']:.0f} %"
