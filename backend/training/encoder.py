"""A project's encoder with its cache on disk, loaded when it is first used: an LLM without examples needs none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from backend.pool import versions
from backend.projects.current import Current
from backend.settings import Settings

if TYPE_CHECKING:
    from model.arrays import Embed, FloatArray
    from model.encoder.embeddings import EmbeddingCache
    from model.student.student import Student


class CachedEmbedder:
    """From texts to float32 (n, d), rows of length 1. Cache and encoder are loaded when they are first needed."""

    def __init__(self, settings: Settings, encoder: str, runtime: Callable[[], str]) -> None:
        self._settings, self._encoder, self._runtime = settings, encoder, runtime

    @cached_property
    def cache(self) -> EmbeddingCache:
        """What is encoded already."""
        from model.encoder.embeddings import EmbeddingCache
        from model.encoder.runtimes import sleeping

        settings, way = self._settings, self._runtime()
        return EmbeddingCache(settings.cache_dir, sleeping(self._encoder, way, settings.cache_dir, settings.THREADS))

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        return self.cache.embed(texts)


def project_embedder(current: Current) -> CachedEmbedder:
    """A function from texts to float32 (n, d), L2-normalised rows."""
    name = current.options.STUDENT_ENCODER
    return CachedEmbedder(current.settings, name, lambda: project_runtime(current))


def compared_by(current: Current) -> Embed:
    """The vectors by which tasks are compared, of length 1: of tasks of two texts those of both, side by side."""
    from model.pair_views import BESIDE, PairView

    embed = project_embedder(current)
    return embed if current.pair is None else PairView(current.pair, BESIDE).embed(embed)


def student_embedder(settings: Settings, student: Student) -> Embed:
    """The same, as the student's own training saw texts."""
    return runtime_embedder(settings, student.encoder, getattr(student, "runtime", "float32"))


def embedder_for(current: Current, student: Student) -> Embed:
    """The same for a student of the project; members of a committee may have encoders of their own, but share this."""
    return student_embedder(current.settings, student) if student.kind == "head" else project_embedder(current)


def encoder_of(student: Student, embed: Embed) -> Embed:
    """By what a student sees texts: an encoder of its own, or else `embed`."""
    own = getattr(student, "own", None)
    return own.embed if own is not None else embed


def runtime_embedder(settings: Settings, encoder: str, runtime: str) -> CachedEmbedder:
    """The same for an encoder and a way to run it."""
    return CachedEmbedder(settings, encoder, lambda: runtime)


def project_runtime(current: Current) -> str:
    """How the project's texts are encoded: setting STUDENT_RUNTIME; with `auto` as for its newest student, so that no
    text is encoded twice, and for its first one the fastest way that this machine has."""
    from model.encoder.runtimes import RUNTIMES, preferred
    from model.training.options import ADAPTED

    options = current.options
    if options.STUDENT_RUNTIME != "auto":
        return options.STUDENT_RUNTIME
    trainings = [row.metrics.get("training", {}) for row in versions.list_versions(current.engine, current.number)]
    # a student with an encoder of its own says nothing about how the project's runs
    newest = next((training for training in trainings if training.get("way") != ADAPTED), None)
    if newest is not None:
        settled = newest.get("runtime", {})
        if settled.get("encoder", options.STUDENT_ENCODER) == options.STUDENT_ENCODER:
            return str(settled.get("name", RUNTIMES[0]))  # older versions knew no other
    return preferred() if options.MODE == "student" else RUNTIMES[0]
