"""The rules of the house that a machine can check: who imports whom, what loads when, how long a function may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in ("model", "backend")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts  # generated, append-only: one long list of operations
)
HEAVY = ("torch", "transformers", "sklearn", "openai", "anthropic", "pandas", "matplotlib")
LONGEST_FUNCTION = 45
LONGEST_FILE = 300


def imported(tree: ast.Module) -> set[str]:
    """First parts of every module that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.is_relative_to(ROOT / "model")], ids=lambda path: path.name
)
def test_the_learning_side_knows_no_web_no_database_and_no_backend(path: Path) -> None:
    forbidden = {"backend", "flask", "sqlalchemy", "redis", "rq", "label_studio_sdk"}
    assert not imported(ast.parse(path.read_text())) & forbidden


@pytest.mark.parametrize(
    "module", ["model.labels", "model.registry", "backend.web.app", "backend.cli", "backend.services"]
)
def test_heavy_libraries_are_not_loaded_by(module: str) -> None:
    program = f"import sys, {module}; print(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.split() == []
