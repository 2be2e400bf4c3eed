"""Shortlist as a model class of the official framework, label-studio-ml (1.0.9 of PyPI, and 2.x of its repository).

It hands every call to a running Shortlist, which does the work: `shortlist start` or `serve` and `worker`. It needs
label-studio-ml and requests and nothing else of Shortlist: copy this file, as model.py, to where the framework runs.
"""

import ipaddress
import os
from typing import Any
from urllib.parse import urlsplit

import requests
from label_studio_ml.model import LabelStudioMLBase

SHORTLIST_URL = os.environ.get("SHORTLIST_URL", "http://127.0.0.1:9090").rstrip("/")
SECONDS = float(os.environ.get("SHORTLIST_SECONDS", "30"))


class ShortlistModel(LabelStudioMLBase):  # type: ignore[misc]
    """Predictions and training of a Shortlist at SHORTLIST_URL; its login is BASIC_AUTH_USER and BASIC_AUTH_PASS."""

    def setup(self) -> None:
        """2.x, for every request: tell the framework which version Shortlist serves."""
        self._ask_version({})

    def set_extra_params(self, extra_params: Any) -> None:
        """2.x: the options that Label Studio keeps with the connection; Shortlist reads and checks them."""
        super().set_extra_params(extra_params)
        self._ask_version({"extra_params": extra_params})

    def _ask_version(self, more: dict[str, Any]) -> None:
        answer = self._call("setup", {"project": self._project([]), "schema": self.label_config, **more})
        self.set("model_version", answer["model_version"])

    def predict(self, tasks: list[dict[str, Any]], context: Any = None, **others: Any) -> list[dict[str, Any]]:
        """One prediction per task, as Shortlist's own /predict gives it, with its version in it."""
        body = {
            "tasks": tasks,
            "project": self._project(tasks),
            "label_config": self.label_config,
            "params": {"context": context},
        }
        results = self._call("predict", body)["results"]
        return list(results)

    def process_event(self, event: str, data: dict[str, Any], *others: Any) -> dict[str, Any]:
        """What happened in Label Studio; Shortlist decides what follows from it, also from `START_TRAINING`."""
        self._call("webhook", {**data, "action": event})
        return {}

    def fit(self, *others: Any, **more: Any) -> dict[str, Any]:
        """2.x calls this for the events that it trains on."""
        if isinstance(more.get("data"), dict):
            return self.process_event(str(more.get("event", "")), more["data"])
        if len(others) > 1 and isinstance(others[1], dict):
            return self.process_event(str(others[0]), others[1])
        return {}

    def _project(self, tasks: list[dict[str, Any]]) -> str:
        number = getattr(self, "project_id", None) or next((task["project"] for task in tasks if "project" in task), "")
        return str(number)

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        user, password = os.environ.get("BASIC_AUTH_USER", ""), os.environ.get("BASIC_AUTH_PASS", "")
        login = (user, password) if user or password else None
        with requests.Session() as session:
            session.trust_env = not _on_this_machine(SHORTLIST_URL)  # a proxy is for addresses elsewhere
            answer = session.post(f"{SHORTLIST_URL}/{path}", json=body, auth=login, timeout=SECONDS)
        if not answer.ok:
            raise RuntimeError(f"Shortlist at {SHORTLIST_URL} refused {path}: {answer.reason}")
        found = answer.json()
        return dict(found)


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
