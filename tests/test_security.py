"""What must never be in the sources: ways to run code that comes with data."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for folder in ("model", "backend") for path in (ROOT / folder).rglob("*.py"))
LOADERS = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle"}
CALLS = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "torch.load", "pandas.read_pickle", "os.system"}


def called(node: ast.Call) -> str:
    """`module.function` as it stands there."""
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return f"{node.func.value.id}.{node.func.attr}"
    return node.func.id if isinstance(node.func, ast.Name) else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_or_evaluated(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & LOADERS
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in LOADERS
        elif isinstance(node, ast.Call):
            assert called(node) not in CALLS, f"line {node.lineno}"
            options = {word.arg: word.value for word in node.keywords}
            for name in ("allow_pickle", "shell", "trust_remote_code"):
                value = options.get(name)
                assert value is None or (isinstance(value, ast.Constant) and not value.value), f"line {node.lineno}"
