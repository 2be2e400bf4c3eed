"""Write the tables and the plot of docs/evidence/speed.md from the benchmark's JSON.

    python -m benchmarks.speed.docs RUN.json --into docs/evidence/speed.md

The figures go into the JSON beside the page, and from there into it (`benchmarks.shared.tables`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.shared import tables
from benchmarks.speed.report import aims, growth_plot, measurements, plot


def main() -> None:
    """Replace the tables of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the result file, JSON")
    parser.add_argument("--into", type=Path, required=True, help="the page")
    given = parser.parse_args()
    result, page = json.loads(given.run.read_text()), given.into
    tables.keep(page, {"aims": aims(result["summary"]), "measurements": measurements(result["rows"])})
    plot(result["rows"], page.parent.parent / "images" / "speed.svg")
    growth_plot(result["rows"], page.parent.parent / "images" / "growth.svg")


if __name__ == "__main__":
    main()
