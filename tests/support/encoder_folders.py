"""Tiny encoders of every kind that teams name, with random weights, as their authors would write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORDS = ["cat", "dog", "bill", "bank", "pay", "fur", "query", ":", "late", "parcel"]
FAMILIES = ("bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "modernbert", "deberta-v2", "t5", "qwen3", "gpt2")
TEXTS = ["cat dog", "pay the bill", "", "bank", "fur late parcel cat dog bill bank"]


def tiny_model(kind: str, folder: Path, positions: int = 40, pickled: bool = False) -> Any:
    """Write an untrained model of that type and a tokenizer of a few words; the model is returned."""
    import torch
    from transformers import AutoModel, AutoModelForTextEncoding

    folder.mkdir(parents=True, exist_ok=True)
    _tokenizer(kind).save_pretrained(folder)
    torch.manual_seed(len(kind))
    make = AutoModelForTextEncoding if kind == "t5" else AutoModel
    model = make.from_config(_config(kind, positions)).eval()
    with torch.no_grad():  # untrained layers of 0.02 tell no two texts apart
        for parameter in model.parameters():
            parameter.mul_(8.0 if parameter.dim() > 1 else 1.0)
    if pickled:
        model.config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    else:
        model.save_pretrained(folder)
    return model


def write_json(folder: Path, files: Mapping[str, Any]) -> None:
    """Write each object under its path below the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def sentence_files(pooling: Mapping[str, Any], *others: str, longest: int | None = 24) -> dict[str, Any]:
    """The files of sentence-transformers around a transformer: pooling, and other modules by their last name."""
    kinds = ["Transformer", "Pooling", *others]
    modules = [
        {"idx": place, "name": str(place), "path": f"{place}_{kind}" if place else "",
         "type": f"sentence_transformers.models.{kind}"}
        for place, kind in enumerate(kinds)
    ]  # fmt: skip
    settings = {"max_seq_length": longest, "do_lower_case": False}
    return {"modules.json": modules, "1_Pooling/config.json": dict(pooling), "sentence_bert_config.json": settings}


def _tokenizer(kind: str) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<s>", "</s>"]
    inner = Tokenizer(models.WordLevel({w: n for n, w in enumerate([*special, *WORDS])}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    numbers = [("<s>", 2), ("</s>", 3)]
    around = {"gpt2": "$A", "t5": "$A </s>", "qwen3": "$A </s>"}.get(kind, "<s> $A </s>")
    inner.post_processor = processors.TemplateProcessing(single=around, special_tokens=numbers)
    pad = {} if kind == "gpt2" else {"pad_token": "<pad>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>", **pad,
        padding_side="left" if kind == "qwen3" else "right", model_max_length=10**6,
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def _config(kind: str, positions: int) -> Any:
    from transformers import CONFIG_MAPPING

    size: dict[str, Any] = {
        "vocab_size": len(WORDS) + 4, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": positions, "pad_token_id": 0, "bos_token_id": 2,
        "eos_token_id": 3,
    }  # fmt: skip
    if kind in ("roberta", "xlm-roberta", "mpnet"):
        size |= {"pad_token_id": 1, "type_vocab_size": 1, "max_position_embeddings": positions + 2}
    if kind == "modernbert":
        size |= {"cls_token_id": 2, "sep_token_id": 3, "reference_compile": False}
    if kind == "qwen3":
        size |= {"num_key_value_heads": 1, "head_dim": 8}
    if kind == "t5":
        size = {"vocab_size": len(WORDS) + 4, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    if kind == "distilbert":
        size = {"vocab_size": len(WORDS) + 4, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32,
                "max_position_embeddings": positions, "pad_token_id": 0}  # fmt: skip
    if kind == "gpt2":
        size = {"vocab_size": len(WORDS) + 4, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": positions,
                "bos_token_id": 2, "eos_token_id": 3}  # fmt: skip
    size |= dict.fromkeys(("attention_dropout", "hidden_dropout_prob"), 0.0)
    return CONFIG_MAPPING[kind](**size)
