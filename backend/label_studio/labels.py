"""The labels of one control tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from backend.errors import LabelingConfigError
from backend.label_studio.markup import Tag, clipped
from backend.label_studio.plain_text import storable
from backend.label_studio.sources import VARIABLE, Source
from model.labels import Label

MAX_LABELS = 5_000
MAX_RATING = 100
PATH_SEPARATOR = " / "
INSIDE_A_PART = " // "  # the same within a part, where two paths would read alike
SIDES = ("left", "right")
Titles: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """Labels in the order of the document; for a Taxonomy the path of every label, and what its end is called."""

    labels: tuple[Label, ...]
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    off: str = ""  # of one choice: the label that stands for "not ticked"


def read_labels(tag: Tag, targets: Sequence[Source | None]) -> Labels:
    """The labels of a control; LabelingConfigError names the tag and the label. `targets` are the texts it is about."""
    readers: dict[str, Callable[[Tag], Labels]] = {"choices": _choices, "taxonomy": _taxonomy, "rating": _rating,
                                                  "number": _number}  # fmt: skip
    if tag.kind == "pairwise":
        titles = [source.title if source else "" for source in targets]
        pairs = zip(SIDES, titles, strict=False)
        return Labels(tuple(Label(side, f"{side} ({title})" if title else side) for side, title in pairs))
    found = readers[tag.kind](tag)
    if len(found.labels) > MAX_LABELS:
        raise LabelingConfigError(f"{tag.where} has {len(found.labels)} labels, at most {MAX_LABELS} are supported")
    if len(found.labels) < 2:
        raise LabelingConfigError(f"{tag.where} has {len(found.labels)} labels; a question needs Choice tags")
    return found


def _choices(tag: Tag) -> Labels:
    nodes = _nodes(tag)
    for node in nodes:
        if any(child.kind == "choice" for child in node.children):
            raise LabelingConfigError(
                f'{tag.where} has nested choices under "{clipped(_name(node, tag))}"; use a Taxonomy tag for a tree'
            )
    if tag.flag("allownested"):
        raise LabelingConfigError(
            f"{tag.where} has allowNested, and Label Studio's own check refuses the answers that it makes; drop "
            "allowNested, which changes nothing where no choice stands in another"
        )
    labels: dict[tuple[str, str], Label] = {}
    for node in nodes:  # a label that stands twice is one: both boxes tick it
        label = Label(_name(node, tag), node.value, node.get("hint"))
        labels.setdefault((label.name, label.title), label)
    found = tuple(labels.values())
    return _flag(found[0]) if len(found) == 1 else Labels(found)


def _flag(label: Label) -> Labels:
    """A single choice is ticked or not: a question of two labels."""
    off = Label(f"not {label.name}", "", f"“{label.title}” does not apply")
    return Labels((label, off), off=off.name)


def _taxonomy(tag: Tag) -> Labels:
    found: dict[tuple[Titles, Titles], str] = {}
    for node in _nodes(tag):  # branches of one path are one: answers are paths
        line = [above for above in node.line() if above.kind == "choice"][::-1]
        path = tuple(_name(part, tag) for part in line)
        titles = tuple(part.value or _name(part, tag) for part in line)
        found.setdefault((path, titles), node.get("hint"))
    inner = {path[:-1] for path, _ in found} if tag.flag("leafsonly") else ()
    rows = [(path, titles, hint) for (path, titles), hint in found.items() if path not in inner]
    read = Counter(PATH_SEPARATOR.join(path) for path in {path for path, _, _ in rows})
    labels, paths, ends = [], {}, {}
    for path, titles, hint in rows:
        alike = read[PATH_SEPARATOR.join(path)] > 1
        label = Label(_written(path, alike), _written(titles, alike), hint)
        labels.append(label)
        paths[label.name], ends[label.name] = path, titles[-1]
    return Labels(tuple(labels), paths, ends)


def _written(path: Titles, alike: bool) -> str:
    """A path as one name; `alike`: another one would read so, too, because a part holds the separator."""
    parts = [part.replace(PATH_SEPARATOR, INSIDE_A_PART) for part in path] if alike else path
    return PATH_SEPARATOR.join(parts)


def _rating(tag: Tag) -> Labels:
    stated = tag.get("maxrating") or "5"
    most = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 5 else 0
    if not 2 <= most <= MAX_RATING:
        raise LabelingConfigError(
            f'{tag.where} has maxRating="{clipped(stated)}"; a rating has from 2 to {MAX_RATING} levels'
        )
    return Labels(tuple(Label(str(level), f"{level} of {most}") for level in range(1, most + 1)))


def number_levels(tag: Tag) -> range:
    """The whole numbers between a Number's min and max; empty where they are not there, or many."""
    try:
        least, most, step = int(tag.get("min")), int(tag.get("max")), int(tag.get("step") or "1")
    except ValueError:
        return range(0)
    levels = range(least, most + 1, step) if step > 0 else range(0)
    return levels if 2 <= len(levels) <= MAX_RATING else range(0)


def _number(tag: Tag) -> Labels:
    levels = number_levels(tag)
    return Labels(tuple(Label(str(level), f"{level}, from {levels[0]} to {levels[-1]}") for level in levels))


def choice_nodes(tag: Tag) -> list[Tag]:
    """The Choice tags of a control, in the order of the document."""
    return [node for node in tag.within() if node.kind == "choice"]


def _nodes(tag: Tag) -> list[Tag]:
    if tag.get("apiurl"):
        raise LabelingConfigError(f"{tag.where} loads its options from apiUrl; use fixed Choice tags")
    nodes = choice_nodes(tag)
    if VARIABLE.match(tag.value) or any(VARIABLE.fullmatch(node.value) and not node.get("alias") for node in nodes):
        raise LabelingConfigError(f"{tag.where} takes its options from task data; use fixed Choice tags")
    for node in nodes:
        if (found := VARIABLE.search(node.value)) and not node.get("alias"):
            raise LabelingConfigError(
                f'{tag.where} has the label "{clipped(node.value)}", in which Label Studio puts data of the task for '
                f"{clipped(found[0])}; give it an alias"
            )
    return nodes


def _name(node: Tag, tag: Tag) -> str:
    name = node.get("alias") or node.value
    if not name.strip():
        raise LabelingConfigError(f"{tag.where} has a Choice without value; give every Choice a value")
    if storable(name) != name:
        raise LabelingConfigError(f"{tag.where} has a Choice with characters that cannot be stored; rename it")
    return name
