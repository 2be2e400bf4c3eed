import json
from pathlib import Path

import pytest

from model.encoder.checkpoint import stored_dimension
from model.errors import EncoderError


def test_the_bundled_encoder_is_there() -> None:
    assert stored_dimension("default") == 384


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="there is no such folder"):
        stored_dimension(str(tmp_path / "nothing"))
    with pytest.raises(EncoderError, match="holds no weights"):
        stored_dimension(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    with pytest.raises(EncoderError, match="holds no tokenizer"):
        stored_dimension(str(tmp_path))
    (tmp_path / "vocab.txt").write_text("a")
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(EncoderError, match=r"config\.json cannot be read"):
        stored_dimension(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"dim": 12}))
    assert stored_dimension(str(tmp_path)) == 12


def test_what_a_hub_has_is_known_once_it_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert stored_dimension("nobody/nothing") is None
    repository = tmp_path / "models--nobody--nothing"
    kept = repository / "snapshots" / "abc"
    kept.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    for name in ("pytorch_model.bin", "tokenizer.json"):
        (kept / name).write_text("x")
    (kept / "config.json").write_text(json.dumps({"hidden_size": 24}))
    assert stored_dimension("nobody/nothing") == 24
    with pytest.raises(EncoderError, match="neither a folder nor a hub name"):
        stored_dimension("two words")
