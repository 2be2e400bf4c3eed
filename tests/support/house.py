"""Reads the imports of the project's files, and tells which rules of the house they break. The rules are data."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Modules under `inside` import nothing under `never`, but for `but`. `why` is told with a violation."""

    inside: str
    never: tuple[str, ...]
    why: str
    but: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()  # parts of `inside` for which the rule does not hold


def imported(tree: ast.Module) -> list[str]:
    """What a file imports, with dots, anywhere in it: in functions and under TYPE_CHECKING, too.

    `from a import b` may mean a module `a.b` or a name in `a`; it is told as `a.b`.
    """
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.append("a relative import")
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def within(module: str, packages: Iterable[str]) -> bool:
    """Whether a module is one of these packages or modules, or stands in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def against_the_row(module: str, others: Iterable[str], row: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """What of the same half a module imports although it stands in the same place of the row, or behind."""
    top = module.partition(".")[0]
    place = {name: number for number, names in enumerate(row) for name in names}
    mine = module.split(".")[1]
    for other in others:
        parts = other.split(".")
        if parts[0] != top or len(parts) < 2 or parts[1] == mine:
            continue
        if place.get(parts[1], -1) >= place[mine] or parts[1] not in place:
            yield f"{module} imports {other}, which stands behind it: {mine} comes before {parts[1]}"


def against_rules(module: str, others: Iterable[str], rules: Iterable[Rule]) -> Iterator[str]:
    """What a module imports against one of the rules."""
    here = [rule for rule in rules if within(module, (rule.inside,)) and not within(module, rule.outside)]
    for other in others:
        for rule in here:
            if within(other, rule.never) and not within(other, rule.but):
                yield f"{module} imports {other}: {rule.why}"


def away_from_home(module: str, others: Iterable[str], homes: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Libraries that a module imports although they live elsewhere."""
    for other in others:
        library = other.partition(".")[0]
        if library in homes and not within(module, homes[library]):
            yield f"{module} imports {other}: {library} lives in {', '.join(homes[library])}"


def more_than_a_docstring(tree: ast.Module) -> bool:
    """Whether an `__init__.py` holds anything else: a name has one address."""
    return len(tree.body) != 1 or not ast.get_docstring(tree)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The sets of files that lead to each other (strongly connected components of more than one; Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in number:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], number[other])
        if lowest[node] == number[node]:
            part = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in number:
            visit(node)
    return found
