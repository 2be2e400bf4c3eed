"""From a label config (XML) to the questions that Shortlist answers, or one sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from backend.errors import LabelingConfigError
from backend.label_studio.advice import advice
from backend.label_studio.control import Control, LeftAlone
from backend.label_studio.dependences import ordered, whens
from backend.label_studio.labels import number_levels
from backend.label_studio.markup import Markup, Tag, clipped, parse
from backend.label_studio.pairs import CROSS_ENCODER_COSTS, read_pair, refuse_cross_encoder
from backend.label_studio.question_reader import multiple, read_question
from backend.label_studio.questions import KINDS, Question
from backend.label_studio.sources import TEXTS, Source, chosen_sources, shown_sources, source_of, unreadable
from backend.label_studio.task_text import task_text
from backend.label_studio.visibility import conditions, part_of_text
from backend.label_studio.wording import wording
from backend.project_options import ProjectOptions
from model.groups import Group, qualified
from model.labels import Label, LabelSpace, answer_kind

__all__ = ["Control", "read_labeling_config", "read_project_config", "task_text"]

AIDS = ("relations", "filter", "shortcut")  # they help people with other tags
PARTS = {"labels": "marks parts of a text", "textarea": "is free text",
         "number": "is a free number; with a small range of whole numbers, min and max, it is a question"}  # fmt: skip
FREE = ("number", "datetime", "ranker")
NONE = "the label config has no Choices, Taxonomy, Rating or Pairwise tag with name and toName"
NO_TEXT = "; it shows no text of the task that could be read"
ALONE = "{tag} can only be ticked or not, and nothing else is asked; add a Choice for the opposite"


def read_project_config(xml: str, options: ProjectOptions, former: bool = False) -> Control:
    """What is done with a project's label config; LabelingConfigError as `read_labeling_config` has it."""
    asked = (options.CONTROL, options.ANSWER, options.FIELDS, options.QUESTIONS)
    found = read_labeling_config(xml, *asked, former, options.SYMMETRIC, options.GROUP)
    if options.CROSS_ENCODER:
        refuse_cross_encoder(found.pair, found.sources, found.space.several, options)
        return replace(found, advice=(*found.advice, (CROSS_ENCODER_COSTS, None)))
    return found


def read_labeling_config(
    xml: str,
    control: str = "",
    answer: str = "auto",
    fields: str = "",
    questions: str = "",
    former: bool = False,
    symmetric: bool = False,
    group: str = "",
) -> Control:
    """What is done with a label config; the other parameters as the options of these names. With `former` as releases
    before read it: ticks of which nobody says what they mean are a shortlist, single choices and numbers no questions.

    Cached by text. Raises LabelingConfigError: one sentence that names the tag and what to change.
    """
    option = "QUESTIONS" if questions else "CONTROL"
    found = _read(xml, questions or control, answer, fields, option, former, symmetric, group)
    if isinstance(found, LabelingConfigError):
        raise LabelingConfigError(found.reason, found.option)
    return found


@lru_cache(maxsize=256)
def _read(
    xml: str, wanted: str, answer: str, fields: str, option: str, former: bool, symmetric: bool, group: str
) -> Control | LabelingConfigError:
    try:
        found = _control(xml, wanted, answer, fields, option, former)
        targets = [name for one in found.questions if one.kind == "Pairwise" for name in one.targets]
        return replace(found, pair=read_pair(found.sources, found.questions, targets, symmetric, group))
    except LabelingConfigError as error:
        return LabelingConfigError(error.reason, error.option)


def _control(xml: str, wanted: str, answer: str, fields: str, option: str, former: bool) -> Control:
    markup = parse(xml)
    sources = tuple(chosen_sources(shown_sources(markup), fields))
    names = _names(wanted, option)
    found, left = _questions(markup, sources, answer, names, former)
    chosen, unasked = _chosen(markup, found, left, names, option, former)
    left = [*[entry for entry in left if entry.control not in {one.name for one in chosen}], *unasked]
    first = chosen[0]
    alone = len(chosen) == 1
    area = None if not alone or first.multiple else _candidates_area(markup, first.to_name)
    left += [entry for entry in _beside(markup) if entry.control != area]
    scopes = [f"{one.name}|{one.kind}|{_scope(markup, one, sources)}" for one in chosen]
    return Control(
        space=_space(first, scopes[0]) if alone else _joint_space(chosen, scopes),
        questions=tuple(chosen),
        sources=sources,
        candidates_area=area,
        left=tuple(left),
        wording=wording(markup, [one.name for one in chosen], sources),
        advice=advice(markup, chosen, sources, area),
    )


def _space(one: Question, scope: str) -> LabelSpace:
    return LabelSpace(one.labels, scope, answer_kind(one.group_kind), one.least)


def _joint_space(chosen: Sequence[Question], scopes: Sequence[str]) -> LabelSpace:
    """One label space of several questions, each a group of its labels."""
    groups: list[Group] = []
    labels: list[Label] = []
    before: dict[str, Question] = {}
    for one in chosen:
        start = len(labels)
        labels += [Label(qualified(one.name, label.name), label.title, label.hint) for label in one.labels]
        groups.append(Group(one.name, one.group_kind, start, len(labels), one.least, whens(one, before)))
        before[one.name] = one
    return LabelSpace(tuple(labels), "\n".join(scopes), "several", 1, tuple(groups))


def _names(wanted: str, option: str) -> list[str]:
    """The controls that an option names; [] for all."""
    if option == "CONTROL" or wanted.strip().lower() == "all":
        return [wanted] if wanted and option == "CONTROL" else []
    return list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))


def _questions(
    markup: Markup, sources: Sequence[Source], answer: str, names: Sequence[str], former: bool
) -> tuple[dict[str, Question], list[LeftAlone]]:
    """The questions that can be answered, by name, and those that cannot."""
    found: dict[str, Question] = {}
    left = list(_about_nothing(markup))
    tags = [tag for tag in markup.named.values() if _is_question(tag)]
    told = _by_question(answer, [tag.name for tag in tags])
    beside = any(tag.kind == "choices" and not multiple(tag) and not part_of_text(tag) for tag in tags)
    for tag in tags:
        alone = sum(one.kind != "number" for one in tags) == 1 or names == [tag.name]
        meaning = told.get(tag.name, "auto") if told else answer if alone or multiple(tag) else "auto"
        try:
            found[tag.name] = read_question(markup, tag, sources, meaning, former, beside and names != [tag.name])
        except LabelingConfigError as error:
            whole = not part_of_text(tag)
            left.append(LeftAlone(tag.name, str(error), asks=whole, missing=whole and _is_about_text(markup, tag)))
    return found, left


def _is_question(tag: Tag) -> bool:
    """Whether people answer a tag with labels; a number only where there are few."""
    return tag.kind in KINDS and bool(tag.targets) and (tag.kind != "number" or bool(number_levels(tag)))


def _about_nothing(markup: Markup) -> Iterator[LeftAlone]:
    """Controls that are none to Label Studio's own reader either: they lack a name, or what they are about."""
    text = next((tag.name for tag in markup.named.values() if tag.kind in TEXTS and not tag.targets), "")
    for tag in markup.root.within():
        if tag.kind not in KINDS or (tag.name and tag.targets):
            continue
        lacks = " and ".join(what for what, there in (("name", tag.name), ("toName", tag.targets)) if not there)
        remedy = f'; write toName="{clipped(text)}"' if text and not tag.targets else f"; give it a {lacks}"
        yield LeftAlone(tag.name or tag.where, f"{tag.where} has no {lacks}{remedy}", missing=False)


def _is_about_text(markup: Markup, tag: Tag) -> bool:
    """Whether a control is about something that could be read, not about another medium."""
    return all(name not in markup.named or markup.named[name].kind in TEXTS for name in tag.targets)


def _by_question(answer: str, names: Sequence[str]) -> dict[str, str]:
    """What ANSWER says of single questions; {} where it is about all."""
    pairs = [part.partition("=") for part in answer.split(",") if "=" in part]
    for name, _, _ in pairs:
        if name not in names:
            known = ", ".join(f'"{clipped(one)}"' for one in names) or "none"
            raise LabelingConfigError(f'ANSWER names "{clipped(name)}", which is no question; there is: {known[:120]}')
    return {name: meaning for name, _, meaning in pairs}


def _chosen(
    markup: Markup,
    found: dict[str, Question],
    left: Sequence[LeftAlone],
    names: Sequence[str],
    option: str,
    former: bool,
) -> tuple[list[Question], list[LeftAlone]]:
    """The questions that are answered, each after those on which it hangs, and the others that could be."""
    known = [one for one in found.values() if not (former and one.is_new)]
    wanted = [_wanted(found, left, name, option) for name in names] or known
    chosen, waiting = ordered({one.name: one for one in sorted(wanted, key=list(found.values()).index)})
    if not chosen:
        unmet = [LeftAlone(name, why) for name, why in waiting.items()]
        raise _nothing(markup, [*left, *unmet])
    if len(chosen) == 1 and chosen[0].off:
        raise LabelingConfigError(ALONE.format(tag=markup.named[chosen[0].name].where), _beyond(found))
    unasked = [LeftAlone(name, why, _with_parents(found, name, chosen)) for name, why in waiting.items()]
    for one in found.values():
        if one not in wanted:
            leaves = f"that {option} leaves out" if names else "that an earlier release did not read"
            why = f"{markup.named[one.name].where} is a question {leaves}"
            unasked.append(LeftAlone(one.name, why, ("QUESTIONS", ",".join([*(q.name for q in chosen), one.name]))))
    return chosen, unasked


def _with_parents(found: dict[str, Question], name: str, chosen: Sequence[Question]) -> tuple[str, str] | None:
    """What would answer a question that hangs on others; None if nothing does."""
    names = {one.name for one in chosen} | {name} | {one.control for one in found[name].conditions}
    kept, _ = ordered({one.name: one for one in found.values() if one.name in names})
    together = [one.name for one in kept]
    return ("QUESTIONS", ",".join(together)) if name in together else None


def _wanted(found: dict[str, Question], left: Sequence[LeftAlone], wanted: str, option: str) -> Question:
    """The question that an option names."""
    if wanted in found:
        return found[wanted]
    remedy = _beyond(found, option)
    reason = next((entry.why for entry in left if entry.control == wanted), "")
    if reason:
        raise LabelingConfigError(reason, remedy)
    known = ", ".join(f'"{clipped(name)}"' for name in [*found, *(entry.control for entry in left)][:5]) or "none"
    raise LabelingConfigError(
        f'{option} "{clipped(wanted)}" is no Choices, Taxonomy, Rating or Pairwise tag; there is: {known}', remedy
    )


def _beyond(found: dict[str, Question], option: str = "QUESTIONS") -> tuple[str, str] | None:
    """What names the first question that can be the only one."""
    name = next((name for name, one in found.items() if not one.off and not one.conditions), "")
    return (option, name) if name else None


def _nothing(markup: Markup, left: Sequence[LeftAlone]) -> LabelingConfigError:
    """Why no question is answered, and what to add where that would help."""
    readable = any(source_of(tag) for tag in markup.root.within())
    if left:
        entry = next((entry for entry in left if entry.asks), left[0])
        tag = markup.named.get(entry.control)
        add = "; add one for the whole text" if readable else NO_TEXT
        return LabelingConfigError(entry.why + (add if tag and (part_of_text(tag) or conditions(tag)) else ""))
    there = next((tag for tag in markup.named.values() if tag.targets), None)
    beside = f" ({there.where} {_part(there)})" if there is not None else ""
    add = "; add one" if readable or there is None else NO_TEXT
    return LabelingConfigError(f"{NONE}{beside}{add}")


def _part(tag: Tag) -> str:
    return PARTS.get(tag.kind, "marks parts" if tag.kind.endswith("labels") else "is no question with labels")


def _beside(markup: Markup) -> Iterator[LeftAlone]:
    """What else the config asks or shows."""
    for tag in markup.named.values():
        if _is_question(tag) or tag.kind in AIDS:
            continue
        if tag.targets:
            yield LeftAlone(tag.name, f"{tag.where} {_part(tag)}", asks=tag.kind in FREE, missing=False)
        elif "$" in tag.value and tag.kind not in TEXTS:
            yield LeftAlone(tag.name, f"{tag.where} is not text: what it shows is not read", missing=False)
        elif "$" in tag.value and source_of(tag) is None and (reason := unreadable(tag)):
            yield LeftAlone(tag.name, f"{tag.where} {reason}")


def _scope(markup: Markup, chosen: Question, sources: Sequence[Source]) -> str:
    """Where the labels live; with one text what it always was."""
    target = markup.named[chosen.to_name]
    here = f"{target.name}|{target.value}"
    if [source.template for source in sources] == [target.value] and chosen.kind in ("Choices", "Taxonomy"):
        return here
    return "|".join([here, *(f"{source.kind}:{source.template}" for source in sources)])


def _candidates_area(markup: Markup, to_name: str) -> str | None:
    """The read-only text area of label config B: it shows lines and never an input box."""
    for name, tag in markup.named.items():
        read_only = tag.get("editable") == "false" and tag.get("maxsubmissions") == "0"
        whole = not part_of_text(tag) and not conditions(tag)
        if tag.kind == "textarea" and tag.targets == [to_name] and read_only and whole:
            return name
    return None


def load_parser() -> None:
    """Import what reads label configs: half a second of the processor that the first /setup saves."""
    import label_studio_sdk.label_interface.interface  # noqa: F401
