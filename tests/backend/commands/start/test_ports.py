import socket

import pytest

from backend.commands.start.ports import free_port, require_free
from backend.errors import StartError


def test_a_free_port_is_accepted() -> None:
    require_free("127.0.0.1", free_port(), "PORT", "web server")


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            StartError, match=rf"port {port} \(web server\) is taken .* choose another with PORT=<port>"
        ):
            require_free("127.0.0.1", port, "PORT", "web server")


def test_an_address_of_another_machine_is_refused_by_name() -> None:
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1"):
        require_free("192.0.2.1", free_port(), "PORT", "web server")
