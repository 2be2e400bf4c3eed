"""Whoever connects a project is told of FREQUENCIES=even, until it is set or people have labelled."""

from __future__ import annotations

from backend.commands.doctor.project import _config
from backend.jobs.sync import synchronise
from backend.pool import tasks
from backend.projects.current import current_of
from backend.projects.frequencies import TOLD, unsaid
from backend.projects.updates import remember
from backend.reporting.status import project_status
from backend.reporting.wording import what_next
from tests.support.label_studio_double import CONFIG
from tests.support.world import CREATED, World, messages

NAMED = "shortlist connect 7 --option FREQUENCIES=even"


def test_it_is_named_until_it_is_set_or_people_have_labelled(world: World) -> None:
    rows = messages(4)[:TOLD]
    ids = world.double.add_tasks([text for text, _ in rows])
    tasks.add(world.engine, 7, {task: text for task, (text, _) in zip(ids, rows, strict=True)})
    assert NAMED in unsaid(world.current)[0]
    assert any(NAMED in step for step in what_next(project_status(world.current)))
    assert NAMED in _config(world.services, world.project, {"label_config": CONFIG}).what
    remember(world.services, 7, CREATED, CONFIG, extra_params={"FREQUENCIES": "even"})
    assert unsaid(current_of(world.services, world.project)) == []
    remember(world.services, 7, CREATED, CONFIG, extra_params={"MODE": "committee"})
    assert unsaid(current_of(world.services, world.project)) == []
    remember(world.services, 7, CREATED, CONFIG, extra_params={})
    assert unsaid(current_of(world.services, world.project)) != []
    for task, (_, label) in zip(ids, rows, strict=True):
        world.double.annotate(task, [label])
    synchronise(world.job("sync"), complete=True)
    assert unsaid(world.current) == []
