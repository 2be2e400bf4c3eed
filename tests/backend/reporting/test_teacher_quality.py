"""Candidate figures come from the tasks that people decided, and stand in the project's JSON."""

from __future__ import annotations

from backend.projects.current import current_of
from tests.support.web_server import Server

SETS = {1: ("billing", "refund"), 2: ("refund", "billing"), 3: ("billing", "refund"), 4: ("shipping",)}
SETS |= dict.fromkeys(range(5, 9), ("billing", "refund"))


def test_figures_per_label_and_labels_that_always_come_together(server: Server) -> None:
    server.version()
    version = current_of(server.services, server.project()).teacher_version
    before = server.get("/projects/7.json").json()["teacher"]
    assert (before["version"], before["sets"]) == (version, None)
    for task, labels in SETS.items():
        server.answered({task: f"text {task}"}, labels)
    for task, label in {1: "billing", 2: "billing", 3: "shipping", 4: "shipping", 5: "refund"}.items():
        server.label(task, label, text=f"text {task}")
    found = server.get("/projects/7.json").json()["teacher"]["sets"]
    assert found["tasks"] == 5
    assert found["coverage"]["value"] == 0.8
    assert found["top1"]["value"] == 0.4
    assert found["set_size"] == 1.8
    assert {name: rate["count"] for name, rate in found["per_class"].items()} == {
        "billing": 2, "refund": 1, "shipping": 2,
    }  # fmt: skip
    assert found["per_class"]["shipping"]["value"] == 0.5
    assert 0 < found["per_class"]["shipping"]["low"] < 0.5 < found["per_class"]["shipping"]["high"] < 1
    for task in (6, 7, 8):
        server.label(task, "billing", text=f"text {task}")
    assert server.get("/projects/7.json").json()["teacher"]["sets"]["inseparable"] == [["billing", "refund"]]
