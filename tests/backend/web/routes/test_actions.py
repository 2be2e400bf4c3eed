"""Buttons on the pages: they act, and only for whoever may act and came from a page of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
import requests

from backend.pool import doubts, jobs, projects, promises, tasks, versions
from tests.support.web_server import Server


def token(server: Server) -> str:
    """The hidden field of the page's forms; the cookie beside it is kept by the client."""
    found = re.search(r'name="token" value="([^"]+)"', server.get("/projects/7").text)
    assert found
    return found.group(1)


def act(server: Server, action: str, headers: dict[str, str] | None = None, **fields: str) -> requests.Response:
    url = f"{server.url}/projects/7/{action}"
    return server.http.post(url, data=fields, headers=headers, timeout=240, allow_redirects=False)


def said(answer: requests.Response) -> str:
    assert answer.status_code == 303, answer.text
    return unquote(answer.headers["Location"])


def test_train_cancel_and_retry(server: Server) -> None:
    server.version()
    key = token(server)
    assert "done=The training is queued" in said(act(server, "train", token=key))
    assert jobs.get(server.services.engine, 7)["train"].state == "queued"
    assert "Cancel" in server.get("/projects/7").text
    assert "was taken back" in said(act(server, "cancel", token=key, kind="train"))
    assert server.services.queue.place("train", 7) == "absent"
    assert jobs.get(server.services.engine, 7)["train"].state == "idle"
    assert "problem=" in said(act(server, "cancel", token=key, kind="train"))
    jobs.fail(server.services.engine, 7, "publish", "Label Studio was away")
    assert "Label Studio was away" in server.get("/projects/7").text
    assert "publish is queued" in said(act(server, "retry", token=key, kind="publish"))
    assert "there is no job" in said(act(server, "retry", token=key, kind="rm"))
    assert act(server, "explode", token=key).status_code == 404


def test_pause_and_resume(server: Server) -> None:
    server.version()
    key = token(server)
    said(act(server, "pause", token=key))
    assert server.project().paused
    page = server.get("/projects/7").text
    assert "Resume" in page
    assert "is paused" in said(act(server, "train", token=key))
    said(act(server, "resume", token=key))
    assert not server.project().paused


def test_promote_and_roll_back(server: Server) -> None:
    server.version()
    space = server.project().space_hash
    for number in (1, 2):
        name = f"student-{number}-{space}"
        versions.add(server.services.engine, 7, name, number, space, {}, 20)
        projects.promote(server.services.engine, 7, name)
    assert "Roll back to it" in server.get("/projects/7").text
    answer = said(act(server, "serve", token=token(server), version=f"student-1-{space}"))
    assert f"student-1-{space} is served now" in answer
    assert server.project().served == f"student-1-{space}"
    assert jobs.get(server.services.engine, 7)["publish"].state == "queued"
    assert "Serve it again" in server.get("/projects/7").text
    assert "has no version" in said(act(server, "serve", token=token(server), version="student-9-x"))


FOREIGN = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_forms_of_other_sites_are_refused(server: Server, headers: dict[str, str]) -> None:
    server.version()
    assert act(server, "train", headers, token=token(server)).status_code == 403
    assert "train" not in jobs.get(server.services.engine, 7)


def test_a_form_without_the_browsers_token_is_refused(server: Server) -> None:
    server.version()
    key = token(server)
    assert act(server, "train").status_code == 403
    assert act(server, "train", token=key[:-1] + "x").status_code == 403
    server.http.cookies.clear()
    assert act(server, "train", token=key).status_code == 403
    assert act(server, "train", token="").status_code == 403
    assert server.get("/projects/7/train").status_code == 405


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_browsers_get_refusals_as_pages_and_programs_as_json(server: Server) -> None:
    server.version()
    key = token(server)
    cases = [("train", {}, "Load the page of the project again"), ("explode<", {"token": key}, "There is no action")]
    for action, fields, sentence in cases:
        page, plain = act(server, action, BROWSER, **fields), act(server, action, **fields)
        assert page.status_code == plain.status_code >= 400
        assert page.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert sentence.lower() in page.text.lower()
        assert "explode<" not in page.text
        assert '<a href="/projects/7">' in page.text
        assert plain.json()["error"] == plain.reason
    missing = server.get("/projects/8", headers=BROWSER)
    assert (missing.status_code, "connect it in Label Studio first" in missing.text) == (404, True)


def test_without_a_login_only_people_at_this_machine_act(serve: Callable[..., Server]) -> None:
    server = serve(BACKEND_URL="http://shortlist.internal:9090")
    server.version()
    key, elsewhere = token(server), {"Host": "shortlist.internal:9090"}
    assert "actions need a login" in act(server, "train", elsewhere, token=key).text
    page = server.get("/projects/7", headers=elsewhere).text
    assert "<button" not in page
    assert "BASIC_AUTH_USER" in page
    rebound = {"Host": "rebound.example:9090"}
    assert act(server, "train", rebound, token=key).status_code == 403
    assert server.get("/projects/7", headers=rebound).status_code == 403


def test_actions_need_the_login(serve: Callable[..., Server]) -> None:
    guarded = serve(BASIC_AUTH_USER="team", BASIC_AUTH_PASS="secret")
    guarded.http.auth = ("team", "secret")
    assert guarded.setup(auth=("team", "secret")).status_code == 200
    key = token(guarded)
    guarded.http.auth = None
    assert act(guarded, "train", token=key).status_code == 401
    guarded.http.auth = ("team", "secret")
    assert "is queued" in said(act(guarded, "train", token=key))


def test_a_pool_is_finished_only_by_whoever_may_act_and_with_a_certificate(serve: Callable[..., Server]) -> None:
    server = serve(TARGET_ERROR=0.05)
    server.version()
    key, engine = token(server), server.services.engine
    assert "no promise can be made yet" in said(act(server, "finish", token=key))
    made = {"version": "student-1", "allowed": 5, "pool": 100, "confidence": 0.95, "method": "m", "undecided": 90}
    made |= {
        "audited": 40,
        "errors": 0,
        "acceptance": 1,
        "accepted": 1,
        "people": 0,
        "look": 1,
        "looks": 3,
        "attempt": 1,
    }
    made |= {"risk": 0.01, "ranks": "SHA-256", "first": 0.0, "limit": 0.4, "rows": "f00"}
    space = server.project().space_hash
    promise = promises.Promise(7, 1, space, 0.05, 0.95, "promised", 0.0, 0.4, (40,), 1, made)
    promises.begin(engine, promise, [])
    page = server.get("/projects/7").text
    assert "must be seen by people. Then at most 5 % of all labels are wrong, with 95 % confidence" in page
    assert ">Finish<" in page
    assert act(server, "finish").status_code == 403
    assert wish(server) == ""
    assert "there is nothing to undo" in said(act(server, "finish", token=key, undo="1"))
    assert "is being finished" in said(act(server, "finish", token=key))
    assert wish(server) == "annotations"
    assert jobs.get(engine, 7)["finish"].state == "queued"


def test_a_doubted_decision_is_confirmed_on_the_page(server: Server) -> None:
    server.version()
    text = "<b>my parcel</b>"
    server.label(1, "billing", text=text)
    server.label(2, "refund", text=text)
    engine = server.services.engine
    server.parts.background.drain()
    key = tasks.hashes(engine, 7, [1])[1]
    doubts.renew(engine, 7, [doubts.Doubt(1, key, ("billing",), ("refund",), "twins", 0.0, (2,))])
    page = server.get("/projects/7").text
    assert "1 decision is worth a second look: on equal texts that were decided differently" in page
    assert "refund: &lt;b&gt;my parcel" in page
    assert server.get("/projects/7.json").json()["second_look"]["decisions"][0]["task"] == 1
    assert act(server, "confirm", task="1").status_code == 403
    assert "no decision about task '2'" in said(act(server, "confirm", token=token(server), task="2"))
    assert "The decision about task 1 is kept" in said(act(server, "confirm", token=token(server), task="1"))
    assert "Of 1 looked at so far, 0 were changed" in server.get("/projects/7").text


def wish(server: Server) -> str:
    """What the finishing job is to do."""
    found = promises.get(server.services.engine, 7)
    assert found is not None
    return found.wish
