"""`shortlist estimate`: what the teacher would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backend.commands.common import open_project, show_json
from backend.errors import SettingsError

if TYPE_CHECKING:
    from backend.teacher.estimate import Estimate


def estimate(
    number: Annotated[int | None, typer.Argument(metavar="PROJECT", help="Number of the project.")] = None,
    *,
    project: Annotated[int | None, typer.Option("--project", help="The same as the argument.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Tell calls, tokens and price of asking the teacher about every task it has not answered. Asks no LLM.

    Example: shortlist estimate --project 7
    """
    from backend.projects.current import current_of
    from backend.teacher.estimate import estimate as estimated
    from backend.training.encoder import project_embedder

    chosen = number if number is not None else project
    if chosen is None:
        raise SettingsError("say which project: `shortlist estimate 7`, the number in the project's address")
    services, known = open_project(chosen)
    now = current_of(services, known)
    found = estimated(now, project_embedder(now))
    if as_json:
        show_json({"project": chosen, **found.to_json()})
    else:
        typer.echo(f"Project {chosen} ({known.title}): {tell(found)}")


def tell(found: Estimate) -> str:
    """The estimate in words."""
    if not found.prices:
        return f"{found.tasks} tasks for the {found.teacher}; it costs nothing"
    written = f"  {found.writing} of them to write examples" if found.writing else ""
    lines = [
        f"{found.tasks} tasks for {found.teacher}, {found.kept} of them answered before and free",
        f"  calls          {found.calls:>12,}{written}",
        f"  input tokens   {found.input_tokens:>12,}  {'counted' if found.counted else 'estimated'}",
        f"  output tokens  {found.output_tokens:>12,}  estimated",
        f"  price          {_usd(found.usd)}  without prompt caching",
        f"                 {_usd(found.usd_cached)}  if the provider caches the prompt",
    ]
    if found.usd_batch is not None:
        lines.append(f"                 {_usd(found.usd_batch)}  through the batch API")
    lines += [
        f"                 {_usd(found.most_usd)}  at most (longest answers, every question asked twice)",
        f"  budget left    {_usd(found.budget_left_usd)}  of BUDGET_USD{_enough(found)}",
        f"  prices of {found.prices}",
    ]
    if found.uncounted:
        lines.append(f"  The provider did not count the tokens: {found.uncounted}")
    if found.fewer:
        lines.append("  This is for all tasks; a committee asks about the first 200 and what its votes leave open")
    return "\n".join(lines)


def _usd(value: float) -> str:
    return f"${value:>11,.4f}"


def _enough(found: Estimate) -> str:
    return "" if found.usd_cached <= found.budget_left_usd else "; not enough, the run will stop there"
