"""Encoders are used as their authors mean them: our vectors against a reference computed text by text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoTokenizer

from model.arrays import FloatArray
from model.encoder.checkpoint import stored_dimension
from model.encoder.encoder import Encoder, load_encoder
from model.encoder.loading import load_checkpoint, load_own
from model.errors import EncoderError
from tests.support.encoder_folders import FAMILIES, TEXTS, sentence_files, tiny_model, write_json

LAST = {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}


def states(folder: Path, model: Any, text: str) -> torch.Tensor:
    """States `(length, d)` of one text's tokens, without any padding."""
    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=inputs["input_ids"]).last_hidden_state[0]
        return found


def unit(vector: torch.Tensor) -> FloatArray:
    found: FloatArray = (vector / vector.norm()).numpy()
    return found


@pytest.mark.parametrize("kind", FAMILIES[:-1])
def test_every_family_gives_its_own_states(kind: str, tmp_path: Path) -> None:
    model = tiny_model(kind, tmp_path, pickled=kind == "roberta")
    pooling = LAST if kind == "qwen3" else {"pooling_mode_mean_tokens": True}
    if kind in ("t5", "qwen3"):
        write_json(tmp_path, sentence_files(pooling, "Normalize"))
    texts = [text for text in TEXTS if text or kind not in ("t5", "qwen3")]
    vectors = load_encoder(str(tmp_path)).embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        found = states(tmp_path, model, text)
        assert np.allclose(vector, unit(found[-1] if kind == "qwen3" else found.mean(0)), atol=1e-4), text
    assert stored_dimension(str(tmp_path)) == vectors.shape[1] == 16


WAYS = {
    "cls": ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, lambda found: found[0]),
    "last": (LAST, lambda found: found[-1]),
    "max": ({"pooling_mode": "max"}, lambda found: found.max(0).values),
    "root": ({"pooling_mode_mean_sqrt_len_tokens": True}, lambda found: found.mean(0)),
    "weighted": (
        {"pooling_mode_weightedmean_tokens": True},
        lambda found: (found * torch.arange(1.0, len(found) + 1)[:, None]).sum(0),
    ),
    "both": ({"pooling_mode": ["cls", "mean"]}, lambda found: torch.cat([found[0], found.mean(0)])),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_pooling_of_the_authors_is_followed(way: str, tmp_path: Path) -> None:
    model = tiny_model("bert", tmp_path)
    config, reference = WAYS[way]
    write_json(tmp_path, sentence_files(config))
    vectors = load_encoder(str(tmp_path)).embed(TEXTS)
    expected = [unit(reference(states(tmp_path, model, text))) for text in TEXTS]  # type: ignore[no-untyped-call]
    assert np.allclose(vectors, expected, atol=1e-4)
    assert stored_dimension(str(tmp_path)) == vectors.shape[1]


def test_dense_layers_a_folder_below_and_lower_case(tmp_path: Path) -> None:
    model = tiny_model("bert", tmp_path / "0_Transformer")
    files = sentence_files({"pooling_mode_mean_tokens": True}, "Dense", "Normalize")
    files["modules.json"][0]["path"] = "0_Transformer"
    files["0_Transformer/sentence_bert_config.json"] = {"max_seq_length": 20, "do_lower_case": True}
    files["2_Dense/config.json"] = {
        "in_features": 16, "out_features": 6, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"
    }  # fmt: skip
    write_json(tmp_path, files)
    layer = torch.nn.Linear(16, 6)
    save_file(
        {f"linear.{name}": tensor for name, tensor in layer.state_dict().items()},
        tmp_path / "2_Dense/model.safetensors",
    )
    encoder = load_encoder(str(tmp_path))
    with torch.no_grad():
        expected = unit(torch.tanh(layer(states(tmp_path / "0_Transformer", model, "cat dog").mean(0))))
    assert np.allclose(encoder.embed(["CAT Dog"])[0], expected, atol=1e-4)
    assert (encoder.dimension, encoder.longest, stored_dimension(str(tmp_path))) == (6, 20, 6)
    encoder.checkpoint.save(tmp_path / "again")  # as an adapted encoder is stored: all in one folder
    again = Encoder("again", load_own(tmp_path / "again"))
    assert np.allclose(again.embed(TEXTS), encoder.embed(TEXTS), atol=1e-5)


@pytest.mark.parametrize("with_prompt", [True, False])
def test_prompts_stand_before_the_text_and_count_only_where_they_should(with_prompt: bool, tmp_path: Path) -> None:
    model = tiny_model("bert", tmp_path)
    files = sentence_files({"pooling_mode_mean_tokens": True, "include_prompt": with_prompt})
    prompts = {"query": "query : ", "Classification": "pay : "}
    files["config_sentence_transformers.json"] = {"prompts": prompts, "default_prompt_name": None}
    write_json(tmp_path, files)
    found = states(tmp_path, model, "pay : late parcel")
    expected = unit(found.mean(0) if with_prompt else found[3:].mean(0))
    assert np.allclose(load_encoder(str(tmp_path)).embed(["late parcel"])[0], expected, atol=1e-4)
    by_hand = load_encoder(f"{tmp_path}?prefix=query%20:%20&pooling=cls").embed(["late parcel"])[0]
    skipped = 0 if with_prompt else 3
    assert np.allclose(by_hand, unit(states(tmp_path, model, "query : late parcel")[skipped]), atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "roberta", "gpt2", "qwen3"])
def test_long_texts_are_read_in_pieces(kind: str, tmp_path: Path) -> None:
    model = tiny_model(kind, tmp_path, positions=20)
    write_json(tmp_path, sentence_files(LAST if kind in ("gpt2", "qwen3") else {}, longest=512))
    encoder = load_encoder(str(tmp_path))
    assert encoder.longest == 20
    words = ["cat", "dog", "bill", "bank", "pay", "fur", "late"]
    text = " ".join(words * 7)  # 49 tokens
    room = 20 - encoder.usage.lead - encoder.usage.trail
    size = -(-49 // -(-49 // room))
    parts = [(words * 7)[at : at + size] for at in range(0, 49, size)]
    alone = encoder.embed([" ".join(part) for part in parts])
    mean = sum(len(part) * vector for part, vector in zip(parts, alone, strict=True))
    assert np.allclose(encoder.embed(["cat", text])[1], mean / np.linalg.norm(mean), atol=1e-4)
    assert np.allclose(encoder.embed(["cat"])[0], encoder.embed(["cat", text])[0], atol=1e-5)
    assert model.config.model_type == kind


def refused(folder: Path, name: str | None = None) -> str:
    with pytest.raises(EncoderError) as caught:
        load_checkpoint(name or str(folder))
    return str(caught.value)


def test_what_cannot_be_used_as_meant_is_refused(tmp_path: Path) -> None:
    tiny_model("gpt2", tmp_path / "writer")
    assert "continues texts" in refused(tmp_path / "writer")
    assert load_checkpoint(f"{tmp_path / 'writer'}?pooling=last").usage.pooling == ("last",)
    bert = tmp_path / "bert"
    model = tiny_model("bert", bert)
    for kind in ("StaticEmbedding", "WordWeights"):
        write_json(bert, sentence_files({}, kind))
        assert kind in refused(bert)
    write_json(bert, {**sentence_files({}), "modules.json": [{"type": "custom_st.Transformer", "path": ""}]})
    assert "custom_st.Transformer" in refused(bert)
    write_json(bert, {**sentence_files({}), "sentence_bert_config.json": {"config_args": {"rotary_scaling_factor": 2}}})
    assert "rotary_scaling_factor" in refused(bert)
    write_json(bert, sentence_files({"pooling_mode": "attention"}))
    assert "'attention'" in refused(bert)
    write_json(bert, sentence_files({}, longest=8))
    assert "make the prefix shorter" in refused(bert, f"{bert}?prefix=cat%20dog%20cat%20dog%20")
    model.config.auto_map = {"AutoModel": "modeling_own.OwnModel"}
    model.config.save_pretrained(bert)
    assert "runs no code" in refused(bert)
    assert "not understood" in refused(bert, f"{bert}?prompt=query")
    assert "pooling 'middle' is unknown" in refused(bert, f"{bert}?pooling=middle")


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    tiny_model("bert", tmp_path)
    weights = tmp_path / "model.safetensors"
    from safetensors.torch import load_file

    kept = {name: tensor for name, tensor in load_file(weights).items() if "layer.1." not in name}
    save_file(kept, weights, {"format": "pt"})
    assert "the weights lack" in refused(tmp_path)


def test_a_pooler_without_weights_changes_no_identity(tmp_path: Path) -> None:
    """As in every checkpoint of a masked language model: its random pooler made vectors unknown to the cache."""
    tiny_model("bert", tmp_path)
    from safetensors.torch import load_file

    weights = tmp_path / "model.safetensors"
    save_file(
        {name: one for name, one in load_file(weights).items() if "pooler" not in name}, weights, {"format": "pt"}
    )
    first, second = (Encoder("tiny", load_checkpoint(str(tmp_path))) for _ in range(2))
    assert first.identity == second.identity


def test_what_changes_vectors_changes_the_identity(tmp_path: Path) -> None:
    tiny_model("bert", tmp_path)
    names = [str(tmp_path), f"{tmp_path}?pooling=cls", f"{tmp_path}?prefix=pay%20"]
    assert len({load_encoder(name).identity for name in names}) == 3
