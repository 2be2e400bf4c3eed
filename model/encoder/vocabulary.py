"""Whether texts are of the languages that an encoder was trained on, told by how its tokenizer takes their words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from model.encoder.files import ModelFiles
from model.encoder.name import EncoderName
from model.encoder.place import checkpoint_place
from model.encoder.published import read_published
from model.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Encoding

log = structlog.get_logger(__name__)

SAMPLE = 500  # texts, chosen by hash
CHARACTERS = 2000  # of each text
UNKNOWN = 0.05  # share of words' tokens that are unknown, above which a vocabulary is another language's
WORD_TOKENS, TOKEN_LETTERS = 1.5, 3.0  # more tokens a word, of fewer letters each: words fall to pieces
CHARACTER_TOKENS = 1.1  # tokens a character of scripts without spaces: more are bytes, not characters
LEAST_LETTERS = 12  # of a text that can be judged

WORD = re.compile(r"[^\W\d_]+")
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def foreign_share(name: str, texts: Sequence[str]) -> float | None:
    """Share of the texts that the tokenizer of the encoder does not know the words of; None if that cannot be told.

    English texts of benchmarks (chat to abstracts) on an English vocabulary have 1.0 to 1.3 tokens a word, German ones
    2.2, Russian ones 5; of Chinese ones four fifths are unknown.
    """
    from tokenizers import Tokenizer

    try:
        files = ModelFiles(checkpoint_place(name), fetch=False)
        below = read_published(files, EncoderName.of(name)).below
        path = files.path(f"{below}/tokenizer.json" if below else "tokenizer.json")
    except EncoderError as error:
        log.info("the encoder's vocabulary is not known", encoder=name, reason=str(error))
        return None
    if path is None:
        return None
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    sample = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode("utf-8", "replace")).digest())[:SAMPLE]
    sample = [text[:CHARACTERS].encode("utf-8", "replace").decode() for text in sample]
    found = tokenizer.encode_batch(sample, add_special_tokens=False)
    judged = [one for one in map(_foreign, sample, found) if one is not None]
    return sum(judged) / len(judged) if judged else None


def _foreign(text: str, found: Encoding) -> bool | None:
    """Whether a text's words are not those of the vocabulary; None for texts of hardly a letter."""
    words = WORD.findall(SPACELESS.sub(" ", text))
    letters, spaceless = sum(map(len, words)), len(SPACELESS.findall(text))
    if letters + spaceless < LEAST_LETTERS and spaceless < LEAST_LETTERS // 3:
        return None
    unknown = tokens = characters = 0
    for token, (start, end) in zip(found.tokens, found.offsets, strict=True):
        part = text[start:end]
        if SPACELESS.search(part):
            characters += 1
        elif WORD.search(part):
            tokens += 1
        else:
            continue
        unknown += token.strip("<>[]").lower() in ("unk", "unknown")
    if unknown > UNKNOWN * (tokens + characters) or characters > CHARACTER_TOKENS * spaceless:
        return True
    return bool(tokens) and tokens > WORD_TOKENS * len(words) and letters < TOKEN_LETTERS * tokens
