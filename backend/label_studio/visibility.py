"""When the editor shows a tag: always, for a part of the text, or only after a choice (mixins/Visibility.js)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.label_studio.markup import Tag

KNOW_CONDITIONS = {"view", "choices", "taxonomy", "textarea", "markdown"}  # on others they change nothing
HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
ON_CHOICES = {"choice-selected": True, "choice-unselected": False}


@dataclass(frozen=True)
class Condition:
    """A tag is shown while one of these values is chosen (or is not, if not `chosen`) in a control; no values: any
    value; no control: any Choices tag."""

    control: str
    values: tuple[str, ...]
    chosen: bool = True


def part_of_text(tag: Tag) -> str:
    """Why a control is not about the whole text, or is never seen; "" if neither. It holds for texts, too."""
    for flag, written in (("perregion", "perRegion"), ("peritem", "perItem")):
        if tag.flag(flag):
            return f"labels parts of the text ({written})"
    if tag.kind == "taxonomy" and tag.flag("labeling"):
        return "labels parts of the text (labeling)"
    for above in tag.line():
        if HIDDEN.search(above.get("style")):
            return "is hidden (display: none)"
        if above.kind in KNOW_CONDITIONS and above.get("visiblewhen") == "region-selected":
            return 'is only shown for a marked part of the text (visibleWhen="region-selected")'
        if above.kind == "repeater":
            return "stands in a Repeater, once for each item of the task"
    return ""


def conditions(tag: Tag) -> tuple[Condition, ...]:
    """All of these must hold for the tag to be shown; what the editor does not know it ignores."""
    found = (_condition(above) for above in tag.line() if above.kind in KNOW_CONDITIONS)
    return tuple(condition for condition in found if condition is not None)


def _condition(tag: Tag) -> Condition | None:
    when, values = tag.get("visiblewhen"), tag.get("whenchoicevalue")
    if when in ON_CHOICES:
        control = tag.get("whentagname")
        return Condition(control, tuple(values.split(",")) if values and control else (), ON_CHOICES[when])
    if not when and values:
        return Condition("", (values,))
    return None
