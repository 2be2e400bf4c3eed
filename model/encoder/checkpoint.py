"""Whether an encoder's checkpoint is there, told from its files: neither torch nor transformers is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from model.encoder.encoder import checkpoint_place
from model.errors import EncoderError

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "vocab.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def stored_dimension(name: str) -> int | None:
    """The length of the encoder's vectors; None if it is a hub's and was not fetched to this host yet.

    EncoderError says what is missing, and names the setting STUDENT_ENCODER.
    """
    place = checkpoint_place(name)
    if not Path(place).is_dir():
        if place.startswith(("/", ".", "~")) or place.count("/") > 1:
            raise EncoderError(f"STUDENT_ENCODER={name}: there is no such folder")
        fetched = _fetched(name)
        if fetched is None:
            return None
        place = str(fetched)
    return _dimension(name, Path(place))


def _fetched(name: str) -> Path | None:
    """Where huggingface_hub keeps what was fetched of a checkpoint before."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(name, CONFIG)
    except HFValidationError as error:
        raise EncoderError(f"STUDENT_ENCODER={name} is neither a folder nor a hub name") from error
    return Path(config).parent if isinstance(config, str) else None


def _dimension(name: str, folder: Path) -> int:
    for what, names in (("weights", WEIGHTS), ("tokenizer", TOKENIZERS)):
        if not any((folder / one).is_file() and (folder / one).stat().st_size for one in names):
            raise EncoderError(f"STUDENT_ENCODER={name}: {folder} holds no {what} (none of {', '.join(names)})")
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return int(content.get("hidden_size") or content["dim"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"STUDENT_ENCODER={name}: {folder / CONFIG} cannot be read ({error})") from error
