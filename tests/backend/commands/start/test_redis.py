import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from backend.commands.start import redis as embedded
from backend.commands.start.console import Console
from backend.commands.start.data_dir import DataDir, prepare
from backend.commands.start.supervisor import Supervisor
from backend.errors import StartError


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataDir]:
    data = prepare(tmp_path / 'a "quoted" folder')
    yield data
    data.release()


def test_it_answers_with_its_password_only_and_keeps_its_data(data: DataDir) -> None:
    for start in range(2):
        server = embedded.embedded_redis(data, os.environ)
        supervisor = Supervisor(Console(io.StringIO()))
        try:
            supervisor.start(server.part)
            supervisor.wait_ready("Redis")
            with redis.Redis.from_url(server.url) as client:
                assert client.incr("starts") == start + 1
            with (
                redis.Redis.from_url(server.url.replace(":" + server.url.split(":")[2].split("@")[0], ":wrong")) as bad,
                pytest.raises(redis.AuthenticationError),
            ):
                bad.ping()
        finally:
            supervisor.stop()
        assert not server.part.ready()


def test_its_password_stands_in_a_private_file_and_on_no_command_line(data: DataDir) -> None:
    server = embedded.embedded_redis(data, {})
    password = server.url.split(":")[2].split("@")[0]
    assert password not in " ".join(server.part.command)
    assert stat.S_IMODE((data.folder / "redis" / "redis.conf").stat().st_mode) == 0o600


def test_a_server_on_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == str(program)


def test_without_any_server_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StartError, match=r"Redis is missing: .* set REDIS_URL="):
        embedded.find_server()
