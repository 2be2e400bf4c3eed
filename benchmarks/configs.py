"""What Shortlist makes of label configs as people write them: full, partly, refused, with every sentence that it says.

    .venv/bin/python -m benchmarks.configs --data ../shared/data/label-configs --out FILE.json [--into PAGE.md]

A folder of XML files, with `index.json` for the kind of each (file, kind); without it all are of kind "unknown". Every
suggested option is tried: `remedy_accepted` says whether the config is served with it. `left_to_people` counts what
people answer or look at besides: free numbers, dates, rankings, other media and questions about them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from backend.errors import at_command_line
from backend.label_studio.verdict import Verdict, verdict
from backend.settings import Settings, load_settings
from benchmarks.shared import tables

NO_CLASSES = {"other-media", "spans-only", "generation-only", "per-region", "options-from-task"}


def row_of(path: Path, kind: str, settings: Settings) -> dict[str, Any]:
    """One measurement."""
    xml = path.read_text(encoding="utf-8")
    options = settings.for_project({})
    try:
        found = verdict(xml, options, at_command_line)
    except Exception as error:  # what is to be counted here: it must never happen
        return {"file": path.name, "kind": kind, "outcome": "crashed", "questions": 0, "message": repr(error)[:300]}
    row = {
        "file": path.name,
        "kind": kind,
        "outcome": found.outcome,
        "questions": len(found.questions),
        "left_to_people": sum(entry.asks for entry in found.left),
        "message": found.message,
    }
    remedies = _remedies(found)
    if remedies:
        again = [verdict(xml, settings.for_project({name: value})).outcome for name, value in remedies]
        row["remedy_accepted"] = "refused" not in again
    return row


def _remedies(found: Verdict) -> list[tuple[str, str]]:
    offered = [found.option, *(entry.option for entry in found.left), *dict.fromkeys(found.advised)]
    return [option for option in offered if option is not None]


def summary_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many of each outcome, by kind, and the share of the configs with classes that is served fully."""
    kinds: dict[str, Counter[str]] = {}
    for row in rows:
        kinds.setdefault(row["kind"], Counter())[row["outcome"]] += 1
    classes = [row for row in rows if row["kind"] not in NO_CLASSES]
    full = [row for row in classes if row["outcome"] == "full"]
    alone = sum(not row["left_to_people"] for row in full)
    return {
        "configs": len(rows),
        "outcomes": dict(Counter(row["outcome"] for row in rows)),
        "by_kind": {kind: dict(kinds[kind]) for kind in sorted(kinds)},
        "with_classes": len(classes),
        "outcomes_with_classes": dict(Counter(row["outcome"] for row in classes)),
        "full_share": round(len(full) / len(classes), 4) if classes else None,
        "nothing_left_share": round(alone / len(classes), 4) if classes else None,
        "remedies": sum("remedy_accepted" in row for row in rows),
        "remedies_accepted": sum(row.get("remedy_accepted", False) for row in rows),
    }


def outcomes(rows: list[dict[str, Any]]) -> str:
    """A table: of each kind with classes how many are served how."""
    lines = ["| kind | configs | full | partly | refused | nothing left |", "|---|---|---|---|---|---|"]
    classes = [row for row in rows if row["kind"] not in NO_CLASSES]
    for kind in [*sorted({row["kind"] for row in classes}), ""]:
        here = [row for row in classes if kind in ("", row["kind"])]
        counts = [sum(row["outcome"] == outcome for row in here) for outcome in ("full", "partly", "refused")]
        alone = sum(row["outcome"] == "full" and not row["left_to_people"] for row in here)
        cells = [kind or "all", len(here), *counts, alone]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def rest(rows: list[dict[str, Any]]) -> str:
    """A table: the configs with classes that are not served fully, and what is said of them."""
    lines = ["| config | outcome | what is said |", "|---|---|---|"]
    for row in rows:
        if row["kind"] not in NO_CLASSES and row["outcome"] != "full":
            said = next((one for one in row["message"].split(". ") if ": one of" not in one), "").replace("|", "/")
            lines.append(f"| {row['file']} | {row['outcome']} | {said} |")
    return "\n".join(lines)


def main() -> None:
    """Read the folder, write the file, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--into", type=Path, help="a page of docs/evidence")
    given = parser.parse_args()
    index = given.data / "index.json"
    kinds = {row["file"]: row["kind"] for row in json.loads(index.read_text())} if index.exists() else {}
    settings = load_settings()
    rows = [row_of(path, kinds.get(path.name, "unknown"), settings) for path in sorted(given.data.glob("*.xml"))]
    summary = summary_of(rows)
    given.out.write_text(json.dumps({"rows": rows, "summary": summary}, ensure_ascii=False, indent=1) + "\n")
    if given.into:
        tables.keep(given.into, {"outcomes": outcomes(rows), "rest": rest(rows)})
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
