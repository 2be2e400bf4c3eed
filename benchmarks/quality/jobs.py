"""The jobs of a run: stored teachers, the offline one, and what is made of both."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.shared.datasets import SIMILARITY, Job, cut, named, similarity_job, stored_jobs
from benchmarks.shared.folders import has_plain_labels, nothing, plain
from benchmarks.shared.uneven import MOST_ROWS, variants
from model.arrays import Embed

STORED = "stored"
QUICK_ROWS = 800
QUICK_JOBS = ("emotion", "flute", "raop", "trec", "csabstruct")
LEAST = 20  # train rows
SIMILARITY_SETS = ("banking77", "medical_abstracts", "csabstruct")


def chosen_jobs(given: Namespace, embed: Embed) -> Iterator[Job]:
    """Stored teachers, then the offline similarity teacher, each as stored and as made; with `--quick` five, cut.

    SystemExit names the folder if there is nothing to measure in it.
    """
    found = False
    for job in _made(given, embed):
        if len(job.train) >= LEAST and wanted(job.name, given.only):
            found = True
            yield job
    if not found:
        nothing(given.data, f"teachers/<teacher>/<set>.jsonl.gz with {LEAST} answers, or {plain()}{_named(given.only)}")


def wanted(name: str, only: Sequence[str]) -> bool:
    """Whether a job is asked for: its name contains one of these, or none was given."""
    return not only or any(part in name for part in only)


def _named(only: Sequence[str]) -> str:
    return f", with {' or '.join(map(repr, only))} in its name" if only else ""


def _made(given: Namespace, embed: Embed) -> Iterator[Job]:
    stored = [job for job in stored_jobs(given.data) if _may_be_wanted(job.teacher, job.dataset, given)]
    alone = [name for name in similarity_sets(given.data) if _may_be_wanted(SIMILARITY, name, given)]
    if given.quick:
        stored = [job for job in stored if job.dataset in QUICK_JOBS] or stored[: len(QUICK_JOBS)]
        alone = [] if stored else alone[: len(QUICK_JOBS)]
    for job in stored:
        yield from _with_variants(job, given)
    for name in alone:
        yield from _with_variants(similarity_job(given.data, name, embed, most(given)), given)


def _may_be_wanted(teacher: str, dataset: str, given: Namespace) -> bool:
    names = [one for one in given.variants if one != STORED and teacher != SIMILARITY]
    return any(wanted(named(teacher, dataset, one), given.only) for one in ("", *names))


def similarity_sets(data: Path) -> list[str]:
    """The sets on which the offline similarity teacher is measured: some by name, and all without stored answers.

    Sets of other kinds (pairs, several labels or questions, taxonomies) are left out: these methods do not know them.
    """
    folders = [path.name for path in sorted(data.iterdir()) if has_plain_labels(path)]
    return [name for name in folders if name in SIMILARITY_SETS or not any(data.glob(f"teachers/*/{name}_train.*"))]


def most(given: Namespace) -> int | None:
    """Rows of a part at most; None: all."""
    rows: int | None = given.rows or (QUICK_ROWS if given.quick else None)
    return rows


def _with_variants(job: Job, given: Namespace) -> Iterator[Job]:
    rows = most(given)
    names = [name for name in given.variants if name != STORED]
    if job.teacher == SIMILARITY:
        names = []  # stored sets make enough uneven ones; these are even or uneven by themselves
    found = [*([job] if STORED in given.variants else []), *variants(job, names, rows or MOST_ROWS)]
    yield from (cut(one, rows) if rows else one for one in found)
