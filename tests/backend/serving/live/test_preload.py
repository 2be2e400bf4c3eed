"""Students are loaded before they are asked for."""

from __future__ import annotations

from backend.pool import versions
from backend.pool.versions import to_load
from backend.serving.live.preload import Warmer
from tests.support.web_server import Server


def test_served_and_coming_students_are_wanted(server: Server) -> None:
    server.version(7)
    server.version(8)
    engine = server.services.engine
    assert to_load(engine) == []
    served = server.promote(1, 7)
    space = server.project(8).space_hash
    versions.add(engine, 8, f"student-1-{space}", 1, space, {}, 0)
    assert to_load(engine) == [(7, served)]
    versions.set_state(engine, 8, f"student-1-{space}", "publishing", "")
    assert to_load(engine) == [(7, served), (8, f"student-1-{space}")]


def test_looking_never_fails_because_of_a_missing_student(server: Server) -> None:
    server.version(7)
    server.promote(1, 7)
    warmer = Warmer(server.services, server.live)
    warmer.look()
    warmer.start()
    warmer.close()


def test_the_encoder_is_loaded_once_there_is_a_project(server: Server) -> None:
    warmer = Warmer(server.services, server.live)
    assert not warmer.prepare()
    assert server.live._encoders.held() == []
    server.version(7, extra={"STUDENT_RUNTIME": "float32"})
    assert warmer.prepare()
    server.live._loader.submit(lambda: None).result(600)
    assert server.live._encoders.held() == ["default"]
