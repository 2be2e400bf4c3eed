"""Certificates of authorities are read once, and again when others are named."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx
import pytest

from model.teacher.providers.trusted import NAMES, trusted
from tests.support.certificates import private_certificate


@pytest.fixture(autouse=True)
def _none_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_what_was_read_is_used_again() -> None:
    first = trusted(httpx.create_ssl_context)
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.get_ca_certs()
    assert trusted(httpx.create_ssl_context) is first


def test_another_file_and_a_renewed_one_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = trusted(httpx.create_ssl_context)
    file, _ = private_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    private = trusted(httpx.create_ssl_context)
    assert private.cert_store_stats()["x509"] == 1
    (tmp_path / "further").mkdir()
    further, _ = private_certificate(tmp_path / "further")
    file.write_bytes(file.read_bytes() + further.read_bytes())
    os.utime(file, ns=(0, 1))
    assert trusted(httpx.create_ssl_context).cert_store_stats()["x509"] == 2
    monkeypatch.delenv("SSL_CERT_FILE")
    assert trusted(httpx.create_ssl_context) is public
