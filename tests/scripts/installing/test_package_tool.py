"""What uv is told of pip's settings."""

import os
import sys
from pathlib import Path

import pytest
from installing.package_tool import QUIET, pip_settings, uv_settings


def test_uv_looks_where_pip_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://me:secret@one.example/simple\ntimeout = 9\n"
        "extra-index-url =\n    https://two.example/simple\n    file:///three\ncert = /certificates.pem\n"
        "[install]\nfind-links = /wheels /more\ntimeout = 30\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_RETRIES", "2")
    found = uv_settings(pip_settings(sys.executable))
    assert found == QUIET | {
        "UV_DEFAULT_INDEX": "https://me:secret@one.example/simple",
        "UV_INDEX": "https://two.example/simple file:///three",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_HTTP_TIMEOUT": "30",
        "UV_HTTP_RETRIES": "2",
        "SSL_CERT_FILE": "/certificates.pem",
    }


def test_what_is_set_for_uv_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")
    found = uv_settings({"index-url": "https://pip.example/simple", "no-index": "true"})
    assert "UV_DEFAULT_INDEX" not in found
    assert found["UV_NO_INDEX"] == "1"
