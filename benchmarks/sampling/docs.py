"""Put the tables and the plot of stored runs into the note.

python -m benchmarks.sampling.docs docs/sampling.md main=FILE.json more=FILE.json

A block between `<!-- main: shifted, all -->` and `<!-- end -->` becomes that group's table of the run `main`; `splits`
is the table split by split, `rest` what the rest of the pool adds in a run with `--student product`. The plot of the
first run goes to images/sampling.svg beside the note.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sampling import product
from benchmarks.sampling.report import Rows, by_split, group_table, plot, summary

BLOCK = re.compile(r"<!-- (\w+): ([^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def main(arguments: Sequence[str]) -> None:
    """Rewrite the note and the plot."""
    note, *stored = arguments
    runs = {
        name: json.loads(Path(file).read_text())["rows"] for name, _, file in (one.partition("=") for one in stored)
    }
    found = {name: described(rows) for name, rows in runs.items()}
    path = Path(note)
    path.write_text(filled(path.read_text(), found))
    plot(next(iter(runs.values())), path.parent / "images" / "sampling.svg")


def described(rows: Rows) -> Mapping[str, Any]:
    """The summary that belongs to the student of a run."""
    of_product = any(row["method"].endswith(product.REST) for row in rows)
    return {"rest": product.summary(rows)} if of_product else summary(rows)


def filled(text: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    """The note with its blocks made anew; ValueError for a block that no run has."""

    def table(match: re.Match[str]) -> str:
        run, group = match.groups()
        one = found.get(run, {})
        if group == "rest" and "rest" in one:
            return f"<!-- {run}: rest -->\n{product.markdown(one['rest'])}<!-- end -->"
        if "groups" not in one or (group != "splits" and group not in one["groups"]):
            raise ValueError(f"no run has the table {run}: {group}")
        made = by_split(one) if group == "splits" else group_table(group, one["groups"][group], one["default"])
        return f"<!-- {run}: {group} -->\n{made}<!-- end -->"

    return BLOCK.sub(table, text)


if __name__ == "__main__":
    main(sys.argv[1:])
