"""`shortlist annotate`: the teacher's candidate sets for all tasks that have none."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from backend.commands.common import ask_for, open_project, show_json


def annotate(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is finished and show progress.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask nobody; print the exact question about one task.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Also ask anew what brought no answer, or was taken over when instructions changed."
        ),
    ] = False,
    task: Annotated[int | None, typer.Option(help="With --dry-run: the task; default: the next one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Ask the teacher about every task of a project that has no candidate set yet, and show them in Label Studio.

    Example: shortlist annotate 7 --wait
    """
    from backend.projects.current import current_of

    if not dry_run:
        if again:
            _ask_anew(project, quiet=as_json)
        ask_for("annotate", project, wait=wait, as_json=as_json)
        return
    from backend.reporting.prompt_preview import question_of
    from backend.training.encoder import project_embedder

    services, known = open_project(project)
    current = current_of(services, known)
    found = question_of(current, project_embedder(current), task)
    if as_json:
        show_json(found)
    else:
        typer.echo(tell(found))


def _ask_anew(number: int, *, quiet: bool) -> None:
    """Have the present teacher version asked again: what it did not answer, and what it took over from another one."""
    from backend.projects.current import current_of
    from backend.teacher.asking_again import forget_failed, forget_taken_over

    services, project = open_project(number)
    current = current_of(services, project)
    failed, taken = forget_failed(current), forget_taken_over(current)
    if not quiet:
        typer.echo(f"{failed} tasks without a readable answer and {taken} whose answer was taken over are asked anew")


def tell(found: dict[str, Any]) -> str:
    """The question as text: every part under a line that names it."""
    head = f"Task {found['task']} of project {found['project']}, {found['teacher']}, {found['version']}"
    if not found["requests"]:
        return f"{head}\nThis teacher asks no LLM; there is no prompt"
    lines = [head]
    if found["examples_to_write"]:
        lines.append(
            f"Before the first question the LLM writes {found['examples_to_write']} examples per label, one call per "
            "label (EXAMPLES_WRITTEN); they will stand before the text"
        )
    for request in found["requests"]:
        lines += [f"=== {request['llm']}", "--- system", request["system"]]
        for turn in request["turns"]:
            lines += [f"--- {turn['role']}", turn["text"]]
        lines += [
            f"--- answer: at most {request['max_tokens']} tokens, as",
            json.dumps(request["schema"], ensure_ascii=False),
        ]
    return "\n".join(lines)
