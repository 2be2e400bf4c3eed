"""Models that others trained: tokenizer and weights by hub name or folder. One way to load them, and one to fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from model.errors import ArtifactError

UNUSED = ("pooler.", "position_ids")  # parts whose weights no vector depends on


def pretrained(kind: str, place: str, *, download: bool = True, safetensors: bool = False) -> tuple[Any, Any]:
    """Tokenizer, and model in eval mode, of the class `kind` of transformers. No code of the hub is ever run.

    Nothing is fetched without `download`; with `safetensors` no other form of weights is read. ArtifactError says in
    one line why they cannot be loaded: a hub that cannot be reached is tried for most of a minute, without a word.
    """
    import transformers

    here = {"local_files_only": not download, "trust_remote_code": False}
    form = {"use_safetensors": True} if safetensors else {}
    with _failing_in_one_line():
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **here)
        return tokenizer, getattr(transformers, kind).from_pretrained(place, **here, **form).eval()


def pretrained_encoder(place: str, below: str = "") -> tuple[Any, Any, list[str]]:
    """Tokenizer and encoder from the folder `below` a folder or repository, and the parts of the model that its files
    have no weights for. Of models that also write texts only the part that reads them is taken. ArtifactError as above.
    """
    import transformers

    here = {"trust_remote_code": False, "subfolder": below}
    with _failing_in_one_line():
        config = transformers.AutoConfig.from_pretrained(place, **here)
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **here)
        reads = type(config) in transformers.MODEL_FOR_TEXT_ENCODING_MAPPING
        kind = transformers.AutoModelForTextEncoding if reads else transformers.AutoModel
        model, info = kind.from_pretrained(place, config=config, output_loading_info=True, **here)
    lacking = {*info["missing_keys"], *(str(key) for key, *_ in info["mismatched_keys"])}
    return tokenizer, model.eval(), sorted(name for name in lacking if not any(part in name for part in UNUSED))


def makes_vectors(model: Any) -> bool:
    """Whether models of its type read a text as a whole; others only continue it."""
    from transformers.models.auto import modeling_auto

    kind = model.config.model_type
    if kind in modeling_auto.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES:
        return not getattr(model.config, "is_decoder", False)
    return kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not model.config.is_encoder_decoder


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    from safetensors import SafetensorError
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what matters of its warnings is raised
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns of every single try, twice
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ArtifactError(reason) from error


def text_classifier(place: str, *, download: bool = True) -> tuple[Any, Any]:
    """Tokenizer and model of a classifier whose weights are safetensors; ArtifactError names the place."""
    try:
        return pretrained("AutoModelForSequenceClassification", place, download=download, safetensors=True)
    except ArtifactError as error:
        problem = f"{place} does not load as a text classifier in safetensors: {error}"
        raise ArtifactError(problem) from error.__cause__
