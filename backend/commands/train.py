"""`shortlist train`: a new student from what is known now."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import ask_for


def train(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is finished and show progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Train a student from candidate sets and human labels, as the button Start training does.

    Example: shortlist train 7 --wait
    """
    ask_for("train", project, wait=wait, as_json=as_json)
