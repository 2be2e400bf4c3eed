"""Label Studio below a path, and behind a certificate that no public authority knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import LabelStudioRefused, LabelStudioUnavailable
from backend.label_studio.client import LabelStudio
from backend.label_studio.links import project_link
from tests.support.certificates import private_certificate
from tests.support.label_studio_double import TOKEN, LabelStudioDouble
from tests.support.reverse_proxy import ReverseProxy


def test_everything_is_asked_below_the_path(double: LabelStudioDouble) -> None:
    with ReverseProxy(double.url, "/ls") as proxy, LabelStudio(f"{proxy.url}/", TOKEN) as client:
        double.add_tasks(["a", "b"])
        assert len(list(client.tasks(7))) == 2
        client.update_project(7, title="other")
        client.set_webhook(7, "http://shortlist.internal/webhook", {})
        assert double.fields["title"] == "other"
        assert client.webhooks(7)
        assert project_link(client.url, 7) == f"{proxy.origin}/ls/projects/7/data"
        with LabelStudio(proxy.origin, TOKEN) as elsewhere, pytest.raises(LabelStudioRefused, match="404"):
            elsewhere.project(7)


def test_a_private_certificate_is_trusted_where_it_is_named(
    double: LabelStudioDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = private_certificate(tmp_path)
    with ReverseProxy(double.url, "/ls", tls=tls) as proxy:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        with LabelStudio(proxy.url, TOKEN) as client, pytest.raises(LabelStudioRefused) as caught:
            client.project(7)
        for part in ("LABEL_STUDIO_URL", proxy.url, "certificate that is not trusted here", "SSL_CERT_FILE"):
            assert part in str(caught.value)
        assert TOKEN not in str(caught.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[0]))
        with LabelStudio(proxy.url, TOKEN) as client:
            assert client.project(7)["title"] == "tickets"


def test_tls_and_plain_http_are_told_apart(double: LabelStudioDouble, tmp_path: Path) -> None:
    with ReverseProxy(double.url, tls=private_certificate(tmp_path)) as proxy:
        plain = proxy.url.replace("https://", "http://")
        with LabelStudio(plain, TOKEN) as client, pytest.raises(LabelStudioRefused, match=r"https://.* that is meant"):
            client.project(7)
    secure = double.url.replace("http://", "https://")
    with LabelStudio(secure, TOKEN) as client, pytest.raises(LabelStudioRefused, match=r"speaks no TLS.*http://"):
        client.project(7)


def test_a_refused_connection_may_pass_and_a_strange_address_does_not() -> None:
    with LabelStudio("https://127.0.0.1:9", TOKEN) as client, pytest.raises(LabelStudioUnavailable):
        client.project(7)
    with LabelStudio("gopher://127.0.0.1", TOKEN) as client, pytest.raises(LabelStudioRefused, match="no address"):
        client.project(7)
