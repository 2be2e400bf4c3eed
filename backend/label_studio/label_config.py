"""From a label config (XML) to the control tag that Shortlist fills in, or one sentence that says why not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from backend.errors import LabelingConfigError
from backend.label_studio.control import Control, ControlKind, ObjectKind
from backend.label_studio.labels import read_labels
from backend.label_studio.task_text import task_text

__all__ = ["Control", "read_labeling_config", "task_text"]

KINDS: dict[str, ControlKind] = {"Choices": "Choices", "Taxonomy": "Taxonomy"}
OBJECT_KINDS: dict[str, ObjectKind] = {"Text": "Text", "HyperText": "HyperText", "Paragraphs": "Paragraphs"}
FIELD = re.compile(r"^\$([^\s${}]+)$")
MAX_CONFIG_CHARACTERS = 2_000_000


@lru_cache(maxsize=256)
def read_labeling_config(xml: str, control: str = "") -> Control:
    """The control of a label config; `control` names it where there are several.

    Cached by text. Raises LabelingConfigError: one sentence that names the tag and what to change.
    """
    interface = _parse(xml)
    tag, notes = _choose(interface, control)
    where = f'{tag.tag} "{tag.name}"'
    target = _object(interface, tag, where)
    kind = KINDS[tag.tag]
    labels = read_labels(_element(interface, tag.name), kind, where, f"{tag.name}|{kind}|{target.name}|{target.value}")
    multiple = _multiple(tag)
    area = None if multiple else _candidates_area(interface, target.name)
    return Control(
        space=labels.space,
        name=tag.name,
        kind=kind,
        to_name=target.name,
        field=_field(target),
        multiple=multiple,
        candidates_area=area,
        paths=labels.paths,
        object_kind=OBJECT_KINDS[target.tag],
        turn_key=str(target.attr.get("textKey") or "text"),
        author_key=str(target.attr.get("nameKey") or "author"),
        notes=(*notes, *_advice(where, multiple, area)),
    )


def _parse(xml: str) -> Any:
    from label_studio_sdk.label_interface.interface import LabelInterface

    if not xml.strip():
        raise LabelingConfigError("the label config is empty; give the project a Text tag and a Choices tag")
    if len(xml) > MAX_CONFIG_CHARACTERS:
        raise LabelingConfigError(
            f"the label config has {len(xml)} characters, at most {MAX_CONFIG_CHARACTERS} are read"
        )
    try:
        interface = LabelInterface(xml)
    except Exception as error:  # the parser raises several unrelated kinds
        reason = " ".join(str(error).split())[:160]
        raise LabelingConfigError(f"the label config is not valid XML: {reason}") from None
    _refuse_doubled_names(interface)
    return interface


def _refuse_doubled_names(interface: Any) -> None:
    names = Counter(str(node.get("name")) for node in _nodes(interface) if node.get("name") and node.tag != "Choice")
    for name, count in names.items():
        if count > 1:
            raise LabelingConfigError(
                f'the name "{name}" stands on {count} tags of the label config; make names unique'
            )


def _nodes(interface: Any) -> Iterator[Any]:
    return (node for node in interface._tree.iter() if isinstance(node.tag, str))


def _element(interface: Any, name: str) -> Any:
    return next(node for node in _nodes(interface) if node.get("name") == name and node.tag != "Choice")


def _choose(interface: Any, wanted: str) -> tuple[Any, list[str]]:
    """The control to fill in, and notes about those that were passed over."""
    found = {name: tag for name, tag in interface._controls.items() if tag.tag in KINDS}
    skipped = {name: reason for name in found if (reason := _not_whole_text(interface, name))}
    usable = [name for name in found if name not in skipped]
    notes = [f'{found[name].tag} "{name}" {reason}; passed over' for name, reason in skipped.items()]
    if wanted:
        return _wanted(found, skipped, wanted), [note for note in notes if f'"{wanted}"' not in note]
    if len(usable) == 1:
        return found[usable[0]], notes
    if usable:
        listed = ", ".join(f'{found[name].tag} "{name}"' for name in usable)
        raise LabelingConfigError(f'the label config has several controls ({listed}); set CONTROL to one, e.g. '
                                  f'extra_params {{"CONTROL": "{usable[0]}"}}')  # fmt: skip
    if skipped:
        name = next(iter(skipped))
        raise LabelingConfigError(f'{found[name].tag} "{name}" {skipped[name]}; add one for the whole text')
    raise LabelingConfigError("the label config has no Choices or Taxonomy tag with name and toName; add one")


def _wanted(found: dict[str, Any], skipped: dict[str, str], wanted: str) -> Any:
    if wanted not in found:
        known = ", ".join(f'"{name}"' for name in found) or "none"
        raise LabelingConfigError(f'CONTROL "{wanted}" is no Choices or Taxonomy tag; there is: {known}')
    if wanted in skipped:
        raise LabelingConfigError(f'{found[wanted].tag} "{wanted}" {skipped[wanted]}; name another CONTROL')
    return found[wanted]


def _not_whole_text(interface: Any, name: str) -> str:
    """Why a control does not label the whole text, "" if it does."""
    node = _element(interface, name)
    for flag in ("perRegion", "perItem"):
        if str(node.get(flag)).lower() == "true":
            return f"labels parts of the text ({flag})"
    while node is not None:
        if node.get("visibleWhen"):
            return "is only shown sometimes (visibleWhen)"
        node = node.getparent()
    return ""


def _object(interface: Any, tag: Any, where: str) -> Any:
    names = [name.strip() for name in tag.to_name if name.strip()]
    if len(names) != 1:
        listed = ", ".join(f'"{name}"' for name in names)
        raise LabelingConfigError(f"{where} labels several objects ({listed}); let toName name one of them")
    target = interface._objects.get(names[0])
    if target is None:
        raise LabelingConfigError(f'{where} points to "{names[0]}", but there is no object tag of that name')
    if target.tag not in OBJECT_KINDS:
        raise LabelingConfigError(
            f'{target.tag} "{target.name}" is not text; {where} can label Text, HyperText or Paragraphs'
        )
    return target


def _field(target: Any) -> str:
    where = f'{target.tag} "{target.name}"'
    attributes = {str(key).lower(): str(value) for key, value in target.attr.items()}
    if attributes.get("valuetype", "").lower() == "url":
        raise LabelingConfigError(
            f'{where} loads its text from a URL; put the text into the task and drop valueType="url"'
        )
    if attributes.get("encoding", "none").lower() != "none":
        raise LabelingConfigError(f"{where} has an encoding; put the plain text into the task")
    match = FIELD.match(str(target.value or ""))
    if match is None:
        raise LabelingConfigError(f'{where} must read one field, value="$field", not "{str(target.value)[:40]}"')
    return match[1]


def _multiple(tag: Any) -> bool:
    if tag.tag == "Taxonomy":
        return str(tag.attr.get("maxUsages", "")).strip() != "1"
    return bool(tag.attr.get("choice") == "multiple")


def _candidates_area(interface: Any, to_name: str) -> str | None:
    """The read-only text area of label config B: it shows lines and never an input box."""
    for name, tag in interface._controls.items():
        read_only = tag.attr.get("editable") == "false" and tag.attr.get("maxSubmissions") == "0"
        here = tag.tag == "TextArea" and list(tag.to_name) == [to_name]
        if here and read_only and not _not_whole_text(interface, name):
            return str(name)
    return None


def _advice(where: str, multiple: bool, area: str | None) -> list[str]:
    if multiple or area:
        return []
    return [
        f'{where} takes one label, so only the first candidate is shown; use choice="multiple", or add '
        f'<TextArea editable="false" maxSubmissions="0"> to list them'
    ]


def load_parser() -> None:
    """Import what reads label configs: half a second of the processor that the first /setup saves."""
    import label_studio_sdk.label_interface.interface  # noqa: F401
