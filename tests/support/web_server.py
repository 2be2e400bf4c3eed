"""The app behind werkzeug's threaded server, and a client that speaks as Label Studio does."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import Any

import requests
from werkzeug.serving import make_server

from backend.pool import candidates, projects, tasks, versions
from backend.pool.projects import Project
from backend.pool.text import text_hash
from backend.projects.current import current_of
from backend.services import open_services
from backend.serving.live.models import LiveStudents
from backend.settings import Settings
from backend.web.app import create_app
from backend.web.context import WebContext
from model.labels import CandidateSet
from model.registry import Registry
from model.teacher.base import Answer, State, Usage
from tests.support.configs import CONFIG_A

CREATED = "1795239698"


class Server:
    """A running web server; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.services = open_services(settings)
        self.registry = Registry(settings.model_dir, settings.cache_dir / "fetched")
        self.live = LiveStudents(self.registry)
        self.app = create_app(self.services, self.live)
        self.parts: WebContext = self.app.extensions["shortlist"]
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.http = requests.Session()
        self.http.trust_env = False
        self._annotations = itertools.count(1)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.parts.background.close()
        self.live.close()
        self.services.engine.dispose()

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET."""
        return self.http.get(self.url + path, timeout=240, **options)

    def post(self, path: str, body: object, **options: Any) -> requests.Response:
        """POST a body: text and bytes as they are, everything else as JSON."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        return self.http.post(self.url + path, data=data, headers=headers, timeout=240, **options)

    def setup(self, project: int = 7, xml: str = CONFIG_A, extra: object = None, **options: Any) -> requests.Response:
        """What Label Studio sends before everything else."""
        body = {"project": f"{project}.{CREATED}", "schema": xml, "hostname": self.url, "access_token": "t" * 40}
        answer = self.post("/setup", {**body, "extra_params": extra}, **options)
        self.parts.background.drain()  # jobs are asked for after the answer
        return answer

    def version(self, project: int = 7, xml: str = CONFIG_A, extra: object = None) -> str:
        """The version that /setup answers."""
        answer = self.setup(project, xml, extra)
        assert answer.status_code == 200, answer.reason
        return str(answer.json()["model_version"])

    def predict(
        self, texts: Mapping[int, str], project: int = 7, xml: str = CONFIG_A, context: object = None
    ) -> list[Any]:
        """The entries of /predict."""
        body = {
            "project": f"{project}.{CREATED}",
            "label_config": xml,
            "params": {"login": None, "password": None, "context": context},
            "tasks": [task_body(task, text, project) for task, text in texts.items()],
        }
        answer = self.post("/predict", body)
        assert answer.status_code == 200, answer.reason
        results = answer.json()["results"]
        assert isinstance(results, list)
        return results

    def event(self, action: str, project: int = 7, **keys: Any) -> requests.Response:
        """A webhook, worked through to the end."""
        stated = {"id": project, "title": "tickets", "created_at": "2026-11-21T05:41:38.567581Z"}
        answer = self.post("/webhook", {"action": action, "project": stated, **keys})
        self.parts.background.drain()
        return answer

    def label(self, task: int, *labels: str, text: str = "a text", project: int = 7, **changes: Any) -> int:
        """A person submits; the annotation's id."""
        number = next(self._annotations)
        annotation = annotation_body(number, task, *labels, **changes)
        answer = self.event(
            "ANNOTATION_CREATED", project, annotation=annotation, task={"id": task, "data": {"text": text}}
        )
        assert answer.json() == {}
        return number

    def project(self, number: int = 7) -> Project:
        """The project's row."""
        found = projects.get(self.services.engine, number)
        assert found is not None
        return found

    def promote(self, number: int = 1, project: int = 7) -> str:
        """Record a student version and promote it, as the train job does."""
        space_hash = self.project(project).space_hash
        version = f"student-{number}-{space_hash}"
        versions.add(self.services.engine, project, version, number, space_hash, {}, 0)
        projects.promote(self.services.engine, project, version)
        return version

    def answered(self, texts: Mapping[int, str], labels: Sequence[str], project: int = 7) -> None:
        """The teacher has answered these tasks, as the annotate job writes it down."""
        row = self.project(project)
        tasks.add(self.services.engine, project, dict(texts))
        found = CandidateSet(tuple(labels), tuple(0.6 / 2**place for place in range(len(labels))))
        answer = Answer(State.ANSWERED, found, "raw", Usage())
        rows = [(task, text_hash(text), answer) for task, text in texts.items()]
        candidates.save(self.services.engine, project, current_of(self.services, row).served_version, rows)


def task_body(task: int, text: object, project: int = 7) -> dict[str, Any]:
    """A task as /predict carries it."""
    return {"id": task, "inner_id": task, "project": project, "data": {"text": text, "ref": 0}, "meta": {},
            "annotations": [], "predictions": [], "is_labeled": False, "overlap": 1, "total_annotations": 0,
            "created_at": "2026-11-21T05:41:38.567581Z", "updated_at": "2026-11-21T05:41:38.567600Z"}  # fmt: skip


def annotation_body(number: int, task: int, *labels: str, **changes: Any) -> dict[str, Any]:
    """An annotation as webhooks carry it."""
    region = {"id": "x", "from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return {"id": number, "task": task, "project": 7, "completed_by": 1, "was_cancelled": False, "ground_truth": False,
            "result": [region] if labels else [], "prediction": {}, "created_at": "2026-11-21T05:43:14.889226Z",
            "updated_at": f"2026-11-21T05:43:{number % 60:02d}.889247Z", **changes}  # fmt: skip
