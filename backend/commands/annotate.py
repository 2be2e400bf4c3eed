"""`shortlist annotate`: the teacher's candidate sets for all tasks that have none."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import ask_for


def annotate(
    project: Annotated[int, typer.Argument(help="Number of the project in Label Studio.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is finished and show progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Ask the teacher about every task of a project that has no candidate set yet, and show them in Label Studio.

    Example: shortlist annotate 7 --wait
    """
    ask_for("annotate", project, wait=wait, as_json=as_json)
