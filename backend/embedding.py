"""A project's encoder with its cache on disk, loaded when it is first used: an LLM without examples needs none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from backend.pool.projects import Project
from backend.services import Services, project_options

if TYPE_CHECKING:
    from model.student.embeddings import EmbeddingCache
    from model.teacher.base import Embed


def project_embedder(services: Services, project: Project) -> Embed:
    """A function from texts to float32 (n, d), L2-normalised rows."""
    settings = services.settings
    name = project_options(settings, project).STUDENT_ENCODER

    @cache
    def loaded() -> EmbeddingCache:
        from model.student.embeddings import EmbeddingCache
        from model.student.encoder import load_encoder

        return EmbeddingCache(settings.cache_dir, load_encoder(name, settings.THREADS))

    return lambda texts: loaded().embed(texts)
