"""What runs on this machine is reached directly: no proxy that the environment names stands between.

httpx, requests, urllib and the LLM vendors' libraries all read NO_PROXY; httpx knows no networks in it, so addresses of
loopback other than the usual one are named one by one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

ALWAYS = ("localhost", "127.0.0.1", "::1", "127.0.0.0/8", "0.0.0.0")


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine itself, by its spelling alone."""
    try:
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def around_proxies(environment: Mapping[str, str], urls: Iterable[str] = ()) -> dict[str, str]:
    """NO_PROXY in both spellings: what `environment` has in either, and this machine, with hosts of `urls` on it."""
    kept = [entry.strip() for name in ("NO_PROXY", "no_proxy") for entry in environment.get(name, "").split(",")]
    hosts = [urlsplit(url).hostname or "" for url in urls]
    entries = dict.fromkeys(filter(None, [*kept, *ALWAYS, *filter(is_loopback, hosts)]))
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(entries))
