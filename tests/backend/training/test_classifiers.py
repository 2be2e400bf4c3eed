"""Existing classifiers for a committee: proposed by names or an LLM, tried on people's labels, confirmed, seated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from backend.commands.committee import line
from backend.jobs import annotate, publish, train
from backend.pool import annotations, classifiers, ledger, tasks, versions
from backend.projects.current import current_of
from backend.projects.versions import label_space
from backend.training.classifiers import confirm, dismiss, guests, propose
from model.errors import ArtifactError, LabelSpaceError
from tests.support.embedding import embed_words
from tests.support.llm import says, with_llm
from tests.support.llm_server import OpenAIServer, Play
from tests.support.samples import labelled
from tests.support.toys import tiny_classifier
from tests.support.world import World, messages

MEANING = {"LABEL_0": "billing", "LABEL_1": "refund", "LABEL_2": "shipping"}


@pytest.fixture
def labelled_world(world: World) -> World:
    """Thirty tasks, of which people decided the first 24."""
    rows = messages(2)
    ids = world.double.add_tasks([text for text, _ in rows])
    tasks.add(world.engine, 7, dict(zip(ids, (text for text, _ in rows), strict=True)))
    done = [labelled(task, task, label) for task, (_, label) in zip(ids, rows, strict=True)]
    annotations.save(world.engine, 7, done[:24])
    return world


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue with a real classifier in a folder, and one that fits nothing."""
    tiny_classifier(tmp_path / "tiny")
    spam = {"place": "hub/spam", "task": "spam", "labels": {"ham": "", "spam": ""}}
    tiny = {"place": str(tmp_path / "tiny"), "task": "tickets", "labels": MEANING, "languages": ["en"]}
    path = tmp_path / "own.json"
    path.write_text(json.dumps([spam, tiny]))
    return path


@pytest.fixture
def llm(labelled_world: World) -> Iterator[OpenAIServer]:
    """The project's teacher."""
    server = HTTPServer(port=0, threaded=True)
    server.start()
    found = OpenAIServer(server, says)
    with_llm(labelled_world, found, MODE="committee", COMMITTEE="words,names", LLM_CONCURRENCY=1)
    yield found
    server.stop()


def test_label_names_propose_people_confirm_and_the_next_training_seats_it(
    labelled_world: World, catalogue: Path
) -> None:
    world = labelled_world
    found = propose(world.current, embed_words, catalogue)
    (row,) = found.rows
    assert (row.map, row.confirmed, row.proposed_by, found.notes) == (MEANING, False, "names", ())
    assert row.trial is not None
    assert row.trial["rows"] == 24  # what people decided
    assert "proposed by label names; knows 3 of 3 labels" in line(row)
    assert "on 24 labels of people it votes on 100%" in line(row)

    (seated,) = confirm(world.current, [row.place])
    assert seated.confirmed
    again = propose(world.current, embed_words, catalogue)
    assert [one.confirmed for one in again.rows] == [True]  # a new proposal takes no seat away
    settings = world.services.settings.model_copy(update={"MODE": "committee", "COMMITTEE": "words,names"})
    object.__setattr__(world.services, "settings", settings)
    annotate.work(world.job("annotate"))
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    (version,) = versions.list_versions(world.engine, 7)
    assert version.version.startswith("committee-1-")
    assert version.metrics["training"]["found"]["members"] == ["words", "names", row.place]

    Path(row.place).rename(f"{row.place}-elsewhere")
    with pytest.raises(ArtifactError, match=f"cannot be loaded: .*`shortlist committee dismiss 7 {row.place}`"):
        guests(world.current)
    dismiss(world.current, [row.place])
    assert classifiers.of_project(world.engine, 7, label_space(world.project).hash) == []


def test_the_llm_is_asked_once_within_the_budget_and_its_answer_is_checked(
    labelled_world: World, catalogue: Path, llm: OpenAIServer
) -> None:
    world, place = labelled_world, str(catalogue.parent / "tiny")
    pairs = [{"theirs": theirs, "ours": ours} for theirs, ours in MEANING.items()]
    pairs[2]["ours"] = None  # type: ignore[assignment]
    members = [
        {"place": place, "reason": "made for\ntickets", "map": pairs},
        {"place": "hub/spam", "reason": "x", "map": [{"theirs": "ham", "ours": "__import__('os')"}]},
        {"place": "made/up", "reason": "x", "map": pairs},
    ]
    llm.script = lambda _text, _asked: Play(text=json.dumps({"members": members}))
    found = propose(world.current, embed_words, catalogue)
    (row,) = found.rows
    assert (row.proposed_by, row.reason) == ("openai:tiny-1", "made for tickets")
    assert row.map == {"LABEL_0": "billing", "LABEL_1": "refund", "LABEL_2": None}
    assert len(found.notes) == 3
    assert found.notes[2].startswith("Asking openai:tiny-1 did cost $0.0")
    assert "'made/up' was proposed and cannot be used: it is not in the catalogue" in found.notes[1]
    assert llm.problems == []
    (request,) = llm.requests
    assert "hub/spam" in request["messages"][0]["content"]
    assert request["response_format"]["json_schema"]["strict"]
    total = ledger.totals(world.engine, 7)
    assert (total.calls, total.unsettled_microusd) == (1, 0)
    assert total.microusd > 0


@pytest.mark.parametrize("way", ["poor", "broken", "keyless"])
def test_without_money_or_answer_the_names_decide(
    labelled_world: World, catalogue: Path, llm: OpenAIServer, way: str
) -> None:
    world = labelled_world
    if way == "poor":
        with_llm(world, llm, budget=1e-6)
    elif way == "keyless":
        with_llm(world, llm, OPENAI_API_KEY=SecretStr(""), OPENAI_BASE_URL="")
    else:
        llm.script = lambda _text, _asked: Play(status=401, error="wrong key")
    found = propose(world.current, embed_words, catalogue)
    assert [row.proposed_by for row in found.rows] == ["names"]
    assert found.rows[0].trial is not None
    assert "the names of labels were compared instead" in found.notes[0]
    assert ledger.totals(world.engine, 7).unsettled_microusd == 0


def test_what_is_not_on_this_machine_is_named_once_and_not_tried(labelled_world: World, catalogue: Path) -> None:
    rows = json.loads(catalogue.read_text())
    away = [{**rows[1], "place": place} for place in ("no-such-person/one", "no-such-person/two")]
    catalogue.write_text(json.dumps([*rows, *away]))
    found = propose(current_of(labelled_world.services, labelled_world.project), embed_words, catalogue)
    assert [row.trial is None for row in found.rows] == [False, True, True]
    (note,) = found.notes
    assert "not on this machine: no-such-person/one, no-such-person/two. With --download" in note


def test_nothing_is_confirmed_that_was_not_proposed_or_has_other_labels(labelled_world: World, catalogue: Path) -> None:
    world = labelled_world
    with pytest.raises(Exception, match="hub/unheard was not proposed; nothing is proposed"):
        confirm(world.current, ["hub/unheard"])
    rows = json.loads(catalogue.read_text())
    rows[1]["labels"] = {"a": "billing", "b": "refund", "c": "shipping"}
    catalogue.write_text(json.dumps(rows))
    found = propose(world.current, embed_words, catalogue)
    assert found.rows[0].trial is None
    assert "was not tried: the label map lacks 'LABEL_0'" in found.notes[0]
    with pytest.raises(LabelSpaceError, match="lacks"):
        confirm(world.current, [found.rows[0].place])
    assert not classifiers.of_project(world.engine, 7, label_space(world.project).hash)[0].confirmed
