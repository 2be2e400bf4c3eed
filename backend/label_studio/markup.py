"""A label config as Label Studio's editor sees it: names of tags and attributes in any case, and the text inside a tag
in place of its `value` (core/Tree.tsx of the editor)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

from backend.errors import LabelingConfigError

MAX_CONFIG_CHARACTERS = 2_000_000
LONGEST_SHOWN = 60  # characters of a name or value in a sentence
NAMELESS = {"choice", "label", "relation"}  # their `name` names nothing that could be pointed to
DECLARATION = re.compile(r"^\ufeff?\s*<\?xml\b[^>]*\?>")
DTD = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(eq=False)
class Tag:
    """One tag. `kind` is its name in lower case, `shown` as it is written; attributes have lower-case names."""

    kind: str
    shown: str
    attributes: Mapping[str, str]
    value: str
    parent: Tag | None = None
    children: list[Tag] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What others point to; "" for none."""
        return self.attributes.get("name", "")

    @property
    def targets(self) -> list[str]:
        """The names in `toName`."""
        return [name.strip() for name in self.attributes.get("toname", "").split(",") if name.strip()]

    @property
    def where(self) -> str:
        """The tag in a sentence."""
        return f'{self.shown} "{clipped(self.name)}"' if self.name else self.shown

    def get(self, attribute: str) -> str:
        """An attribute by its name in lower case; "" if it is not there."""
        return self.attributes.get(attribute, "")

    def flag(self, attribute: str) -> bool:
        """Whether an attribute says true."""
        return self.get(attribute).strip().lower() == "true"

    def within(self) -> Iterator[Tag]:
        """The tag and all below it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child.within()

    def line(self) -> Iterator[Tag]:
        """The tag and all above it, upwards."""
        here: Tag | None = self
        while here is not None:
            yield here
            here = here.parent


@dataclass(eq=False)
class Markup:
    """A whole config: its tags, and Label Studio's own reader of it, which judges what we would send."""

    root: Tag
    interface: Any
    declared: bool = False  # it starts with <?xml ...?>, which Label Studio does not store

    @cached_property
    def named(self) -> Mapping[str, Tag]:
        """Tags that others can point to, by name."""
        return {tag.name: tag for tag in self.root.within() if tag.name and tag.kind not in NAMELESS}


def clipped(text: str) -> str:
    """A name or value as sentences show it."""
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def parse(xml: str) -> Markup:
    """The tags of a label config; LabelingConfigError if it cannot be read, or Label Studio would not store it.

    The declaration that XML editors write is passed over: the text is decoded already.
    """
    from label_studio_sdk.label_interface.interface import LabelInterface

    if not xml.strip():
        raise LabelingConfigError("the label config is empty; give the project a Text tag and a Choices tag")
    if len(xml) > MAX_CONFIG_CHARACTERS:
        raise LabelingConfigError(
            f"the label config has {len(xml)} characters, at most {MAX_CONFIG_CHARACTERS} are read"
        )
    if DTD.search(xml):
        raise LabelingConfigError("the label config has a DOCTYPE or ENTITY, which Label Studio refuses; take it out")
    bare = DECLARATION.sub("", xml, count=1)
    try:
        interface = LabelInterface(bare)
    except Exception as error:  # the parser raises several unrelated kinds
        reason = " ".join(str(error).split())[:160]
        raise LabelingConfigError(f"the label config is not valid XML: {reason}") from None
    root = _tag(interface._tree, None)
    _refuse_doubled_names(root)
    return Markup(root, interface, bare != xml)


def _tag(node: Any, parent: Tag | None) -> Tag:
    name = str(node.tag)
    attributes = {str(key).lower(): str(value) for key, value in node.attrib.items()}
    elements = [child for child in node if isinstance(child.tag, str)]
    value = attributes.get("value", "")
    if (not elements and (node.text or len(node))) or (elements and name.lower() == "hypertext"):
        value = _inner(node).strip() or value
        elements = []
    tag = Tag(name.lower(), name, attributes, value, parent)
    tag.children = [_tag(child, tag) for child in elements]
    return tag


def _inner(node: Any) -> str:
    """What stands between a tag's ends, as written: the editor takes `innerHTML`."""
    from lxml import etree

    return escape(node.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in node)


def _refuse_doubled_names(root: Tag) -> None:
    names = Counter(tag.name for tag in root.within() if tag.name and tag.kind not in NAMELESS)
    for name, count in names.items():
        if count > 1:
            raise LabelingConfigError(
                f'the name "{clipped(name)}" stands on {count} tags of the label config; make names unique'
            )
