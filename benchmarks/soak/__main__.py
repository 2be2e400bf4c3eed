"""Everything at once, for ten minutes: people label in a real Label Studio while processes die and events get lost.

    .venv/bin/python -m benchmarks.soak [--quick] [--minutes N] [--database sqlite] [--hosts 1] --out FILE.json

It runs `make run` in a data folder of its own, on a PostgreSQL of its own, and beside it a second host's worker and web
server. It kills workers, web servers and Redis (their supervisors start them again), empties Redis, lets Label Studio
hang, presses Start training twice at once, imports and deletes tasks, rolls back, pauses and resumes. In the end one
training compares with Label Studio, and the ledger is drawn up: `lost`, `doubled` and `annotator_errors` must be 0; the
exit code is 1 otherwise. Errors of Label Studio's own SQLite, when two of its requests write at once, are counted
apart, as `label_studio_database_locked`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

import httpx

from backend.commands.start.sample.file import read_sample
from backend.commands.start.sample.label_space import shipped_messages
from backend.pool import annotations as people
from backend.pool.database.engine import open_engine
from backend.pool.version_names import is_trained
from benchmarks.shared.annotator import Annotator, Json
from benchmarks.shared.postgresql import postgresql
from benchmarks.shared.running import Running, newest_project
from benchmarks.shared.waiting import wait_for
from benchmarks.soak.faults import Faults, memory_mb
from benchmarks.soak.load import Network, Person, Tally
from benchmarks.soak.second_host import SHARE_PORT, SecondHost

SETTINGS = {"RETRAIN_AFTER": "20", "RETRAIN_IDLE_SECONDS": "20", "RETRAIN_GROWTH": "0.1"}
PEOPLE, PAUSE_SECONDS, INJECTED_PER_SECOND = 3, 0.6, 20.0
PATIENCE = 900.0  # seconds for each step that waits
ANSWERED_500 = re.compile(r'"([A-Z]+) (\S+) HTTP/1.1" 500')
WITHIN_LINES = 200  # of a traceback and other requests between the cause and the answer in Label Studio's log
SETTLE_SECONDS = 300.0  # after the load, until pool and Label Studio are equal


class Soak:
    """One run."""

    def __init__(self, running: Running, gold: dict[str, str], seconds: float, database: str, hosts: int) -> None:
        self._running, self._gold, self._seconds, self._database = running, gold, seconds, database
        self._hosts = hosts
        self._started = time.monotonic()
        self.rows: list[Json] = []
        self.summary: Json = {}
        self.tally = Tally()

    def note(self, what: str, value: object = None) -> None:
        """Keep and print one row."""
        self.rows.append({"seconds": round(time.monotonic() - self._started, 1), "what": what, "value": value})
        print(json.dumps(self.rows[-1]), flush=True)

    def run(self) -> bool:
        """Whether nothing was lost, doubled or shown to a person as an error."""
        login = wait_for("Label Studio", self._running.login, PATIENCE)
        person = Annotator(*login)
        project = wait_for("a project with tasks", lambda: newest_project(person), PATIENCE, pause=2)
        wait_for("a prediction for each task", lambda: self._predicted(person, project), PATIENCE, pause=2)
        tasks = [int(task["id"]) for task in person.tasks(project)]
        with ExitStack() as stack:
            if self._hosts > 1:
                second = SecondHost(self._running.data_dir, self._running.data_dir.parent / "second")
                second.start()
                stack.callback(second.stop)
            self.note("load begins", {"tasks": len(tasks), "people": PEOPLE, "hosts": self._hosts})
            start = memory_mb(self._running)
            faults = self._load(login, person, project, tasks)
            self.note("load ends", {"errors that people saw": self.tally.errors[:5]})
            equal = self._settle(person, project)
        end = memory_mb(self._running)
        self._sum_up(person, project, equal, {"memory_mb_start": start, "memory_mb_end": end, "fault": faults.failed})
        person.close()
        return equal and not (self.summary["lost"] or self.summary["doubled"] or self.summary["annotator_errors"])

    def _load(self, login: tuple[str, str], person: Annotator, project: int, tasks: list[int]) -> Faults:
        stop = threading.Event()
        spare, own = tasks[-5:], tasks[len(tasks) // 3 : -5]
        persons = [
            Person(place, login, project, self._gold, own[place :: PEOPLE], self.tally, stop, PAUSE_SECONDS)
            for place in range(PEOPLE)
        ]  # fmt: skip
        new = [{"text": f"{text}, and a late one"} for text in list(self._gold)[:10]]
        faults = Faults(self._running, person, project, self._seconds, self.note, spare, new)
        threads = [*persons, Network(self._running.backend, self.tally, stop, INJECTED_PER_SECOND), faults]
        for thread in threads:
            thread.start()
        end = time.monotonic() + self._seconds
        while time.monotonic() < end:
            time.sleep(min(10.0, max(0.0, end - time.monotonic())))
            self._note_memory(project)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
        return faults

    def _note_memory(self, project: int) -> None:
        now = memory_mb(self._running)
        self.note("memory, MB", now)
        student = is_trained(str(self._status(project).get("version", "")))
        if student and now["web"] and "memory_mb_first_student" not in self.summary:
            self.summary["memory_mb_first_student"] = now

    def _settle(self, person: Annotator, project: int) -> bool:
        """One last Start training, and then wait until pool and Label Studio are equal."""
        wait_for("the web server", lambda: self._status(project), PATIENCE)
        person.start_training(int(person.connections(project)[0]["id"]))
        began, end = time.monotonic(), time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end:
            time.sleep(3)
            status = self._status(project)
            lost, doubled = self._compare(person, project)
            if status and status["job"]["state"] == "idle" and not lost and not doubled:
                self.note("equal after", round(time.monotonic() - began, 1))
                return True
        self.note("not equal", {"status": self._status(project), "lost": lost[:5], "doubled": doubled[:5]})
        return False

    def _compare(self, person: Annotator, project: int) -> tuple[list[str], list[str]]:
        """What the pool lacks or knows otherwise, and what one of the two has too much of."""
        theirs, ours = self._label_studio(person, project), self._pool(project)
        lost = [f"annotation {number}: {theirs[number]}" for number in theirs if ours.get(number) != theirs[number]]
        doubled = [f"annotation {number}" for number in ours if number not in theirs]
        for task in person.tasks(project):
            held = Counter(row["model_version"] for row in task["predictions"])
            doubled += [f"task {task['id']}: {number} rows of {name}" for name, number in held.items() if number > 1]
        return lost, doubled

    def _label_studio(self, person: Annotator, project: int) -> dict[int, tuple[str, ...]]:
        """Labels by annotation; a skip has none."""
        return {
            int(row["id"]): tuple(sorted(label for region in row["result"] for label in region["value"]["choices"]))
            for task in person.tasks(project)
            for row in task["annotations"]
        }

    def _pool(self, project: int) -> dict[int, tuple[str, ...]]:
        engine = open_engine(self._database or f"sqlite:///{self._running.data_dir / 'pool.sqlite'}")
        try:
            rows = [row for found in people.of_tasks(engine, project).values() for row in found]
        finally:
            engine.dispose()
        return {row.annotation: tuple(sorted(row.labels)) for row in rows if row.state != "deleted"}

    def _predicted(self, person: Annotator, project: int) -> bool:
        counts = person.project(project)
        return bool(counts["task_number"] and counts["total_predictions_number"] >= counts["task_number"])

    def _status(self, project: int) -> Json:
        try:
            answer = httpx.get(f"{self._running.backend}/projects/{project}.json", timeout=30, trust_env=False)
        except httpx.TransportError:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    def _sum_up(self, person: Annotator, project: int, equal: bool, more: Json) -> None:
        lost, doubled = self._compare(person, project)
        status, seconds = self._status(project), self.tally.seconds
        locked = locked_requests(self._running.data_dir / "logs" / "label-studio.log", self.tally.errors)
        self.summary |= {
            "minutes": round(self._seconds / 60, 1),
            "database": "postgresql" if self._database else "sqlite",
            "hosts": self._hosts,
            "events_sent": self.tally.events_sent,
            "events_injected": self.tally.injected,
            "events_not_answered_with_200": self.tally.refused,
            "labels_in_label_studio": sum(bool(labels) for labels in self._label_studio(person, project).values()),
            "labels_in_pool": sum(bool(labels) for labels in self._pool(project).values()),
            "lost": len(lost),
            "doubled": len(doubled),
            "annotator_errors": len(self.tally.errors) - len(locked),
            "label_studio_database_locked": len(locked),
            "versions": len(status.get("versions", [])),
            "served": status.get("version"),
            "equal": equal,
            "median_seconds_per_action": round(median(seconds), 3) if seconds else None,
            "p95_seconds_per_action": round(quantiles(seconds, n=20)[-1], 3) if len(seconds) > 1 else None,
            "errors": self.tally.errors[:10],
            **more,
        }


def locked_requests(log: Path, errors: list[str]) -> list[str]:
    """Those of the errors that Label Studio's own SQLite made: its log has `database is locked` right before the 500.

    On SQLite its requests fail like that when two of them write at the same moment, whoever sends them; on PostgreSQL
    they do not.
    """
    found: Counter[str] = Counter()
    since = WITHIN_LINES
    before = ""
    for line in log.read_text(errors="replace").splitlines():
        since = 0 if "database is locked" in line else since + 1
        answer = ANSWERED_500.search(line)
        if answer and line != before and since < WITHIN_LINES:
            found[f"{answer[1]} {answer[2].partition('?')[0]}"] += 1
        before = line
    mine = []
    for error in errors:
        request = error.removeprefix("LabelStudioAnswer: ").partition(": 500")[0]
        if found[request] > 0:
            found[request] -= 1
            mine.append(error)
    return mine


def write_sample(folder: Path, tasks: int) -> tuple[Path, dict[str, str]]:
    """A CSV of the shipped messages, told apart by a number; and the gold label of each text."""
    rows = [row for row in read_sample(shipped_messages()).rows if row.label]
    gold = {
        f"{rows[place % len(rows)].text} (case {place})": str(rows[place % len(rows)].label) for place in range(tasks)
    }
    path = folder / "soak.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(gold.items())
    return path, gold


def measure(options: argparse.Namespace, minutes: float, database: str, folder: Path) -> bool:
    """Run, print and write; whether nothing was lost."""
    sample, gold = write_sample(folder, round(minutes * 300))
    running = Running.start(sample)
    soak = Soak(running, gold, 60 * minutes, database, options.hosts)
    try:
        return soak.run()
    finally:
        running.stop()
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps({"rows": soak.rows, "summary": soak.summary}, indent=1) + "\n")
        print(json.dumps(soak.summary, indent=1))


def main() -> None:
    """Run, print, write, and fail if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 minutes instead of 10")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long the load lasts")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql", help="where the pool is")
    parser.add_argument("--hosts", type=int, choices=(1, 2), default=2, help="2: another worker and web server beside")
    parser.add_argument("--data", help="not used: the shipped messages are labelled")
    parser.add_argument("--out", type=Path, required=True, help="where the ledger goes, JSON")
    options = parser.parse_args()
    if options.hosts > 1 and options.database == "sqlite":
        parser.error("--hosts 2 needs --database postgresql: a SQLite file belongs to one host")
    minutes = options.minutes or (2.0 if options.quick else 10.0)
    os.environ.update({name: os.environ.get(name, value) for name, value in SETTINGS.items()})
    folder = Path(tempfile.mkdtemp(prefix="shortlist-soak-"))
    with ExitStack() as stack:
        database = stack.enter_context(postgresql(folder)) if options.database == "postgresql" else ""
        if database:
            os.environ["DATABASE_URL"] = database
        if options.hosts > 1:
            os.environ.update(SHARE_PORT)
        good = measure(options, minutes, database, folder)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
