"""The kinds of jobs, and what is said of a job that was asked for."""

from __future__ import annotations

from typing import Literal

QUEUES = ("publish", "train", "teacher")  # in the order in which a worker looks: short and visible work first
KINDS = (
    "sync",
    "annotate",
    "train",
    "adapt",
    "publish",
    "finish",
)  # the jobs of a project; their state is kept in the pool
PAUSABLE = ("annotate", "train", "adapt")  # the jobs that do nothing while their project is paused
QUEUE_OF = {
    "publish": "publish", "finish": "publish", "reconcile": "publish", "sync": "publish", "adapt": "train",
    "train": "train", "annotate": "teacher",
}  # fmt: skip
SILENCE_SECONDS = 20  # a job whose worker was silent for longer was killed and is started again
LONGEST_WAIT_SECONDS = 3600  # no job is told to wait for longer
Outcome = Literal["queued", "joined", "again"]
Place = Literal["absent", "waiting", "scheduled", "running", "limbo", "over"]
