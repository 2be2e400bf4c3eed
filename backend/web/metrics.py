"""Prometheus metrics: what this process counts, and what the pool and the queue know at the moment of asking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import structlog
from flask import Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.errors import QueueError
from backend.pool import jobs, projects, tallies
from backend.pool.projects import Project
from backend.pool.tallies import CHANGED, Tallies
from backend.projects.current import current_of
from backend.reporting.kept import kept
from backend.reporting.status import project_status
from backend.services import Services

log = structlog.get_logger(__name__)

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0)


class Metrics:
    """The metrics of one app."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "shortlist_requests", "Answered requests", ["endpoint", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "shortlist_request_seconds", "Time to answer", ["endpoint"], buckets=SECONDS, registry=self.registry
        )
        self.events = Counter("shortlist_events", "Webhook events", ["action"], registry=self.registry)
        self.entries = Counter("shortlist_entries", "Entries of /predict", ["kind"], registry=self.registry)
        self.registry.register(PoolMetrics(services))
        self._of: dict[tuple[str, str], tuple[Counter, Histogram]] = {}  # looking one up costs as much as counting

    def count(self, endpoint: str | None, status: str, seconds: float) -> None:
        """Count one answered request; `status` begins with its three digits."""
        key = endpoint or "unknown", status[:3]
        found = self._of.get(key)
        if found is None:
            name = key[0].rpartition(".")[2]
            found = self.requests.labels(name, key[1]), self.seconds.labels(name)
            self._of[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def count_entries(self, kind: str, number: int) -> None:
        """Count entries of one kind: answered, waiting, abstained, stopped, failed."""
        if number:
            self.entries.labels(kind).inc(number)

    def page(self) -> Response:
        """All metrics in Prometheus' text format."""
        return Response(generate_latest(self.registry), mimetype="text/plain; version=0.0.4")


class PoolMetrics(Collector):
    """Figures per project and per queue, read when Prometheus asks."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Nothing is read at registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Gauges of every project, then of the queues."""
        yield from self._projects()
        yield from self._queues()

    def _projects(self) -> Iterator[Metric]:
        gauges = {name: GaugeMetricFamily(f"shortlist_{name}", text, labels=["project"]) for name, text in GAUGES}
        counted, rows = tallies.of_all(self._services.engine), jobs.of_all(self._services.engine)
        for project in projects.all_projects(self._services.engine):
            last = jobs.latest(rows.get(project.project, {}))
            failed = {"job_failed": float(last is not None and last.state == "failed")}
            found = self._figures(project, counted.get(project.project, Tallies()))
            for name, value in {**found, **failed}.items():
                if value is not None:
                    gauges[name].add_metric([str(project.project)], float(value))
        yield from gauges.values()
        yield from self._jobs(rows)

    def _figures(self, project: Project, now: Tallies) -> dict[str, float | None]:
        """Those of one project, kept until a row changes that they come from."""
        current = current_of(self._services, project)
        return kept(current, "metrics", lambda: _figures(project_status(current)), now, (*CHANGED, "ledger"))

    def _jobs(self, rows: Mapping[int, Mapping[str, jobs.JobRow]]) -> Iterator[Metric]:
        """1 for the present state of every job of every project, 0 for the others; and when it last gave a sign."""
        states = GaugeMetricFamily("shortlist_job", "State of a job", labels=["project", "kind", "state"])
        signs = GaugeMetricFamily("shortlist_job_sign_seconds", "When it last changed, Unix time",
                                  labels=["project", "kind"])  # fmt: skip
        for project, mine in sorted(rows.items()):
            for kind, row in sorted(mine.items()):
                signs.add_metric([str(project), kind], row.updated_ms / 1000)
                for state in jobs.ORDER:
                    states.add_metric([str(project), kind, state], float(row.state == state))
        yield states
        yield signs

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("shortlist_jobs_waiting", "Jobs that wait in a queue", labels=["queue"])
        ages = GaugeMetricFamily("shortlist_queue_age_seconds", "How long the first job of a queue has waited",
                                 labels=["queue"])  # fmt: skip
        workers = GaugeMetricFamily("shortlist_workers", "Workers that are alive")
        try:
            for name, number in self._services.queue.waiting().items():
                waiting.add_metric([name], number)
            for name, age in self._services.queue.ages().items():
                ages.add_metric([name], age)
            workers.add_metric([], len(self._services.queue.workers()))
        except QueueError as error:
            log.warning("the queue cannot be read", reason=str(error))
        yield waiting
        yield ages
        yield workers


GAUGES = (
    ("tasks", "Tasks in the pool"),
    ("tasks_with_candidates", "Tasks that the current teacher answered"),
    ("human_labels", "Tasks that people decided"),
    ("mean_candidates", "Mean size of a candidate set"),
    ("teacher_coverage", "Share of checked tasks whose label was among the candidates shown"),
    ("student_accuracy", "Share of checked tasks whose label was the one shown"),
    ("teacher_blind_coverage", "The same of tasks that were shown without an answer"),
    ("student_blind_accuracy", "Share of tasks shown without an answer whose label the student had named"),
    ("agreement_alpha", "Krippendorff's alpha of people who labelled the same tasks"),
    ("versions", "Students ever trained"),
    ("paused", "1 while trainings and questions to the teacher wait"),
    ("spent_usd", "US dollars spent on the teacher"),
    ("budget_usd", "US dollars that may be spent"),
    ("teacher_tokens_sent", "Tokens sent to the teacher"),
    ("teacher_tokens_cached", "Those of them that the provider read from its prompt cache"),
    ("job_failed", "1 if the project's last job failed"),
)


def _figures(status: dict[str, object]) -> dict[str, float | None]:
    teacher, student, spend = (_part(status, name) for name in ("teacher", "student", "spend"))
    return {
        "tasks": _number(status.get("tasks")),
        "tasks_with_candidates": _number(status.get("with_candidates")),
        "human_labels": _number(status.get("human_labels")),
        "mean_candidates": _number(status.get("mean_candidates")),
        "teacher_coverage": _number(teacher.get("coverage")),
        "student_accuracy": _number(student.get("accuracy")),
        "teacher_blind_coverage": _number(_part(teacher, "blind").get("coverage")),
        "student_blind_accuracy": _number(_part(student, "blind").get("accuracy")),
        "agreement_alpha": _number(_part(status, "agreement").get("alpha")),
        "versions": _count(status.get("versions")),
        "paused": _number(status.get("paused")),
        "spent_usd": _number(spend.get("usd")),
        "budget_usd": _number(spend.get("budget_usd")),
        "teacher_tokens_sent": _number(spend.get("input_tokens")),
        "teacher_tokens_cached": _number(spend.get("cached_tokens")),
    }


def _part(status: dict[str, object], name: str) -> dict[str, object]:
    part = status.get(name)
    return part if isinstance(part, dict) else {}


def _count(value: object) -> float:
    return float(len(value)) if isinstance(value, list) else 0.0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
