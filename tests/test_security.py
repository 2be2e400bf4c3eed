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


def forbidden(node: ast.AST) -> bool:
    """Whether this part of a program runs what comes with data."""
    if isinstance(node, ast.Import):
        return bool({alias.name.split(".")[0] for alias in node.names} & LOADERS)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in LOADERS
    if not isinstance(node, ast.Call):
        return False
    options = {word.arg: word.value for word in node.keywords}
    if called(node) == "torch.load" and is_constant(options.get("weights_only"), True):
        return False  # torch's own reader, which knows tensors and builds nothing else
    switches = [options[name] for name in ("allow_pickle", "shell", "trust_remote_code") if name in options]
    return called(node) in CALLS or not all(is_constant(value, False) for value in switches)


def is_constant(value: ast.expr | None, truth: bool) -> bool:
    """Whether it stands there as a constant that counts as true or false."""
    return isinstance(value, ast.Constant) and bool(value.value) is truth


def test_nothing_is_unpickled_or_evaluated() -> None:
    found = [
        f"{path.relative_to(ROOT)}, line {node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if forbidden(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    ["import pickle", "from dill import loads", "eval('1')", "torch.load(file)", "torch.load(file, weights_only=False)",
     "numpy.load(file, allow_pickle=True)", "run(words, shell=flag)", "Model(name, trust_remote_code=1)"],
)  # fmt: skip
def test_what_is_planted_is_found(planted: str) -> None:
    assert any(forbidden(node) for node in ast.walk(ast.parse(planted)))
