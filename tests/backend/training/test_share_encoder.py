"""Jobs keep the encoder for web servers without torch, where that is wanted; what goes wrong stops no training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.projects.job import Job
from backend.training.share_encoder import carrying, share_encoder
from model.encoder.exported import open_exported, shared_name
from model.encoder.place import fingerprint
from model.errors import ArtifactError
from model.labels import LabelSpace
from model.student.adapted import AdaptedEncoder, AdaptedStudent, Carrying
from model.student.head import HeadStudent
from tests.support.encoders import small_encoder
from tests.support.toys import tiny_transformer
from tests.support.world import World


def job_with(world: World, **more: Any) -> Job:
    """A training's job under other settings."""
    settings = world.services.settings.model_copy(update={"STUDENT_RUNTIME": "bfloat16", **more})
    return Job(replace(world.services, settings=settings), "train", 7)


def test_the_encoder_is_shared_where_it_is_wanted(world: World, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    (encoder / "config.json").write_text("{}")
    place = world.services.settings.cache_dir / "exported" / f"{fingerprint(str(encoder))}-float32"
    place.mkdir(parents=True)
    small_encoder(place)  # this machine has exported it before
    job, name = job_with(world, STUDENT_ENCODER=str(encoder)), shared_name(str(encoder), "float32")
    share_encoder(job)
    with pytest.raises(ArtifactError):
        job.services.registry.shared(name)
    share_encoder(job_with(world, STUDENT_ENCODER=str(encoder), SHARE_ENCODER=True))
    assert open_exported(job.services.registry.shared(name)).embed(["invoice parcel", "parcel"]).tolist() == [
        [1, 1],
        [0, 1],
    ]


def test_an_encoder_that_cannot_be_exported_stops_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    share_encoder(job_with(world, STUDENT_ENCODER="/nowhere", SHARE_ENCODER=True))
    assert "the encoder is not shared" in capsys.readouterr().out


def test_only_students_with_an_encoder_of_their_own_carry_it(world: World, tmp_path: Path) -> None:
    heads = HeadStudent(LabelSpace.of(["a", "b"]), "default", [])
    own = AdaptedStudent(heads, AdaptedEncoder(Path(tiny_transformer(tmp_path, ["word"], 1)), frozenset()))
    assert carrying(job_with(world), own) is own
    assert carrying(job_with(world, SHARE_ENCODER=True), heads) is heads
    assert isinstance(carrying(job_with(world, SHARE_ENCODER=True), own), Carrying)
