"""Proxies: nothing on this machine goes through one, a user's NO_PROXY stays, LLM vendors are asked through it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import getproxies_environment, proxy_bypass_environment

import httpx
import pytest
import requests
from pytest_httpserver import HTTPServer

from backend.addresses import around_proxies, is_loopback
from backend.settings import load_settings
from backend.web.server import web_command
from benchmarks.shared.waiting import wait_for
from tests.e2e.processes import Process
from tests.support import preloaded
from tests.support.llm import KEY, LABEL_OF, MODEL, says
from tests.support.llm_server import OpenAIServer
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.world import World

DEAD = "http://127.0.0.1:9"
ALL = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def through(url: str) -> dict[str, str]:
    """An environment in which everything goes through a proxy, as a company's machine has it."""
    return {**dict.fromkeys(ALL, url), "NO_PROXY": "intranet.example", "no_proxy": ""}


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("studio.localhost", True),
     ("127.0.0.1.example", False), ("10.0.0.1", False), ("labelstudio", False), ("", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_what_a_user_wrote_in_either_spelling_stays() -> None:
    found = around_proxies({"NO_PROXY": "a.example, b.example", "no_proxy": "c.example,a.example"})
    assert found["NO_PROXY"] == found["no_proxy"]
    assert found["NO_PROXY"].startswith("a.example,b.example,c.example,localhost,127.0.0.1,")
    assert around_proxies(found) == found


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.3"])
def test_every_library_goes_around_the_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in through(DEAD).items():
        monkeypatch.setenv(name, value)
    load_settings(_env_file=None, LABEL_STUDIO_URL=f"http://{host}:8080")
    client = httpx.Client()
    direct = client._transport_for_url(httpx.URL(f"http://{host}:8080"))
    assert direct is client._transport
    assert client._transport_for_url(httpx.URL("http://llm.example")) is not client._transport
    assert requests.utils.get_environ_proxies(f"http://{host}:8080") == {}
    assert "http" in requests.utils.get_environ_proxies("http://llm.example")
    assert proxy_bypass_environment(host.strip("[]"), getproxies_environment())
    assert proxy_bypass_environment("intranet.example", getproxies_environment())
    client.close()


def shortlist(world: World, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backend", *arguments]
    return preloaded.run(command, world.environment(**environment), world.folder)


def test_with_a_dead_proxy_web_server_connect_doctor_and_worker_work(world: World, tmp_path: Path) -> None:
    world.double.add_tasks(list(LABEL_OF))
    port = free_port()
    dead = {**through(DEAD), "PORT": str(port), "LOG_LEVEL": "WARNING"}
    web = Process("web", web_command("127.0.0.1", port), world.environment(**dead), tmp_path / "web.log")
    try:
        with httpx.Client(trust_env=False) as client:
            wait_for("the web server", lambda: _answers(client, port), 240)
        connected = shortlist(world, "connect", "7", **dead)
        assert connected.returncode == 0, connected.stderr
        found = json.loads(shortlist(world, "doctor", "--json", **dead).stdout)
        failed = {one["check"] for one in found if one["health"] == "failure"}
        assert not failed & {"This backend", "Label Studio", "Redis"}, found
        world.services.queue.enqueue("sync", 7)
        world.double.requests.clear()
        said = world.run_jobs(**dead)
        assert world.double.requests, said
        assert "Connection refused" not in said
    finally:
        web.kill()


@pytest.fixture
def vendor() -> Iterator[HTTPServer]:
    with HTTPServer() as server:
        yield server


def test_an_llm_vendor_is_asked_through_the_proxy_and_label_studio_is_not(world: World, vendor: HTTPServer) -> None:
    llm = OpenAIServer(vendor, says)
    world.double.add_tasks(list(LABEL_OF)[:3])
    with Proxy({"llm.example": vendor.port}) as proxy:
        given = through(proxy.url) | {
            "TEACHER": MODEL,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": "http://llm.example/v1",
            "TEACHER_PRICE": "10,20",
            "BUDGET_USD": "100",
        }
        world.services.queue.enqueue("sync", 7)
        log = world.run_jobs(**given)
    assert llm.requests, log
    assert set(proxy.asked) == {"llm.example"}
    assert len(world.double.predictions) >= 3


def _answers(client: httpx.Client, port: int) -> bool:
    try:
        return client.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False
