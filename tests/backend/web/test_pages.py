"""Everything that is called seldom: versions, job status, validation, training, metrics, pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.pool import incidents, jobs
from tests.support.configs import CONFIG_A, CONFIG_B
from tests.support.predicting import shown
from tests.support.web_server import Server

OFFLINE = "offline similarity teacher (no LLM)"
CONTRACT = {"project", "phase", "version", "label_space", "tasks", "with_candidates", "human_labels", "mean_candidates",
            "teacher", "student", "job", "spend", "versions"}  # fmt: skip


def test_a_fresh_project_knows_nothing_and_says_null(server: Server) -> None:
    version = server.version()
    status = server.get("/projects/7.json").json()
    assert set(status) >= CONTRACT
    assert (status["phase"], status["version"], status["tasks"]) == ("cold", version, 0)
    assert status["mean_candidates"] is None
    assert (
        status["teacher"].items()
        >= {"name": OFFLINE, "coverage": None, "top1_accuracy": None, "human_checked": 0}.items()
    )
    unknown = {"accuracy": None, "human_checked": 0}
    assert status["student"].items() >= {**unknown, "blind": unknown}.items()
    assert status["agreement"] == {"tasks": 0, "percent": None, "alpha": None}
    assert (status["paused"], status["next_training"]) == (False, "next training after 20 more labels")
    assert status["spend"]["budget_usd"] == 5.0
    assert status["label_space"] == ["billing", "refund", "shipping", "other"]


def test_figures_of_teacher_and_student(server: Server) -> None:
    server.version()
    texts = {task: f"text {task}" for task in range(1, 6)}
    server.answered(texts, ["refund", "billing"])
    student = f"student-1-{server.project().space_hash}"
    for task, label in enumerate(["refund", "billing", "other", "refund"], 1):
        server.label(task, label, text=texts[task], prediction=shown(student, "refund"))
    server.label(5, "refund", "billing", text=texts[5])
    assert server.promote() == student
    status = server.get("/projects/7.json").json()
    assert (status["tasks"], status["with_candidates"], status["human_labels"]) == (5, 5, 5)
    assert status["mean_candidates"] == 2.0
    assert (
        status["teacher"].items()
        >= {"name": OFFLINE, "coverage": 0.75, "top1_accuracy": 0.5, "human_checked": 4}.items()
    )
    assert (status["student"]["accuracy"], status["student"]["human_checked"]) == (0.5, 4)
    assert (status["phase"], status["version"]) == ("student", student)


def test_pages_are_readable_and_escape(server: Server) -> None:
    empty = server.get("/projects").text
    assert "No project is connected" in empty
    assert f"<code>{server.services.settings.backend_url}</code>" in empty
    server.version()
    title = "<script>alert(1)</script>"
    server.post(
        "/webhook", {"action": "PROJECT_UPDATED", "project": {"id": 7, "title": title, "label_config": CONFIG_A}}
    )
    server.parts.background.drain()
    for path in ("/projects", "/projects/7"):
        answer = server.get(path)
        assert answer.status_code == 200
        assert "<script>" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = server.get("/projects/7").text
    assert OFFLINE in page
    assert "next training after 20 more labels" in page.lower()
    assert "What went wrong" not in page
    for what in ("Its process was <killed>.", "Redis was away.", "Its process was <killed>."):
        incidents.note(server.services.engine, 7, "train", what)
    page = server.get("/projects/7").text
    assert "What went wrong" in page
    assert "Training: Its process was &lt;killed&gt;." in page
    assert "2 times" in page
    (killed, away) = server.get("/projects/7.json").json()["incidents"]
    assert (killed["kind"], killed["times"], away["what"], away["times"]) == ("train", 2, "Redis was away.", 1)
    assert server.get("/static/style.css").status_code == 200


def test_unknown_projects_are_404(server: Server) -> None:
    for path in ("/projects/8", "/projects/8.json", "/projects/99999999999999999999", "/projects/x", "/nowhere"):
        assert server.get(path).status_code == 404


def test_a_bad_config_is_explained_on_the_page(server: Server) -> None:
    server.version()
    server.setup(xml="<View/>")
    assert "no Choices, Taxonomy, Rating or Pairwise" in server.get("/projects/7").text
    status = server.get("/projects/7.json").json()
    assert (status["phase"], status["version"]) == ("cold", None)


def test_versions_by_prefix_query_or_the_only_project(server: Server) -> None:
    assert server.get("/versions").json() == {"versions": []}
    first = server.version(7)
    assert server.get("/versions").json() == {"versions": [first]}
    second = server.version(8, CONFIG_B)
    assert server.get("/versions").json() == {"versions": []}
    assert server.get("/p/8/versions").json() == {"versions": [second]}
    assert server.get("/versions", params={"project": "7.179"}).json() == {"versions": [first]}
    assert server.post("/versions", {"project": "8.1"}).json() == {"versions": [second]}
    assert server.get("/p/what/versions").json() == {"versions": []}


def test_job_status(server: Server) -> None:
    assert server.get("/job_status").status_code == 410
    server.version()
    assert server.post("/train", {"project": "7"}).status_code == 201
    answer = server.post("/job_status", {"job": "train-7"}).json()
    assert answer["job_status"] == "queued"
    assert answer["jobs"]["train"] == {"state": "queued", "step": "", "progress": None, "error": None}
    assert server.post("/train", {"project": "99"}).status_code == 404
    assert server.post("/train", {}).status_code == 400


@pytest.mark.parametrize("key", ["config", "label_config", "schema"])
def test_validate_reads_the_given_config(server: Server, key: str) -> None:
    good = server.post("/validate", {key: CONFIG_B}).json()
    assert (good["valid"], good["control"]) == (True, "label")
    bad = server.post("/validate", {key: "<View/>"})
    assert (bad.status_code, bad.reason) == (422, bad.json()["error"])
    assert server.post("/validate", {}).status_code == 400


def test_cheap_answers(server: Server) -> None:
    assert server.post("/delete", {"project": "7"}).json() == {}
    assert server.post("/duplicate_model", {}).json() == {}
    assert server.get("/").json()["status"] == "UP"
    browser = server.get("/", headers={"Accept": "text/html,*/*;q=0.8"}, allow_redirects=False)
    assert (browser.status_code, browser.headers["Location"]) == (302, "/projects")
    assert server.get("/setup").status_code == 405


def test_metrics(server: Server) -> None:
    server.version()
    server.answered({1: "a"}, ["refund"])
    server.predict({1: "a", 2: "b"})
    server.event("START_TRAINING")
    page = server.get("/metrics").text
    for line in (
        'shortlist_requests_total{endpoint="predict",status="200"} 1.0',
        'shortlist_entries_total{kind="answered"} 1.0',
        'shortlist_entries_total{kind="waiting"} 1.0',
        'shortlist_events_total{action="START_TRAINING"} 1.0',
        'shortlist_tasks_with_candidates{project="7"} 1.0',
        'shortlist_jobs_waiting{queue="train"} 1.0',
    ):
        assert line in page


def test_the_page_shows_why_the_teacher_stopped_and_its_versions(server: Server) -> None:
    version = server.version()
    server.answered({1: "text 1"}, ["refund", "billing"])
    jobs.begin(server.services.engine, 7, "annotate")
    jobs.fail(server.services.engine, 7, "annotate", "no such key <b>")
    page = server.get("/projects/7").text
    assert "The teacher has stopped: no such key &lt;b&gt;" in page
    assert f"<code>{version}</code>" in page
    assert server.get("/projects/7.json").json()["teacher"]["stopped"] == "no such key <b>"


def test_mistakes_lead_to_their_tasks_in_label_studio(serve: Callable[..., Server]) -> None:
    for address, links in (("http://studio.example", True), ("", False)):
        server = serve(LABEL_STUDIO_URL="http://inside:8080" if links else "", LABEL_STUDIO_LINK=address)
        server.version()
        server.answered({1: "text 1"}, ["refund", "billing"])
        server.label(1, "billing", text="text 1")
        page = server.get("/projects/7").text
        assert ("http://studio.example/projects/7/data?tab=" in page) == links
        assert ('aria-label="1 task: billing shown as refund"' in page) == links
        assert ('<span class="wrong">1</span>' in page) != links


def test_pages_say_what_the_project_shows_as_its_events_tell(server: Server) -> None:
    version = server.version()
    server.answered({1: "text 1"}, ["refund", "billing"])
    assert "People see shortlists" in server.get("/projects/7").text
    stated = {"id": 7, "label_config": CONFIG_A, "show_collab_predictions": True, "model_version": "old-model-3"}
    server.post("/webhook", {"action": "PROJECT_UPDATED", "project": stated})
    server.parts.background.drain()
    page = server.get("/projects/7").text
    assert "People see shortlists" not in page
    assert f"The project shows old-model-3, not {version}" in page
    assert "old-model-3, not ours" in server.get("/projects").text
    assert server.get("/projects/7.json").json()["shows_ours"] is False


def test_what_cannot_be_used_is_told_on_the_page(server: Server) -> None:
    server.version()
    server.label(1, "nonsense", text="text 1")
    server.post("/webhook", {"action": "TASKS_CREATED", "project": {"id": 7}, "tasks": [{"id": 5, "data": {"x": "y"}}]})
    server.parts.background.drain()
    page = server.get("/projects/7").text
    assert "1 annotation has labels that are not in the label config, which do not count: nonsense (1)" in page
    assert "1 task has no text that can be read" in page
    assert server.get("/projects/7.json").json()["left_out"]["tasks"] == 1
