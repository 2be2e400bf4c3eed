import io
import os
import sys
import urllib.request
from pathlib import Path

import pytest

from backend.commands.start.console import Console
from backend.commands.start.data_dir import prepare
from backend.commands.start.supervisor import Supervisor
from backend.commands.start.web import web_part
from backend.web.server import reachable, web_command
from tests.support.ports import free_port


def test_one_process_several_threads_no_preload() -> None:
    command = web_command("0.0.0.0", 9090, "WARNING")
    assert command[:3] == [sys.executable, "-m", "gunicorn"]
    assert "--workers=1" in command
    assert "--bind=0.0.0.0:9090" in command
    assert "--log-level=warning" in command
    assert not any("preload" in word for word in command)


@pytest.mark.parametrize(
    ("host", "address"), [("0.0.0.0", "127.0.0.1"), ("", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7")]
)
def test_a_listening_address_becomes_one_that_can_be_asked(host: str, address: str) -> None:
    assert reachable(host) == address


def test_an_ipv6_address_is_put_in_brackets() -> None:
    assert "--bind=[::1]:80" in web_command("::1", 80)


def test_the_real_web_server_answers_and_stops(tmp_path: Path) -> None:
    data, port = prepare(tmp_path), free_port()
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1"}
    supervisor = Supervisor(Console(io.StringIO()))
    try:
        supervisor.start(web_part(data, "127.0.0.1", port, "INFO", environment))
        supervisor.wait_ready("Web server")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
    finally:
        supervisor.stop()
        data.release()
