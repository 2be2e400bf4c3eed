"""The labels of one control tag, read from its XML element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.errors import LabelingConfigError
from backend.label_studio.control import ControlKind
from backend.label_studio.task_text import storable
from model.errors import LabelSpaceError
from model.labels import Label, LabelSpace

MAX_LABELS = 5_000
PATH_SEPARATOR = " / "


@dataclass(frozen=True)
class Labels:
    """A label space, and for a Taxonomy the path of every label."""

    space: LabelSpace
    paths: Mapping[str, tuple[str, ...]]


def read_labels(control: Any, kind: ControlKind, where: str, scope: str) -> Labels:
    """The labels under a control element, in document order; LabelingConfigError names the tag and the label."""
    _refuse_dynamic(control, where)
    nodes = list(_choices(control))
    if kind == "Choices":
        _refuse_nested(nodes, where)
    else:
        nodes = _selectable(control, nodes)
    if len(nodes) > MAX_LABELS:
        raise LabelingConfigError(f"{where} has {len(nodes)} labels, at most {MAX_LABELS} are supported")
    if len(nodes) < 2:
        raise LabelingConfigError(f"{where} has {len(nodes)} labels; a shortlist needs at least two Choice tags")
    if kind == "Choices":
        return Labels(_space([_label(node, where) for node in nodes], where, scope), {})
    rows = [_path_label(node, control, where) for node in nodes]
    space = _space([label for label, _ in rows], where, scope)
    return Labels(space, {label.name: path for label, path in rows})


def _refuse_dynamic(control: Any, where: str) -> None:
    if control.get("apiUrl"):
        raise LabelingConfigError(f"{where} loads its options from apiUrl; use fixed Choice tags")
    if str(control.get("value") or "").startswith("$"):
        raise LabelingConfigError(f"{where} takes its options from task data; use fixed Choice tags")


def _choices(control: Any) -> Iterator[Any]:
    return (node for node in control.iter("Choice"))


def _refuse_nested(nodes: list[Any], where: str) -> None:
    for node in nodes:
        if next(node.iterdescendants("Choice"), None) is not None:
            name = _name(node, where)
            raise LabelingConfigError(f'{where} has nested choices under "{name}"; use a Taxonomy tag for a tree')


def _selectable(control: Any, nodes: list[Any]) -> list[Any]:
    if str(control.get("leafsOnly")).lower() != "true":
        return nodes
    return [node for node in nodes if next(node.iterdescendants("Choice"), None) is None]


def _name(node: Any, where: str) -> str:
    name = node.get("alias") or node.get("value")
    if name is None or not name.strip():
        raise LabelingConfigError(f"{where} has a Choice without value; give every Choice a value")
    if storable(name) != name:
        raise LabelingConfigError(f"{where} has a Choice with characters that cannot be stored; rename it")
    return str(name)


def _label(node: Any, where: str) -> Label:
    name = _name(node, where)
    return Label(name, str(node.get("value") or name), str(node.get("hint") or ""))


def _path_label(node: Any, control: Any, where: str) -> tuple[Label, tuple[str, ...]]:
    """A node of a Taxonomy: its name and title are the paths of names and titles."""
    line = [node, *(above for above in node.iterancestors("Choice") if control in above.iterancestors())]
    path = tuple(_name(part, where) for part in reversed(line))
    titles = [str(part.get("value") or _name(part, where)) for part in reversed(line)]
    label = Label(PATH_SEPARATOR.join(path), PATH_SEPARATOR.join(titles), str(node.get("hint") or ""))
    return label, path


def _space(labels: list[Label], where: str, scope: str) -> LabelSpace:
    try:
        return LabelSpace(tuple(labels), scope)
    except LabelSpaceError as error:
        raise LabelingConfigError(f"{where}: {error}") from None
