"""What people should know about how a label config is served, with the option that changes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend.label_studio.control import Advice
from backend.label_studio.labels import choice_nodes
from backend.label_studio.markup import Markup, clipped
from backend.label_studio.questions import Question
from backend.label_studio.sources import Source

DECLARED = "the label config starts with <?xml …?>, which Label Studio does not store; take it out"
UNSEEN = '{tag} shows "{shown}" as it stands: the editor knows fields of a-z, 0-9, _ and dots alone; rename this one'
MOST_NAMED = 8  # questions that one sentence names


def advice(
    markup: Markup, chosen: Sequence[Question], sources: Sequence[Source], area: str | None
) -> tuple[Advice, ...]:
    """Sentences about the questions, the texts and the file; `area` is the text area that lists candidates."""
    told: list[Advice] = []
    for one in chosen:
        told += _of_question(markup, one, len(chosen) == 1)
    if area is None:
        told += _narrow([one for one in chosen if one.kind == "Choices" and not one.multiple and not one.off], chosen)
    told += [(UNSEEN.format(tag=one.where, shown=clipped(one.template)), None) for one in sources if one.unseen]
    return (*told, (DECLARED, None)) if markup.declared else tuple(told)


def _of_question(markup: Markup, chosen: Question, alone: bool) -> Iterator[Advice]:
    """What its ticks are taken to mean."""
    tag = markup.named[chosen.name]
    if chosen.inferred:
        yield f"{tag.where} takes several ticks beside a question that takes one: several may be right at once", None
    one_of_many = f"{chosen.name}=" if not alone and "=" not in chosen.name and "," not in chosen.name else ""
    if chosen.guessed and chosen.answer == "several":
        told = f"{tag.where} takes several ticks: several labels may be right at once"
        yield f"{told}; if they are a shortlist of one right label", ("ANSWER", f"{one_of_many}one")
    elif chosen.guessed:
        told = f"{tag.where} takes several ticks, which are read as a shortlist of one right label"
        yield f"{told}; where several may be right at once", ("ANSWER", f"{one_of_many}several")
    if chosen.kind == "Choices" and not chosen.off and len(choice_nodes(tag)) > len(chosen.labels):
        yield f"{tag.where} has a label more than once; both boxes stand for it", None
    if chosen.numbered and (alone or one_of_many):
        yield f"{tag.where} has numbered labels; if they are levels in order", ("ANSWER", f"{one_of_many}ordered")


def _narrow(narrow: Sequence[Question], chosen: Sequence[Question]) -> Iterator[Advice]:
    """Where a shortlist cannot be shown, in one sentence. Several questions have no text area that lists candidates."""
    names = [f'"{clipped(one.name)}"' for one in narrow]
    if len(chosen) == 1 and names:
        how = 'use choice="multiple", or add <TextArea editable="false" maxSubmissions="0"> to list them'
        yield f"Choices {names[0]} takes one label, so only the first candidate is shown; {how}", None
    elif names:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        listed = ", ".join(names[:MOST_NAMED]) + more
        verb = "take" if len(names) > 1 else "takes"
        how = 'choice="multiple" answer="one" shows more'
        yield f"Choices {listed} {verb} one label, so only the first candidate is shown; {how}", None
