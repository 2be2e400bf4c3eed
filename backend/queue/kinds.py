"""The kinds of jobs, and what is said of a job that was asked for."""

from __future__ import annotations

from typing import Literal

QUEUES = ("publish", "train", "teacher")  # in the order in which a worker looks: short and visible work first
KINDS = (
    "sync",
    "annotate",
    "train",
    "adapt",
    "cross",
    "publish",
    "finish",
    "clear",
)  # the jobs of a project; their state is kept in the pool
PAUSABLE = ("annotate", "train", "adapt", "cross")  # the jobs that do nothing while their project is paused
SHARDS = {"ask": "annotate", "embed": "train", "predict": "publish"}  # parts of a job, which every free worker may take
MOST_SHARDS = 32  # of one job
QUEUE_OF = {
    "publish": "publish", "finish": "publish", "reconcile": "publish", "sync": "publish", "adapt": "train",
    "cross": "train",
    "train": "train", "annotate": "teacher", "ask": "teacher", "embed": "train",
    "predict": "train",
    "clear": "teacher",  # after all else
}  # fmt: skip
SILENCE_SECONDS = 20  # a job whose worker was silent for longer was killed and is started again
LONGEST_WAIT_SECONDS = 3600  # no job is told to wait for longer
Outcome = Literal["queued", "joined", "again"]
Place = Literal["absent", "waiting", "scheduled", "running", "limbo", "over"]


def shard(kind: str, number: int) -> str:
    """The name of one of the parts of a job's work; `kind` is one of SHARDS, `number` begins with 1."""
    return f"{kind}_{number}"  # RQ takes no dot


def of_project() -> list[str]:
    """All that may be under way for a project: its jobs and their parts."""
    return [*KINDS, *(shard(kind, number) for kind in SHARDS for number in range(1, MOST_SHARDS + 1))]


def split(name: str) -> tuple[str, int | None]:
    """The kind of a job, and which part of that kind it is; None of a job that has no parts."""
    kind, _, number = name.partition("_")
    return kind, int(number) if number else None
