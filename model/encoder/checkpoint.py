"""Whether an encoder's checkpoint is there, told from its files: neither torch nor transformers is loaded."""

from __future__ import annotations

from pathlib import Path

from model.encoder.files import ModelFiles
from model.encoder.name import EncoderName
from model.encoder.place import checkpoint_place
from model.encoder.published import USAGE, read_published
from model.errors import EncoderError

CONFIG = "config.json"
WIDTHS = ("hidden_size", "dim", "d_model", "n_embd")  # what configurations call the length of a token's state
TOKENIZERS = ("tokenizer.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "vocab.json")
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def stored_dimension(name: str) -> int | None:
    """The length of the encoder's vectors; None if it is a hub's and was not fetched to this host yet.

    EncoderError says what is missing, or why the model cannot be used as its authors mean it, and names the setting
    STUDENT_ENCODER.
    """
    place = checkpoint_place(name)
    if not Path(place).is_dir():
        if place.startswith(("/", ".", "~")) or place.count("/") > 1:
            raise EncoderError(f"STUDENT_ENCODER={name}: there is no such folder")
        fetched = _fetched(place)
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
    told, files = EncoderName.of(name), ModelFiles(str(folder))
    published = None if files.path(USAGE) else read_published(files, told)
    inside = folder / (published.below if published else "")
    for what, names in (("weights", WEIGHTS), ("tokenizer", TOKENIZERS)):
        if not any((inside / one).is_file() and (inside / one).stat().st_size for one in names):
            raise EncoderError(f"STUDENT_ENCODER={name}: {inside} holds no {what} (none of {', '.join(names)})")
    content = ModelFiles(str(inside)).json(CONFIG)
    found = [content[width] for width in WIDTHS if content.get(width)] if isinstance(content, dict) else []
    if not found:
        raise EncoderError(f"STUDENT_ENCODER={name}: {inside / CONFIG} cannot be read (it says no {WIDTHS[0]})")
    return published.dimension(int(found[0])) if published else int(found[0])
