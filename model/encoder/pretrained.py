"""Models that others trained: tokenizer and weights by hub name or folder. One way to load them, and one to fail."""

from __future__ import annotations

import logging
from typing import Any

from model.errors import ArtifactError


def pretrained(kind: str, place: str, *, download: bool = True, safetensors: bool = False) -> tuple[Any, Any]:
    """Tokenizer, and model in eval mode, of the class `kind` of transformers. No code of the hub is ever run.

    Nothing is fetched without `download`; with `safetensors` no other form of weights is read. ArtifactError says in
    one line why they cannot be loaded: a hub that cannot be reached is tried for most of a minute, without a word.
    """
    import transformers
    from safetensors import SafetensorError
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns of every single try, twice
    here = {"local_files_only": not download, "trust_remote_code": False}
    form = {"use_safetensors": True} if safetensors else {}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **here)
        model = getattr(transformers, kind).from_pretrained(place, **here, **form).eval()
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ArtifactError(reason) from error
    return tokenizer, model


def text_classifier(place: str, *, download: bool = True) -> tuple[Any, Any]:
    """Tokenizer and model of a classifier whose weights are safetensors; ArtifactError names the place."""
    try:
        return pretrained("AutoModelForSequenceClassification", place, download=download, safetensors=True)
    except ArtifactError as error:
        problem = f"{place} does not load as a text classifier in safetensors: {error}"
        raise ArtifactError(problem) from error.__cause__
