"""A checkpoint, loaded to be used as its authors mean it, and written so that it is used the same way again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.encoder.files import ModelFiles
from model.encoder.name import EncoderName
from model.encoder.place import checkpoint_place
from model.encoder.pretrained import makes_vectors, pretrained_encoder
from model.encoder.published import OTHER, USAGE, Published, read_published
from model.encoder.tokens import edges, tokens_of
from model.encoder.usage import MOST_PIECES, Usage
from model.errors import ArtifactError, EncoderError

if TYPE_CHECKING:
    from torch import Tensor

    from model.encoder.pooling import Pooled

DENSE = "dense.safetensors"  # beside USAGE
PLAIN = 512  # tokens at once, where nobody says what the model was trained with; longer texts are read in pieces
OLDER = 256  # the same in releases that wrote no USAGE
MOST_TOKENS = 4096  # of a long text, at most: models that read so many at once read one piece
LEAST_ROOM = 4  # tokens of the text itself that must fit


@dataclass(frozen=True)
class Checkpoint:
    """A tokenizer and a module from its tokens to vectors."""

    tokenizer: Any
    pooled: Pooled

    @property
    def usage(self) -> Usage:
        """How it is used."""
        return self.pooled.usage

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with special ones of texts as `Usage.given` makes them, however long they are."""
        return tokens_of(self.tokenizer, texts)

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer and usage into `folder`; OSError says why not."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        self.pooled.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        if self.usage.dense:
            save_file(self.pooled.dense(), folder / DENSE)
        (folder / USAGE).write_text(json.dumps(self.usage.to_json()))


def load_checkpoint(name: str) -> Checkpoint:
    """The checkpoint of a name as STUDENT_ENCODER has it, the model in eval mode. EncoderError if it cannot be loaded,
    or cannot be used as its authors mean it."""
    told, place = EncoderName.of(name), checkpoint_place(name)
    files = ModelFiles(place)
    usage = files.json(USAGE)
    if usage is not None:
        return _own(place, usage)
    published = read_published(files, told)
    tokenizer, model = _transformer(told, place, published)
    return _checkpoint(name, files, published, tokenizer, model)


def load_own(folder: Path) -> Checkpoint:
    """What `Checkpoint.save` wrote, or an older release did without saying how it is used; EncoderError as above."""
    content = ModelFiles(str(folder)).json(USAGE)
    return _own(str(folder), content)


def _own(place: str, content: Any) -> Checkpoint:
    from safetensors.torch import load_file

    from model.encoder.pooling import Pooled

    try:
        tokenizer, model, lacking = pretrained_encoder(place)
        if lacking:
            raise ValueError(f"its weights lack {', '.join(lacking[:3])}")
        usage = Usage.of_json(content) if content is not None else Usage(longest=_longest(OLDER, tokenizer, model))
        dense = load_file(Path(place) / DENSE) if usage.dense else None
        return Checkpoint(_ready(tokenizer), Pooled(model, usage, dense).eval())
    except (ArtifactError, OSError, TypeError, ValueError, KeyError) as error:
        raise EncoderError(f"{place}: the encoder cannot be loaded ({error})") from error


def _transformer(name: EncoderName, place: str, published: Published) -> tuple[Any, Any]:
    """Tokenizer and model; EncoderError unless its weights are all there and it is made for vectors."""
    try:
        tokenizer, model, lacking = pretrained_encoder(place, published.below)
    except ArtifactError as error:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place}: the weights cannot be loaded ({error}); name a folder, a hub name or "
            "`default`"
        ) from error
    if lacking:
        raise EncoderError(
            f"STUDENT_ENCODER={name.place}: the weights lack {len(lacking)} parts of the model that config.json "
            f"describes ({', '.join(lacking[:3])}): they belong to another model or are damaged"
        )
    if not published.told and not makes_vectors(model):
        raise EncoderError(
            f"STUDENT_ENCODER={name.place} is a model of type {model.config.model_type}, which continues texts, and "
            "its folder does not say how it makes a vector of one (modules.json); name an encoder, or add "
            "?pooling=last to the name if it was trained to make vectors"
        )
    return tokenizer, model


def _checkpoint(name: str, files: ModelFiles, published: Published, tokenizer: Any, model: Any) -> Checkpoint:
    from model.encoder.pooling import Pooled

    tokenizer = _ready(tokenizer)
    lead, trail, prompt = edges(tokenizer, published.prompt)
    longest = _longest(published.longest or PLAIN, tokenizer, model)
    if longest - lead - trail < LEAST_ROOM:
        raise EncoderError(
            f"STUDENT_ENCODER={name}: of the {longest} tokens that the model reads at once, {lead + trail} are taken "
            "by the words before each text; make the prefix shorter"
        )
    usage = Usage(
        published.pooling,
        published.prompt,
        published.lower,
        longest,
        lead,
        trail,
        pieces=max(1, min(MOST_PIECES, MOST_TOKENS // longest)),
        skipped=0 if published.with_prompt else prompt,
        dense=tuple(str(layer["activation"]) for _, layer in published.layers),
        kept=published.kept,
    )
    dense: dict[str, Tensor] = {}
    for number, (path, _) in enumerate(published.layers):
        dense |= {f"{number}.{part}": tensor for part, tensor in _dense(files, path).items()}
    return Checkpoint(tokenizer, Pooled(model, usage, dense).eval())


def _dense(files: ModelFiles, path: str) -> dict[str, Tensor]:
    """`weight` and perhaps `bias` of a dense layer."""
    import torch
    from safetensors.torch import load_file

    found = files.path(f"{path}/model.safetensors")
    try:
        if found is not None:
            tensors = load_file(found)
        elif (older := files.path(f"{path}/pytorch_model.bin")) is not None:
            tensors = torch.load(older, map_location="cpu", weights_only=True)
        else:
            raise EncoderError(f"STUDENT_ENCODER={files.place}: the weights of its layer {path} are missing")
        return {name.removeprefix("linear."): tensor.float() for name, tensor in tensors.items()}
    except (OSError, ValueError, RuntimeError) as error:
        raise EncoderError(
            f"STUDENT_ENCODER={files.place}: the weights of its layer {path} cannot be read ({error})"
        ) from error


def _ready(tokenizer: Any) -> Any:
    """The tokenizer, filling up on the right, where the mask keeps it from mattering with what."""
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        raise EncoderError(
            f"the tokenizer of {tokenizer.name_or_path} has no token to fill up shorter texts with; {OTHER}"
        )
    return tokenizer


def _longest(wished: int, tokenizer: Any, model: Any) -> int:
    """Tokens at once: as wished, unless model or tokenizer bear less."""
    bound = getattr(model.config, "max_position_embeddings", None)
    offset = next(  # RoBERTa and its like count positions from behind the padding's number
        (module.padding_idx + 1 for name, module in model.named_modules()
         if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None), 0,
    )  # fmt: skip
    limits = [bound - offset if bound else 0, tokenizer.model_max_length]
    return int(min([wished, *(limit for limit in limits if limit and limit > 8)]))
