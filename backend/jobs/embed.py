"""A part of a training: encode texts that the training has not come to yet, into the cache that both read."""

from __future__ import annotations

from collections.abc import Sequence

from backend.jobs.shards import Shards, place, run_shard, wanted
from backend.pool import tasks
from backend.projects.current import Current
from backend.projects.job import Job
from backend.training.encoder import CachedEmbedder, project_embedder

FEWEST = 2_000  # texts that are worth a second process


def run(project: int, number: int) -> None:
    """Entry point of the queue."""
    run_shard("embed", project, number, work)


def work(job: Job, number: int) -> str:
    """Encode, from another place on than the training and the other parts do."""
    engine, current = job.services.engine, job.current
    texts = encoded(current, [text for rows in tasks.iterate(engine, job.number) for _, text in rows])
    cache = project_embedder(current).cache
    missing = cache.missing(texts)
    if len(missing) == len(set(texts)):
        return "the training has another cache: set CACHE_DIR to a folder that all workers share"
    cache.fill(missing, begin=place(number), stop=lambda: not wanted(job))
    return f"{len(missing) - len(cache.missing(missing))} texts were encoded by this and others"


def fill(job: Job, embed: CachedEmbedder, texts: Sequence[str]) -> None:
    """Have the texts of a training in its cache, with the help of free workers where many are missing."""
    texts, shards = encoded(job.current, texts), Shards(job, "embed")
    missing = embed.cache.missing(texts)
    known = len(set(texts)) - len(missing)

    def progress(done: int, total: int) -> None:
        job.step(f"encoding: {known + done} of {known + total} texts", 0.2 * (known + done) / (known + total))
        if known + done:  # what is there shows the others that the cache is theirs, too
            shards.spread()

    if len(missing) >= FEWEST:
        embed.cache.fill(missing, progress, stop=lambda: job.paused)


def encoded(current: Current, texts: Sequence[str]) -> list[str]:
    """What the encoder sees of tasks: their texts, of tasks of two texts each by itself."""
    pair = current.pair
    return list(texts) if pair is None else [part for text in texts for part in pair.parts(text)]
