"""The whole wire once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.web_server import Server


def test_the_way_of_a_task(serve: Callable[..., Server], database_url: str) -> None:
    server = serve(DATABASE_URL=database_url)
    version = server.version()
    texts = {1: "charged \x00 twice", 2: "where \ud83d is it"}
    assert server.predict(texts) == [[], []]
    server.parts.background.drain()
    server.answered({1: "charged � twice", 2: "where � is it"}, ["billing", "refund"])
    entries = server.predict(texts)
    assert [entry["model_version"] for entry in entries] == [version, version]
    shown = {"id": 1, "model_version": version, "score": 0.6, "result": entries[0]["result"]}
    server.label(1, "refund", text=texts[1], prediction=shown)
    server.label(2, "billing", text=texts[2], prediction=shown)
    status = server.get("/projects/7.json").json()
    assert (status["tasks"], status["with_candidates"], status["human_labels"]) == (2, 2, 2)
    assert (status["teacher"]["coverage"], status["teacher"]["top1_accuracy"]) == (1.0, 0.5)
    assert server.get("/projects/7").status_code == 200
    assert 'shortlist_teacher_coverage{project="7"} 1.0' in server.get("/metrics").text
    changed = server.promote()
    assert server.version() == changed
    server.event("TASKS_DELETED", tasks=[{"id": 1}])  # there is no Label Studio to ask
    assert server.get("/projects/7.json").json()["tasks"] == 2
