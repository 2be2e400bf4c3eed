"""`shortlist committee`: existing classifiers that vote beside the students. Proposed, looked at, confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.commands.common import open_project, show_json

if TYPE_CHECKING:
    from backend.pool.classifiers import ClassifierRow

Number = Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")]
Places = Annotated[list[str], typer.Argument(metavar="CLASSIFIER", help="Hub names or folders, as proposed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print for programs.")]

app = typer.Typer(no_args_is_help=True, help="Existing classifiers for a project's committee (MODE=committee).")


@app.command("propose")
def propose(
    project: Number,
    *,
    catalogue: Annotated[Path | None, typer.Option(help="A catalogue file of your own instead of ours.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch weights, to try classifiers on labels.")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose classifiers and which of their labels means which of the project's, and try them on people's labels.

    Asks the LLM of TEACHER once, within the budget; without one the names of labels are compared.

    Example: shortlist committee propose 7
    """
    from backend.projects.current import current_of
    from backend.training.classifiers import propose as proposed
    from backend.training.encoder import project_embedder

    services, known = open_project(project)
    now = current_of(services, known)
    found = proposed(now, project_embedder(now), catalogue, download)
    if as_json:
        show_json({"project": project, "classifiers": _plain(found.rows), "notes": list(found.notes)})
        return
    for note in found.notes:
        typer.echo(note, err=True)
    others = (
        "a committee works without, with the members of COMMITTEE; --catalogue FILE looks among classifiers of yours"
    )
    tell(project, known.title, found.rows, f"no classifier of the catalogue fits its labels; {others}")


@app.command("confirm")
def confirm(project: Number, classifiers: Places, *, as_json: AsJson = False) -> None:
    """Give proposed classifiers a seat in the committee, from the next training on. Loads each, to compare its labels.

    Example: shortlist committee confirm 7 cardiffnlp/twitter-roberta-base-sentiment-latest
    """
    from backend.projects.current import current_of
    from backend.training.classifiers import confirm as confirmed

    services, known = open_project(project)
    if not as_json:
        typer.echo(f"Loading {', '.join(classifiers)}; weights that are not here are fetched", err=True)
    rows = confirmed(current_of(services, known), classifiers)
    if as_json:
        show_json({"project": project, "classifiers": _plain(rows)})
        return
    for row in rows:
        typer.echo(line(row))
    mode = current_of(services, known).options.MODE
    after = (
        f"`shortlist train {project}` trains a committee with it"
        if mode == "committee"
        else f"it votes once a committee is trained: `shortlist connect {project} --option MODE=committee`"
    )
    typer.echo(f"Confirmed for project {project} ({known.title}); {after}")


@app.command("dismiss")
def dismiss(project: Number, classifiers: Places, *, as_json: AsJson = False) -> None:
    """Take proposals or seats back; the next training goes without them.

    Example: shortlist committee dismiss 7 cardiffnlp/twitter-roberta-base-sentiment-latest
    """
    from backend.projects.current import current_of
    from backend.training.classifiers import dismiss as dismissed

    services, known = open_project(project)
    dismissed(current_of(services, known), classifiers)
    if as_json:
        show_json({"project": project, "dismissed": classifiers})
    else:
        typer.echo(f"Project {project} ({known.title}): {', '.join(classifiers)} dismissed")


@app.command("show")
def show(project: Number, *, as_json: AsJson = False) -> None:
    """Show who votes in the served committee, how good and how heavy each is, and which classifiers are proposed.

    Example: shortlist committee show 7
    """
    from backend.pool.classifiers import of_project, outdated
    from backend.projects.current import current_of
    from backend.reporting.committee_quality import decided_by, deciders, members

    services, known = open_project(project)
    now = current_of(services, known)
    space, served = now.space.hash, now.served_version
    rows = of_project(services.engine, project, space)
    seated = members(now, served)
    if as_json:
        show_json({"project": project, "members": seated, "classifiers": _plain(rows)})
        return
    options = now.options
    if seated is not None:
        counts, checked = decided_by(now, served), deciders(now, served)
        typer.echo(voters(served, seated, counts or {}, checked or {}))
    elif options.MODE == "committee":
        seats = ", ".join([*options.COMMITTEE.split(","), *(row.place for row in rows if row.confirmed)])
        typer.echo(f"No committee is served yet; the next training seats {seats} (`shortlist train {project}`)")
    else:
        how = f"`shortlist connect {project} --option MODE=committee`"
        typer.echo(f"This project trains one student; {how} makes it a committee of {options.COMMITTEE}")
    gone = outdated(services.engine, project, space)
    if gone:
        typer.echo(f"Lost their seats when the labels changed, as their maps lead to former ones: {', '.join(gone)}")
    nothing = f"no classifier is proposed; `shortlist committee propose {project}` looks for some"
    tell(project, known.title, rows, nothing)


def voters(
    version: str, seated: Sequence[dict[str, Any]], decided: Mapping[str, int], checked: Mapping[str, dict[str, Any]]
) -> str:
    """The served committee in words: every member, who decided how many tasks, and how often that was right."""
    from backend.reporting.wording import decider

    def told(who: str) -> str:
        found = checked.get(who, {})
        if not found.get("human_checked") or who in ("people", "unresolved"):
            return ""
        return f" (right on {found['accuracy']:.0%} of {found['human_checked']} that people checked)"

    lines = [f"{version} is served:"]
    for one in seated:
        right = "" if one["right"] is None else f", right on {one['right']:.0%} of {one['judged']} labels of people"
        kept = f"; its last training was refused, it votes as before ({one['kept_old']})" if one["kept_old"] else ""
        lines.append(f"  {one['name']}: weight {one['weight']:.2f}{right}{kept}")
    counts = ", ".join(f"{number} by {decider(who)}{told(who)}" for who, number in decided.items())
    return "\n".join([*lines, f"Tasks decided: {counts}"] if counts else lines)


def tell(project: int, title: str, rows: Sequence[ClassifierRow], nothing: str) -> None:
    """All of them, and what to do next."""
    if not rows:
        typer.echo(f"Project {project} ({title}): {nothing}")
        return
    typer.echo(f"Project {project} ({title}):")
    for row in rows:
        typer.echo(line(row))
    if not all(row.confirmed for row in rows):
        typer.echo(
            "Look at the maps, from its labels to the project's; "
            f"`shortlist committee confirm {project} CLASSIFIER` gives one a seat"
        )


def line(row: ClassifierRow) -> str:
    """One classifier: seat or proposal, why, licence, trial, and its map."""
    from model.committee.catalogue import UNKNOWN, licences

    state = (
        "has a seat"
        if row.confirmed
        else f"proposed by {'label names' if row.proposed_by == 'names' else row.proposed_by}"
    )
    licence = f"licence {licences().get(row.place, UNKNOWN)}"
    facts = [state, *([row.reason] if row.reason else []), licence, tried(row.trial)]
    pairs = [f"    {theirs} -> {'(abstains)' if ours is None else ours}" for theirs, ours in row.map.items()]
    return "\n".join([f"  {row.place}: {'; '.join(facts)}", *pairs])


def tried(found: Any) -> str:
    """The trial in words."""
    if found is None:
        return "not tried on people's labels"
    from model.committee.trial import Trial

    one = Trial(**found)
    verdict = {True: "better than", False: "worse than", None: "not surely better than"}[one.worth_a_seat]
    return (
        f"on {one.rows} labels of people it votes on {one.voted:.0%} and is right on {one.right:.0%} of these "
        f"({one.low:.0%} to {one.high:.0%}), {verdict} always the most frequent label ({one.usual:.0%})"
    )


def _plain(rows: Sequence[ClassifierRow]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from model.committee.catalogue import UNKNOWN, licences

    return [{**asdict(row), "licence": licences().get(row.place, UNKNOWN)} for row in rows]
