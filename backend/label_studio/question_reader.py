"""Reads a control tag as a question about the whole text, or says in one sentence why it is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from backend.errors import LabelingConfigError
from backend.label_studio.labels import read_labels
from backend.label_studio.markup import Markup, Tag, clipped
from backend.label_studio.questions import KINDS, Question
from backend.label_studio.sources import Source, source_of, unreadable
from backend.label_studio.visibility import conditions, part_of_text
from model.labels import AnswerKind

SHORTLIST = re.compile(r"\bleave one\b", re.IGNORECASE)  # what the documented label config A tells people


def read_question(
    markup: Markup, tag: Tag, sources: Sequence[Source], answer: str, former: bool = False, beside_one: bool = False
) -> Question:
    """A control as a question about the whole text; LabelingConfigError says why it is none.

    Where nobody says what several ticks mean, several labels may be right at once. With `former`, as earlier releases
    had it, they are a shortlist of one right label, but for a Choices tag `beside_one` that takes one label.
    """
    if reason := part_of_text(tag):
        raise LabelingConfigError(f"{tag.where} {reason}")
    targets = _targets(markup, tag, sources)
    labels = read_labels(tag, [source_of(target) for target in targets])
    several = multiple(tag) and not labels.off
    open_meaning = several and answer == "auto" and not _says(tag, former)
    inferred = open_meaning and former and beside_one and tag.kind == "choices"
    assumed = open_meaning and not former
    meaning = "one" if labels.off else ticks_mean(tag, several, "several" if inferred or assumed else answer)
    fields = tuple(dict.fromkeys(field for source in sources for field in source.fields))
    question = Question(
        name=tag.name,
        kind=KINDS[tag.kind],
        to_name=targets[0].name,
        labels=labels.labels,
        multiple=several,
        answer=meaning,
        least=_least(tag, meaning),
        paths=labels.paths,
        ends=labels.ends,
        reads=fields,
        conditions=conditions(tag),
        targets=tuple(target.name for target in targets),
        guessed=open_meaning and not inferred,
        inferred=inferred,
        off=labels.off,
    )
    _refuse_doubled(tag, question)
    _refuse_unwritable(markup, tag, question)
    return question


def _targets(markup: Markup, tag: Tag, sources: Sequence[Source]) -> list[Tag]:
    """The objects that a control is about: one, or the two of a Pairwise."""
    wanted = 2 if tag.kind == "pairwise" else 1
    names = tag.targets
    texts = [name for name in names if name in markup.named and not unreadable(markup.named[name])]
    if len(names) != wanted and (len(texts) >= wanted or len(names) < wanted):
        listed = ", ".join(f'"{clipped(name)}"' for name in (texts or names)[:4])
        number = "two of them" if wanted == 2 else "one of them"
        raise LabelingConfigError(f"{tag.where} labels {len(names)} objects ({listed}); let toName name {number}")
    for name in names:
        if name not in markup.named:
            there = ", ".join(f'"{clipped(one.name)}"' for one in _texts(markup))
            raise LabelingConfigError(
                f'{tag.where} points to "{clipped(name)}", but there is no object tag of that name'
                + (f"; let toName name a text: {there[:120]}" if there else "")
            )
        if reason := unreadable(markup.named[name]):
            raise LabelingConfigError(f"{tag.where} is about {markup.named[name].where}, which {reason}")
    if not sources:
        target = markup.named[names[0]]
        if reason := part_of_text(target):
            raise LabelingConfigError(
                f"{tag.where} is about {target.where}, which {reason}, and no other text is shown"
            )
        shown = f' ("{clipped(target.value)}")' if target.value else ""
        raise LabelingConfigError(
            f'{target.where} must read a field of the task, value="$field": what it shows{shown} is the same for all'
        )
    return [markup.named[name] for name in names]


def _texts(markup: Markup) -> list[Tag]:
    """The tags that questions can be about."""
    return [tag for tag in markup.named.values() if source_of(tag) and not unreadable(tag)]


def multiple(tag: Tag) -> bool:
    """Whether a control can show several ticks."""
    if tag.kind == "taxonomy":
        return tag.get("maxusages").strip() != "1"
    return tag.kind == "choices" and tag.get("choice") == "multiple"


def _says(tag: Tag, former: bool) -> bool:
    """Whether a tag says what several ticks mean: by answer="…", or by telling people to leave one of them."""
    return bool(tag.get("answer").strip()) or (not former and bool(SHORTLIST.search(tag.get("requiredmessage"))))


def ticks_mean(tag: Tag, takes_several: bool, wanted: str = "auto") -> AnswerKind:
    """What ticks mean: as the option ANSWER says, else as the tag does (answer="several"), else one label. Choices can
    be levels in order."""
    said = tag.get("answer").strip().lower()
    if said not in ("", "one", "several", "ordered"):
        raise LabelingConfigError(
            f'{tag.where} has answer="{said[:40]}"; allowed are answer="one", answer="several" and answer="ordered"'
        )
    told = said if wanted == "auto" else wanted
    if told == "ordered" and tag.kind in ("taxonomy", "pairwise"):
        raise LabelingConfigError(
            f"{tag.where} has no levels in order; only Choices are told to be that, by ANSWER=ordered"
        )
    if told == "ordered":
        return "ordered"
    if told != "several":
        return "one"
    if not takes_several:
        raise LabelingConfigError(
            f"{tag.where} takes one label, but its answer is said to be several; write "
            'choice="multiple" on Choices, or drop maxUsages="1" from a Taxonomy'
        )
    return "several"


def _least(tag: Tag, meaning: AnswerKind) -> int:
    """Labels that an answer has at least: none is an answer of several, too, unless the tag is required."""
    return 0 if meaning == "several" and not tag.flag("required") else 1


def _refuse_unwritable(markup: Markup, tag: Tag, question: Question) -> None:
    """Label Studio's own check has to let every label pass, or it would drop what we send."""
    names = [label.name for label in question.labels if label.name != question.off]
    values = [tuple(names)] if question.kind in ("Choices", "Taxonomy") else [(name,) for name in names]
    region = {"from_name": question.name, "to_name": question.to_name, "type": question.wire_type}
    for labels in values:
        result = [{**region, "value": question.wire_value(labels)}]
        problems = markup.interface.validate_prediction(
            {"model_version": "check", "score": 0.5, "result": result}, return_errors=True
        )
        if problems:
            target = markup.named[question.to_name]
            if not target.get("value") and (source := source_of(target)):
                raise LabelingConfigError(
                    f"{tag.where} cannot be filled in, because Label Studio's own check knows {target.where} only by "
                    f'its value; write value="${source.fields[0]}" on it, too'
                )
            raise LabelingConfigError(
                f"{tag.where} cannot be filled in, because Label Studio's own check reads it differently from its "
                "editor; write name, toName and value with these letters, and labels in value rather than between tags"
            )


def _refuse_doubled(tag: Tag, question: Question) -> None:
    names = Counter(label.name for label in question.labels)
    doubled = ", ".join(sorted(name for name, number in names.items() if number > 1))
    if doubled:
        raise LabelingConfigError(f"{tag.where}: labels occur more than once: {doubled[:120]}; make every label unique")
