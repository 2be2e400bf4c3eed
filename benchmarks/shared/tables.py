"""The tables of the pages in docs/evidence, made from the JSON that is committed beside them.

    python -m benchmarks.shared.tables            # fill every page anew
    python -m benchmarks.shared.tables --check    # change nothing; 1 if a page is not what its JSON says
    python -m benchmarks.shared.tables TABLE=RUN.json --into docs/evidence/PAGE.md    # the summary of a run as a table

`docs/evidence/PAGE.json` has a `note`, `captions` (text by table) and `rows`: flat, each with the name of its
`table` and one cell per column, as the page shows it. The block between `<!-- NAME -->` and `<!-- end of NAME -->` of
PAGE.md is caption and table of that name. A benchmark's `docs` command calls `keep` with the tables of its runs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

EVIDENCE = Path(__file__).resolve().parent.parent.parent / "docs" / "evidence"
BLOCK = re.compile(r"<!-- (?P<name>[^>]+?) -->\n.*?<!-- end of (?P=name) -->", re.DOTALL)
RULE = re.compile(r":?-{3,}:?")  # a cell of the line below the titles
NOTE = "Aggregated figures, as the page shows them. The rows of the single runs that they were made of are not kept."
Row = dict[str, Any]


def keep(page: Path, tables: Mapping[str, str]) -> None:
    """Put tables into the page's JSON, each in the place of the one of its name, and fill the page from it.

    `tables` are Markdown by name: at most one table each, and text before and after it that becomes its caption. An
    empty one (the runs say nothing about it) leaves the kept one as it is.
    ValueError if the page has no place for one of them; then nothing is written.
    """
    path = data_of(page)
    data: dict[str, Any] = {"note": NOTE, "captions": {}, "rows": []}
    if path.exists():
        data = json.loads(path.read_text(encoding="utf-8"))
    for name, markdown in tables.items():
        caption, rows = read(markdown)
        if not (caption or rows):
            continue
        data["captions"] = {key: text for key, text in data["captions"].items() if key != name}
        data["captions"] |= {name: caption} if caption else {}
        data["rows"] = [row for row in data["rows"] if row["table"] != name] + [{"table": name} | row for row in rows]
    text = filled(page.read_text(encoding="utf-8"), data)
    path.write_text(written(data), encoding="utf-8")
    page.write_text(text, encoding="utf-8")


def summarised(summary: Mapping[str, Any]) -> str:
    """The numbers of a run's summary as a table, those of nested objects too; lists and texts are left out."""
    found: dict[str, float] = {}

    def walk(part: Mapping[str, Any], before: str) -> None:
        for name, value in part.items():
            if isinstance(value, Mapping):
                walk(value, f"{before}{name}: ")
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found[f"{before}{name}".replace("_", " ")] = value

    walk(summary, "")
    return "\n".join(
        ["| what | measured |", "|---|---|", *(f"| {name} | {value:,} |" for name, value in found.items())]
    )


def data_of(page: Path) -> Path:
    """Where the JSON of a page is."""
    return page.with_suffix(".json")


def written(data: Mapping[str, Any]) -> str:
    """The JSON with one row a line, so that a changed figure is a changed line."""
    rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in data["rows"])
    head = json.dumps({key: value for key, value in data.items() if key != "rows"}, ensure_ascii=False, indent=2)
    return f'{head.removesuffix("}").rstrip()},\n  "rows": [\n{rows}\n  ]\n}}\n'


def read(markdown: str) -> tuple[str, list[Row]]:
    """Caption and rows of one Markdown table. ValueError for a second table, or two columns of one title."""
    lines = [line.strip() for line in markdown.strip().splitlines()]
    grid = [cells(line) for line in lines if line.startswith("|")]
    caption = "\n".join(line.lstrip("#").strip() for line in lines if not line.startswith("|")).strip()
    if not grid:
        return caption, []
    titles, rule, *body = grid
    if len(set(titles)) < len(titles) or any(all(map(RULE.fullmatch, line)) for line in body):
        raise ValueError(f"one table with a title of its own for each column is wanted, not: {' | '.join(titles)}")
    if any(len(line) != len(titles) for line in [rule, *body]):
        raise ValueError(f"lines of the table {' | '.join(titles)} have not as many cells as it has titles")
    columns = [typed([line[place] for line in body]) for place in range(len(titles))]
    return caption, [dict(zip(titles, values, strict=True)) for values in zip(*columns, strict=True)]


def sections(markdown: str) -> dict[str, str]:
    """What stands below each `### ` heading of a report, by heading."""
    parts = re.split(r"^### (.+)\n", markdown, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def places(page: str) -> set[str]:
    """The names of the blocks of a page."""
    return {match["name"] for match in BLOCK.finditer(page)}


def cells(line: str) -> list[str]:
    """The cells of a line of a table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def typed(texts: Sequence[str]) -> list[Any]:
    """A column as numbers if all its cells are written as Python writes them, else as it is."""
    numbers: list[Any] = [
        int(text) if re.fullmatch(r"-?\d+", text) else float(text) if re.fullmatch(r"-?\d+\.\d+", text) else text
        for text in texts
    ]
    same = all(not isinstance(value, str) and str(value) == text for value, text in zip(numbers, texts, strict=True))
    return numbers if same else list(texts)


def shown(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table; its columns in the order in which they first appear."""
    titles = list(dict.fromkeys(title for row in rows for title in row if title != "table"))
    lines = [titles, ["---"] * len(titles), *([str(row.get(title, "")) for title in titles] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled(page: str, data: Mapping[str, Any]) -> str:
    """The page with its blocks made from the data. ValueError for a block without data, or data without a block."""
    known = {*data["captions"], *(row["table"] for row in data["rows"])}
    if apart := ", ".join(sorted(places(page) ^ known)):
        raise ValueError(f"the page and its JSON do not have the same tables; in one of them only: {apart}")

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        rows = [row for row in data["rows"] if row["table"] == name]
        parts = [data["captions"].get(name, ""), shown(rows) if rows else ""]
        return "\n\n".join([f"<!-- {name} -->", *filter(None, parts), f"<!-- end of {name} -->"])

    return BLOCK.sub(block, page)


def refilled(check: bool) -> int:
    """Fill or compare every page; 1 if a compared page is out of date."""
    stale = 0
    for page in sorted(EVIDENCE.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        if not BLOCK.search(before):
            continue  # a page of facts, without figures of ours
        after = filled(before, json.loads(data_of(page).read_text(encoding="utf-8")))
        if check and before != after:
            sys.stderr.write(f"{page} is out of date: run .venv/bin/python -m benchmarks.shared.tables\n")
            stale = 1
        elif before != after:
            page.write_text(after, encoding="utf-8")
    return stale


def main() -> int:
    """Fill or compare all pages, or put the summaries of runs into one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="TABLE=RUN.json")
    parser.add_argument("--into", type=Path, help="the page of the runs")
    parser.add_argument("--check", action="store_true", help="only compare")
    given = parser.parse_args()
    if bool(given.runs) != bool(given.into):
        parser.error("TABLE=RUN.json and --into PAGE belong together")
    if not given.runs:
        return refilled(given.check)
    named = (one.partition("=") for one in given.runs)
    keep(given.into, {name: summarised(json.loads(Path(file).read_text())["summary"]) for name, _, file in named})
    return 0


if __name__ == "__main__":
    sys.exit(main())
