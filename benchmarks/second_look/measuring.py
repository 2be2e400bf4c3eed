"""What both benchmarks of second looks share: how much is wrong, how much is looked at, and the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

WRONG, LOOKED = 0.05, 50  # share of the decisions, and decisions
Row = dict[str, Any]


def parser(told: str, data: str) -> argparse.ArgumentParser:
    """With the options of both; `data` says what folder is read."""
    found = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--data", type=Path, required=True, help=data)
    found.add_argument("--out", type=Path, required=True, help="the result, JSON")
    found.add_argument("--into", type=Path, help="a page whose table is made anew")
    found.add_argument("--seeds", type=int, default=3)
    found.add_argument("--rows", type=int, default=2_000, help="labelled texts of a set, at most")
    found.add_argument("--cache", type=Path, default=Path("runs/second-look-cache"), help="embeddings")
    return found


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The command line; the result's folder is there, so that a long run does not end without it."""
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    return given
