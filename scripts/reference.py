"""Write docs/reference.md from the code: commands, HTTP, metrics, schema. `--check` compares and changes nothing.

.venv/bin/python scripts/reference.py
"""

from __future__ import annotations

import inspect
import os
import runpy
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import typer  # noqa: E402

PAGE = ROOT / "docs" / "reference.md"
HEAD = """# Reference

Written by `scripts/reference.py` from the code. Settings are in [settings.md](settings.md).

## Commands

`PROJECT` is the project's number in Label Studio. Every command prints for people, and with `--json` for programs: one
document, or for `start`, `serve` and `worker` one object per line. Exit codes: 0 it worked; 1 it did not, and one line
on stderr says why and what to do; 2 the command line was not understood; 130 it was stopped with Ctrl-C (`start`,
`serve` and `worker` end with 0). `shortlist --install-completion` sets up completion for bash, zsh, fish or PowerShell.
"""
SAID = {"Number of the project in Label Studio.", "Number of the project.", "Print for programs."}  # once, in HEAD


def commands() -> Iterable[str]:
    """Every command: usage, what it does, its example, its arguments and options."""
    from backend.cli import app

    for name, command in sorted(_flat(typer.main.get_command(app))):
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
        yield f"### `{' '.join(['shortlist', name, *(_shown(one) for one in arguments)])}`\n"
        yield _described(command) + "\n"
        rows = [(f"`{_shown(one)}`", getattr(one, "help", "")) for one in arguments]
        rows += [(", ".join(f"`{opt}`" for opt in [*one.opts, *one.secondary_opts]), one.help) for one in options]
        rows = [(name, text) for name, text in rows if text not in SAID]
        if rows:
            yield from (f"- {name}: {_cell(text)}" for name, text in rows)
            yield ""


def _described(command: Any) -> str:
    """What a command does, in one paragraph, with its examples as code."""
    parts = " ".join(inspect.cleandoc(command.help or "").split()).split(" Example: ")
    examples = ", ".join(f"`{example}`" for example in parts[1:])
    telling = any(word.startswith("-") for example in parts[1:] for word in example.split())  # others: the usage again
    return f"{parts[0]} Example: {examples}." if telling else parts[0]


def _flat(group: Any, before: str = "") -> Iterable[tuple[str, Any]]:
    """Every command under its whole name, those of groups included."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _flat(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _shown(argument: Any) -> str:
    name = (argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def http(app: Any) -> Iterable[str]:
    """Every route with its methods and what it answers; routes that answer alike share a line."""
    from backend.web.routes.actions import ACTIONS

    yield "## HTTP\n\nAll but `/health` and `/ready` need the login, where there is one."
    yield "The routes that Label Studio calls exist under `/p/<project>/`, too.\n"
    found: dict[str, list[str]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if rule.endpoint == "static" or rule.rule.startswith("/p/<"):
            continue
        methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        found.setdefault(_first_line(app.view_functions[rule.endpoint]), []).append(f"{methods} `{rule.rule}`")
    yield from (f"- {', '.join(routes)}: {text}" for text, routes in found.items())
    words = {
        "train": "starts a training",
        "retry": "runs a job (`kind`) again",
        "ask-again": "asks the teacher about what it did not answer",
        "cancel": "takes back a waiting job (`kind`)",
        "serve": "serves a version (`version`)",
        "pause": "pauses the project",
        "resume": "lets it go on",
        "finish": "finishes the pool, or takes that back (`undo`)",
        "confirm": "keeps a doubted decision (`task`)",
    }
    forms = "; ".join(f"`{name}` {words[name]}" for name in ACTIONS)
    yield f"\nThe forms of the pages are sent to `/projects/<number>/<name>`: {forms}.\n"


def metrics(app: Any) -> Iterable[str]:
    """Every metric with its meaning and labels, as an empty installation has them."""
    registry = app.extensions["shortlist"].metrics.registry
    yield "## Metrics\n\n`/metrics`, for Prometheus; gauges, unless it says otherwise.\n"
    for family in sorted(registry.collect(), key=lambda family: str(family.name)):
        if family.name.startswith("shortlist"):
            kind = "" if family.type == "gauge" else f" ({family.type})"
            yield f"- `{family.name}`{kind}: {_cell(family.documentation)}"
    yield ""


def schema() -> Iterable[str]:
    """The tables of the pool, by family."""
    from backend.pool.database.schema import FAMILIES, SCHEMA

    yield "## Schema\n\nThe tables of the pool, on SQLite or PostgreSQL, by the file of `backend/pool/database` that"
    yield "says what their columns mean; migrations lie beside them.\n"
    for family in FAMILIES:
        own = sorted(name for name in SCHEMA.tables if SCHEMA.tables[name] in vars(family).values())
        yield f"- `{family.__name__.rpartition('.')[2]}.py`: {', '.join(f'`{name}`' for name in own)}"
    yield ""


def page() -> str:
    """The whole page."""
    from backend.logs import configure_logs
    from backend.services import open_services
    from backend.serving.live.models import LiveStudents
    from backend.settings import load_settings
    from backend.web.app import create_app
    from model.registry import Registry

    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            _env_file=None, DATA_DIR=Path(folder), REDIS_URL="redis://127.0.0.1:1/0", LOG_LEVEL="ERROR"
        )
        configure_logs(settings)  # that there is no Redis is no news here
        services = open_services(settings)
        live = LiveStudents(Registry(settings.model_dir, settings.cache_dir))
        app = create_app(services, live)
        try:
            return "\n".join([HEAD, *commands(), *http(app), *metrics(app), *schema()])
        finally:
            app.extensions["shortlist"].background.close()
            live.close()
            services.engine.dispose()


def _first_line(function: Any) -> str:
    return inspect.cleandoc(function.__doc__ or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")


def _cell(text: object) -> str:
    line = " ".join(str(text or "").split()).replace("|", "\\|")
    return line if "`" in line else line.replace("<", "&lt;")


def main() -> int:
    """Write or check both generated pages; 1 if a checked page is out of date."""
    settings = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))
    pages = {PAGE: page(), ROOT / "docs" / "settings.md": settings["page"]()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(pages[path], encoding="utf-8")
        return 0
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: run .venv/bin/python scripts/reference.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
