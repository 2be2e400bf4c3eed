"""`shortlist export`: labels with their provenance, and the student."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from backend.commands.common import open_project, progress_bar, show_json
from backend.errors import ProjectError

if TYPE_CHECKING:
    from backend.pool.projects import Project
    from backend.services import Services

Form: TypeAlias = Literal["transformers", "onnx"]


def export(
    project: Annotated[int, typer.Argument(metavar="PROJECT", help="Number of the project in Label Studio.")],
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="File (.csv, .jsonl, .parquet), or with --student a new folder.")
    ],
    *,
    student: Annotated[
        bool, typer.Option("--student", help="Write the student as a folder that runs without Shortlist.")
    ] = False,
    form: Annotated[
        Form, typer.Option("--format", help="With --student: what loads the folder; onnx does without torch.")
    ] = "transformers",
    version: Annotated[str, typer.Option(help="With --student: which version; default: the served one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print for programs.")] = False,
) -> None:
    """Write every task's label with who gave it and how sure, or the trained student as a folder.

    Example: shortlist export 7 labels.csv
    Example: shortlist export 7 my-classifier --student
    Example: shortlist export 7 my-classifier --student --format onnx
    """
    from backend.projects.current import current_of

    services, known = open_project(project)
    if student:
        _student(services, known, path, version, form, as_json)
        return
    from backend.reporting.export import export_labels

    with progress_bar("Writing", quiet=as_json) as progress:
        done = export_labels(current_of(services, known), path, progress)
    if as_json:
        show_json({"project": project, "path": str(path), "tasks": done.tasks, "sources": done.sources})
    else:
        whose = ", ".join(f"{number} from a {name}" for name, number in done.sources.items()) or "none has a label"
        typer.echo(f"{path}: {done.tasks} tasks; {whose}")


def _student(services: Services, known: Project, folder: Path, version: str, form: Form, as_json: bool) -> None:
    from backend.pool import figures, tasks, versions
    from model.portable.onnx_folder import NEEDS as ONNX_NEEDS
    from model.portable.onnx_folder import write_onnx
    from model.portable.transformers_folder import NEEDS, write_portable
    from model.student.artifact import CROSS

    chosen = version or known.served
    if not chosen:
        raise ProjectError(f"project {known.project} has no student yet; `shortlist train {known.project}` trains one")
    row = versions.get(services.engine, known.project, chosen)
    if row is None:
        raise ProjectError(
            f"project {known.project} has no version {chosen!r}; see `shortlist versions {known.project}`"
        )
    stored = services.registry.fetch(known.project, chosen)
    first = next(tasks.iterate(services.engine, known.project, 1), [(0, "a text")])[0][1]
    checked = figures.students(services.engine, known.project).get(chosen)
    facts: dict[str, Any] = {
        "version": chosen,
        "human labels": row.human_labels,
        "right when people decided": f"{checked.top1} of {checked.tasks} tasks" if checked else "not known",
        "why it was served": row.reason,
    }
    if (stored / CROSS).is_file():
        facts["cross-encoder"] = "left out: this model answers alone, a little less often right than in the project"
    as_onnx = form == "onnx"
    try:
        with progress_bar(f"Writing {chosen}", quiet=as_json):
            example = (write_onnx if as_onnx else write_portable)(stored, folder, facts, first)
    except ModuleNotFoundError as error:
        raise ProjectError(f"this needs the package {error.name}: run it where a worker runs") from None
    if as_json:
        show_json({"project": known.project, "version": chosen, "format": form, "path": str(folder)})
        return
    needs = ONNX_NEEDS if as_onnx else NEEDS
    words = json.dumps(shorten(first, 60, placeholder=" …"), ensure_ascii=False)[1:-1]
    without = " without its cross-encoder" if "cross-encoder" in facts else ""
    code = example.format(folder=folder, text=words)
    typer.echo(f"{chosen} is in {folder}{without}. It needs {needs}. Use it:\n\n{code}")
