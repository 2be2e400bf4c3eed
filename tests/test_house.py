"""The rules of the house that a machine can check: who imports whom, what loads when, how long a function may be.

The rows and tables below are what `docs/architecture.md` tells; `tests/support/house.py` reads the code.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support import house
from tests.support.house import Rule

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in ("model", "backend", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts  # generated, append-only: one long list of operations
)
HEAVY = ("torch", "transformers", "sklearn", "openai", "anthropic", "pandas", "matplotlib")
LONGEST_FUNCTION = 45
LONGEST_FILE = 300
MOST_PACKAGES, MOST_MODULES = 11, 8  # in the root of backend, its __init__.py not counted

# A package imports only what stands before it; what stands together knows nothing of each other.
BACKEND = (
    ("errors",), ("addresses",), ("project_options",), ("settings",), ("logs",), ("pool",), ("label_studio",),
    ("queue",), ("services",), ("projects",), ("teacher", "training"), ("serving",), ("reporting",), ("jobs",),
    ("web",), ("commands",), ("cli",), ("__main__",),
)  # fmt: skip
MODEL = (
    ("arrays",), ("errors",), ("pairs",), ("word_overlap",), ("text_groups", "pair_views"), ("groups",), ("labels",),
    ("group_answers", "whole_answers"),
    ("evaluation", "ranking", "calibration", "decoding", "registry"),
    ("set_evaluation", "pool_beliefs"), ("promise",), ("acquisition",), ("encoder",), ("student",), ("training",),
    ("weak",), ("several_labels",), ("train",), ("crossing",), ("teacher",), ("committee",),
    ("loading",), ("portable",),
)  # fmt: skip
PROVIDERS = ("model.teacher.providers",)
BENCHMARKS = (
    "answers", "committee", "quality", "sampling", "soak", "speed", "teacher", "configs", "first_day", "noise_theorem",
    "encoders", "finish", "pairs", "second_look",
)  # fmt: skip
FAMILIES = ("tables", "student_tables", "work_tables", "promise_tables", "people_tables", "schema")
TABLES = tuple(f"backend.pool.database.{family}" for family in FAMILIES)
RULES = (
    Rule("model", ("backend",), "it learns without a server"),
    Rule("model", ("sqlalchemy",), "it learns without a database"),
    Rule("backend.pool", ("backend",), "the one truth depends on nobody", but=("backend.pool", "backend.errors")),
    Rule("backend", TABLES, "SQL has one home", outside=("backend.pool",)),
    Rule(
        "backend.label_studio",
        ("backend.pool",),
        "a language is not a store",
        but=("backend.pool.annotation", "backend.pool.text", "backend.pool.version_names"),
    ),
    Rule("backend.serving.live", ("backend.serving.publishing",), "they agree through what is stored"),
    Rule("backend.serving.publishing", ("backend.serving.live",), "they agree through what is stored"),
    Rule("backend.jobs", ("backend.reporting",), "a process does one thing"),
    Rule("backend.web", ("backend.jobs",), "jobs are called by name"),
    Rule(
        "model.teacher.providers",
        ("model.teacher",),
        "a vendor is one file",
        but=("model.teacher.base", "model.teacher.errors", *PROVIDERS),
    ),
    Rule(
        "model.teacher.prompting",
        ("model.teacher",),
        "a prompt does not know who is asked",
        but=tuple(f"model.teacher.{name}" for name in ("base", "errors", "similarity", "providers", "prompting")),
    ),
    Rule("backend", ("tests", "benchmarks"), "what runs does not need what checks it"),
    Rule("model", ("tests", "benchmarks"), "what runs does not need what checks it"),
    Rule("benchmarks", ("tests",), "each can be run and removed alone"),
    *(
        Rule(
            f"benchmarks.{one}",
            tuple(f"benchmarks.{other}" for other in BENCHMARKS if other != one),
            "each can be run and removed alone",
        )
        for one in (*BENCHMARKS, "shared")
    ),
)
WEB, QUEUE = ("backend.web",), ("backend.queue", "backend.jobs.run")
HOMES = {
    **dict.fromkeys(("flask", "werkzeug", "gunicorn", "prometheus_client", "orjson"), WEB),
    "rq": QUEUE,
    "redis": (*QUEUE, "backend.commands.start.redis"),
    "alembic": ("backend.pool.database",),
    "label_studio_sdk": ("backend.label_studio",),
    "httpx": ("backend.label_studio.http", "backend.commands.doctor", *PROVIDERS),
    **dict.fromkeys(("typer", "rich"), ("backend.cli", "backend.commands")),
    "openpyxl": ("backend.commands.start.sample",),
    **dict.fromkeys(("jinja2", "pygal", "pyarrow"), ("backend.reporting",)),
    **dict.fromkeys(("torch", "transformers", "sklearn", "openai", "anthropic"), ("model",)),
}


def module_of(path: Path) -> str:
    """A file's name with dots; a package's for its `__init__.py`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def broken(module: str, tree: ast.Module) -> list[str]:
    """Every rule about imports that a file breaks, in sentences."""
    others = house.imported(tree)
    found = [f"{module} imports {other}" for other in others if other == "a relative import"]
    found += house.against_rules(module, others, RULES)
    for top, row in (("backend", BACKEND), ("model", MODEL)):
        if module.startswith(f"{top}."):
            found += house.against_the_row(module, others, row)
    if not module.startswith("benchmarks"):
        found += house.away_from_home(module, others, HOMES)
    return found


def graph() -> dict[str, set[str]]:
    """Which file of the project imports which."""
    names = {module_of(path) for path in SOURCES if path.name != "__init__.py"}

    def of(path: Path) -> set[str]:
        others = house.imported(tree_of(path))
        return {name for other in others for name in (other, other.rpartition(".")[0]) if name in names}

    return {module_of(path): of(path) for path in SOURCES}


def test_files_and_functions_can_be_read_in_one_sitting() -> None:
    long = [module_of(path) for path in SOURCES if path.read_text().count("\n") > LONGEST_FILE]
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
            if function and node.end_lineno - node.lineno >= LONGEST_FUNCTION:
                long.append(f"{module_of(path)}.{node.name}")
    assert long == []


def test_imports_run_one_way_and_libraries_stay_at_home() -> None:
    assert [sentence for path in SOURCES for sentence in broken(module_of(path), tree_of(path))] == []


def test_a_package_tells_its_purpose_and_nothing_else() -> None:
    packages = [path for path in SOURCES if path.name == "__init__.py"]
    assert packages
    assert [module_of(path) for path in packages if house.more_than_a_docstring(tree_of(path))] == []


def test_no_files_lead_to_each_other() -> None:
    assert house.circles(graph()) == []


def test_every_package_and_module_has_a_place_in_its_row() -> None:
    for top, row in (("backend", BACKEND), ("model", MODEL)):
        there = {
            path.stem for path in (ROOT / top).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
        }
        assert there - {"__init__"} == {name for names in row for name in names}
    packages = [path for path in (ROOT / "backend").iterdir() if (path / "__init__.py").exists()]
    modules = [path for path in (ROOT / "backend").glob("*.py") if path.name != "__init__.py"]
    assert (len(packages) <= MOST_PACKAGES, len(modules) <= MOST_MODULES) == (True, True)
    there = {path.stem for path in (ROOT / "benchmarks").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert there - {"__init__", "__pycache__"} == {*BENCHMARKS, "shared"}


PLANTED = [
    ("model.labels", "import backend", "it learns without a server"),
    ("model.train", "import sqlalchemy as sa", "it learns without a database"),
    ("model.train", "from model.committee.roster import Roster", "stands behind"),
    ("model.student.head", "if TYPE_CHECKING:\n    from model.training.options import Embed", "stands behind"),
    ("backend.pool.tasks", "def late():\n    from backend.settings import Settings", "the one truth"),
    ("backend.reporting.report", "from backend.pool.database.work_tables import ledger", "SQL has one home"),
    ("backend.label_studio.control", "from backend.pool import tasks", "a language is not a store"),
    ("backend.teacher.estimate", "from backend.training import stopping", "stands behind"),
    ("backend.training.stopping", "from backend.teacher import estimate", "stands behind"),
    ("backend.services", "if TYPE_CHECKING:\n    from backend.projects.current import Current", "stands behind"),
    ("backend.serving.live.predict", "from backend.serving.publishing import push", "what is stored"),
    ("backend.serving.publishing.push", "from backend.serving.live import models", "what is stored"),
    ("backend.jobs.train", "from backend.reporting.status import project_status", "one thing"),
    ("backend.jobs.train", "from backend.web.app import create_app", "stands behind"),
    ("backend.web.events", "def late():\n    from backend.jobs.sync import work", "called by name"),
    ("backend.web.events", "from backend.unheard import of", "stands behind"),
    ("model.teacher.providers.openai", "from model.teacher.prompting.prompts import TEMPLATE", "one file"),
    ("model.teacher.prompting.answers", "from model.teacher.llm import LlmTeacher", "who is asked"),
    ("model.train", "from benchmarks.shared import waiting", "what checks it"),
    ("benchmarks.speed.http", "from benchmarks.quality.rows import Row", "removed alone"),
    ("benchmarks.shared.running", "from benchmarks.speed import http", "removed alone"),
    ("benchmarks.soak.load", "from tests.support import world", "removed alone"),
    ("backend.reporting.report", "import flask", "lives in backend.web"),
    ("backend.serving.predicting", "import torch", "lives in model"),
    ("backend.web.app", "from redis import Redis", "lives in backend.queue"),
    ("backend.projects.connect", "import httpx", "lives in backend.label_studio.http"),
    ("backend.web.app", "import typer", "lives in backend.cli"),
    ("backend.web.routes.pages", "import pygal", "lives in backend.reporting"),
    ("backend.projects.connect", "from label_studio_sdk import Client", "lives in backend.label_studio"),
    ("backend.services", "import alembic", "lives in backend.pool.database"),
    ("backend.services", "from . import settings", "a relative import"),
]


@pytest.mark.parametrize(("module", "source", "said"), PLANTED)
def test_a_planted_violation_is_found(module: str, source: str, said: str) -> None:
    found = broken(module, ast.parse(source))
    assert found
    assert any(said in sentence for sentence in found), found


def test_planted_circles_and_exports_are_found() -> None:
    assert house.circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == [["a", "b", "c"]]
    assert house.circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []
    assert house.more_than_a_docstring(ast.parse('"""Purpose."""\nfrom a import b'))
    assert house.more_than_a_docstring(ast.parse(""))
    assert not house.more_than_a_docstring(ast.parse('"""Purpose."""'))


MODULES = ["model.labels", "model.registry", "backend.web.app", "backend.cli", "backend.services"]


def test_heavy_libraries_are_loaded_by_none_of_these() -> None:
    program = f"""
import sys
for module in {MODULES!r}:
    __import__(module)
    print(*(f"{{module}} loads {{name}}" for name in {HEAVY!r} if name in sys.modules), sep=chr(10), end="")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.splitlines() == []
