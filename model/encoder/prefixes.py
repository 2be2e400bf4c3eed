"""The words that a model's authors want before a text whose vector a classifier learns from."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Prompts of that name are for classification, else for texts as they are (not for questions that search them).
NAMED = ("classification", "document", "passage")

# Models whose files name no prompt, while their model cards ask for one: (name of the model, prefix).
DOCUMENTED = (
    # intfloat/e5-*: "query: " for features of linear probing classification (FAQ 1 of the card)
    (r"(^|[-_])e5-(small|base|large)(-v2)?(-unsupervised)?$", "query: "),
    # nomic-ai/nomic-embed-text-*, modernbert-embed-*: a task's name is necessary, "classification" for features
    (r"(^|[-_])nomic-embed-text-v1(\.5)?(-unsupervised|-ablated)?$", "classification: "),
    (r"(^|[-_])modernbert-embed-(base|large)$", "classification: "),
)


def chosen_prompt(prompts: Mapping[str, str], default: str | None, place: str) -> str:
    """The prompt for classification, `""` if texts go in as they are.

    `prompts` and `default` are those of config_sentence_transformers.json, `place` is a hub name or folder.
    """
    if default is not None and default in prompts:
        return prompts[default]
    by_name = {name.lower(): prompt for name, prompt in prompts.items()}
    for name in NAMED:
        if name in by_name:
            return by_name[name]
    last = place.rstrip("/").rsplit("/", 1)[-1].lower()
    return next((prefix for pattern, prefix in DOCUMENTED if re.search(pattern, last)), "")
