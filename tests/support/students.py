"""Real students without the time that a training takes: trained once on the names of the labels."""

from __future__ import annotations

from functools import lru_cache

from backend.pool import projects, versions
from model.encoder.encoder import load_encoder
from model.labels import HumanLabel, LabelSpace
from model.student.student import Student
from model.train import train_student
from model.training.data import training_data
from model.training.options import TrainingOptions
from tests.support.world import World


@lru_cache(maxsize=4)
def tiny_student(space: LabelSpace) -> Student:
    """A student that knows each label by its name and hint."""
    texts = [f"{label.name} {label.hint} {word}" for label in space.labels for word in ("please", "help")]
    people = [HumanLabel((name,)) for name in space.names for _ in range(2)]
    data = training_data(space, texts, [None] * len(texts), people)
    student, _ = train_student(space, data, TrainingOptions(), load_encoder().embed)
    return student


def store(world: World, number: int, state: str = "promoted") -> str:
    """Write a version as the train job does; with `promoted` it is served from now on."""
    space = world.project.space
    assert space is not None
    version = f"student-{number}-{space.hash}"
    world.services.registry.write(7, version, tiny_student(space), {})
    versions.add(world.engine, 7, version, number, space.hash, {}, 0)
    if state == "promoted":
        projects.promote(world.engine, 7, version)
    else:
        versions.set_state(world.engine, 7, version, state, "")
    return version
