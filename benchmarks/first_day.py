"""The first day of a team, measured on a real Label Studio: pre-annotation, N labels by the API, the student's answers.

    .venv/bin/python -m benchmarks.first_day --sample FILE --start --out FILE.json
    .venv/bin/python -m benchmarks.first_day --sample FILE --out FILE.json   # beside a running `make run`

`--start` runs `make run SAMPLE=FILE` in a data folder of its own and stops it at the end. The sample's label column is
the gold that a patient person would choose; neither teacher nor student sees it other than as this person's labels.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import httpx

from backend.commands.start.sample.file import read_sample
from benchmarks.shared.annotator import Annotator, Json, choice, ticked
from benchmarks.shared.running import Running, newest_project
from benchmarks.shared.waiting import wait_for


class FirstDay:
    """One project of a running Shortlist, the gold labels of its texts, and the clock."""

    def __init__(self, running: Running, gold: dict[str, str], patience_seconds: float) -> None:
        self._running = running
        self._gold = gold
        self._patience = patience_seconds
        self.rows: list[Json] = []

    def note(self, what: str, value: object, **more: object) -> None:
        """Keep one measurement and print it."""
        self.rows.append({"what": what, "value": value, **more})
        print(f"{what}: {value}", flush=True)

    def run(self, labels: int, chosen: int, button: bool) -> None:
        """All steps in order."""
        person = Annotator(*wait_for("Label Studio", self._running.login, self._patience))
        project = chosen or wait_for("a project with tasks", lambda: newest_project(person), self._patience)
        self._await_predictions(person, project)
        teacher = self._status(project)["version"]
        self.note("served before labelling", teacher)
        self._judge_teacher(person.tasks(project), teacher)
        end = self._label(person, project, labels)
        if button:
            person.start_training(int(person.connections(project)[0]["id"]))
        self.note("training is started by", "the button" if button else "the settings")
        self._await_student(project, labels, end)
        student = self._await_published(person, project, end)
        self._judge_student(person.tasks(project), student)

    def _status(self, project: int) -> Json:
        answer = httpx.get(f"{self._running.backend}/projects/{project}.json", timeout=60, trust_env=False)
        return dict(answer.raise_for_status().json())

    def _await_predictions(self, person: Annotator, project: int) -> None:
        since = self._running.started

        def predicted(share: float) -> bool:
            counts = person.project(project)
            return bool(counts["total_predictions_number"] >= max(1, share * counts["task_number"]))

        wait_for("the first prediction", lambda: predicted(0.0), self._patience)
        if since is not None:
            self.note("seconds from `make run` to the first prediction", round(time.monotonic() - since, 1))
        wait_for("all predictions", lambda: predicted(1.0), self._patience, pause=2)
        if since is not None:
            self.note("seconds from `make run` to the last prediction", round(time.monotonic() - since, 1))
        self.note("tasks", person.project(project)["task_number"])

    def _judge_teacher(self, tasks: list[Json], version: str) -> None:
        sets = [(self._gold[task["data"]["text"]], ticked(row)) for task in tasks for row in of_version(task, version)]
        sets = [(gold, candidates) for gold, candidates in sets if candidates]
        self.note("teacher: tasks with candidates", len(sets))
        self.note("teacher: coverage", round(mean(gold in found for gold, found in sets), 4), version=version)
        self.note("teacher: mean set size", round(mean(len(found) for _, found in sets), 3), version=version)

    def _label(self, person: Annotator, project: int, labels: int) -> float:
        seconds: list[float] = []
        for _ in range(labels):
            start = time.monotonic()
            task = person.next_task(project)
            if task is None:
                raise SystemExit(f"the label stream ended after {len(seconds)} labels")
            shown = task["predictions"][-1] if task["predictions"] else None
            person.submit(task["id"], [choice([self._gold[task["data"]["text"]]])], shown)
            seconds.append(time.monotonic() - start)
        self.note("labels given", len(seconds))
        self.note("median seconds from Submit to the next Submit", round(median(seconds), 3))
        return time.monotonic()

    def _await_student(self, project: int, labels: int, since: float) -> None:
        """Until a version is served that has learned from all `labels` labels."""

        def version() -> str:
            status = self._status(project)
            served = [row for row in status["versions"] if row["version"] == status["version"]]
            learned = served and int(served[0].get("human_labels") or 0) >= labels
            return str(status["version"]) if status["phase"] == "student" and learned else ""

        found = wait_for("a student that learned from all labels", version, self._patience)
        what = "seconds from the last annotation to the student of all labels being served"
        self.note(what, round(time.monotonic() - since, 1), version=found)

    def _await_published(self, person: Annotator, project: int, since: float) -> str:
        """The served version, once every task without an annotation has its prediction; later ones may overtake it."""

        def complete() -> str:
            version = str(self._status(project)["version"])
            return "" if person.waiting_for(project, version) else version

        found = wait_for("the student's predictions in Label Studio", complete, self._patience, pause=1)
        what = "seconds from the last annotation to all predictions of the served student being in Label Studio"
        self.note(what, round(time.monotonic() - since, 1), version=found)
        return found

    def _judge_student(self, tasks: list[Json], version: str) -> None:
        rest = [(task, row) for task in tasks if not task["annotations"] for row in of_version(task, version)]
        answered = [(task, row) for task, row in rest if ticked(row)]  # blind tasks are shown without an answer
        right = [ticked(row) == [self._gold[task["data"]["text"]]] for task, row in answered]
        doubled = sum(len(of_version(task, version)) > 1 for task in tasks)
        self.note("student: unlabelled tasks", len(right))
        self.note("student: accuracy on the unlabelled rest", round(mean(right), 4), version=version)
        self.note("student: tasks with two rows of the version", doubled)


def of_version(task: Json, version: str) -> list[Json]:
    """The predictions of one version that a task holds."""
    return [row for row in task["predictions"] if row["model_version"] == version]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=Path, required=True, help="the file that `make run SAMPLE=` got, with labels")
    parser.add_argument("--labels", type=int, default=200, help="how many tasks the person labels")
    parser.add_argument("--start", action="store_true", help="run `make run SAMPLE=…` and stop it at the end")
    parser.add_argument("--button", action="store_true", help="press Start training after the last label")
    parser.add_argument("--label-studio", default="http://127.0.0.1:8080", help="address of a running Label Studio")
    parser.add_argument("--backend", default="http://127.0.0.1:9090", help="address of a running Shortlist")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="where a running `make run` keeps its data")
    parser.add_argument("--project", type=int, default=0, help="the project; 0: the newest one that has tasks")
    parser.add_argument("--patience", type=float, default=3600, help="seconds to wait for each step")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, JSON")
    return parser.parse_args()


def main() -> None:
    """Measure, print and write the figures."""
    options = arguments()
    gold = {row.text: row.label for row in read_sample(options.sample).rows if row.label}
    running = Running(options.label_studio, options.backend, options.data_dir)
    if options.start:
        running = Running.start(options.sample)
    day = FirstDay(running, gold, options.patience)
    try:
        day.run(options.labels, options.project, options.button)
    finally:
        running.stop()
        summary: dict[str, Any] = {row["what"]: row["value"] for row in day.rows}
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"rows": day.rows, "summary": summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
