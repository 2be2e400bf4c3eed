"""What a committee's members say about a text, in words for an LLM that reviews it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from model.committee.committee import Committee
from model.committee.voting import tally


def votes_in_words(committee: Committee) -> Callable[[Sequence[str]], list[str]]:
    """A function from texts to one sentence each: the labels that members voted for, most votes first; "" for none."""

    def said(texts: Sequence[str]) -> list[str]:
        votes = tally(committee.all_probabilities(texts), committee.space.answer).votes
        return [sentence([committee.space.names[vote] for vote in column if vote >= 0]) for column in votes.T.tolist()]

    return said


def sentence(votes: Sequence[str]) -> str:
    """The votes on one text.

    >>> sentence(["refund", "billing", "refund"])
    'Small models voted: "refund" 2, "billing" 1. They are often wrong; judge for yourself.'
    """
    if not votes:
        return ""
    counted = ", ".join(
        f"{json.dumps(label, ensure_ascii=False)} {count}" for label, count in Counter(votes).most_common()
    )
    return f"Small models voted: {counted}. They are often wrong; judge for yourself."
