"""`shortlist template`: a ready label config."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.commands.common import show_json


def names() -> list[str]:
    """What a shell offers after `shortlist template`."""
    from backend.label_studio.templates import MEANING

    return list(MEANING)


def template(
    name: Annotated[
        str, typer.Argument(metavar="TEMPLATE", help="Which one; without it all are listed.", autocompletion=names)
    ] = "",
    *,
    labels: Annotated[str, typer.Option(help="Labels, separated by commas.")] = "first,second",
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Print a label config for Label Studio: paste it under Settings, Labeling Interface, Code.

    Example: shortlist template many-labels --labels "billing,refund,other"
    """
    from backend.label_studio.templates import MEANING, explanation, label_config
    from model.labels import LabelSpace

    if not name:
        rows = [{"template": known, "meaning": meaning} for known, meaning in MEANING.items()]
        if as_json:
            show_json(rows)
        else:
            typer.echo("\n".join(f"{row['template']:<17} {row['meaning']}" for row in rows))
        return
    wanted = [" ".join(label.split()) for label in labels.split(",") if label.strip()]
    found = label_config(name, LabelSpace.of(wanted).labels)
    if as_json:
        show_json(
            {
                "template": name,
                "label_config": found,
                "instructions": explanation(name != "one-label", name == "several-labels", name == "several-questions"),
            }
        )
    else:
        typer.echo(found)
