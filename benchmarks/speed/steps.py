"""What a retraining does with its time, as its worker's own log tells it."""

from __future__ import annotations

import re
from datetime import datetime

from benchmarks.speed.rows import Row, row

MARKS = (  # a line of the log with these words ends the step
    (("weighing_beliefs",), "queue, process, rows and vectors read"),
    (("student_trained",), "beliefs and head"),
    (("runtime checked",), "export to float32 compared"),
    (("job done", "job=train"), "judging, writing predictions, handing over"),
    (("promoted",), "publishing, until it is served"),
)
STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)Z")


def step_rows(log: str, sent: float, turn: int, tasks: int) -> list[Row]:
    """A row per step of the training that followed `sent` (seconds of the epoch), from its worker's log."""
    rows, last, marks = [], sent, list(MARKS)
    for line in log.splitlines():
        found = STAMP.match(line)
        if not found or not marks or not all(word in line for word in marks[0][0]):
            continue
        moment = datetime.fromisoformat(found[1] + "+00:00").timestamp()
        if moment >= sent:
            rows.append(row(f"retrain, {marks.pop(0)[1]}", f"{tasks} tasks", moment - last, "s", turn))
            last = moment
    return rows
