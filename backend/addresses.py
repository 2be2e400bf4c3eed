"""Addresses and keys as people copy them, and which addresses are this machine itself.

What no HTTP request can carry is refused when settings are read. What runs on this machine is reached directly: no
proxy that the environment names stands between. httpx, requests, urllib and the vendors' libraries all read NO_PROXY;
httpx knows no networks in it, so addresses of loopback other than the usual one are named one by one.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

QUOTES = "\"'`"
ALWAYS = ("localhost", "127.0.0.1", "::1", "127.0.0.0/8", "0.0.0.0")


def header_key(value: str) -> str:
    """A key without white space around it. ValueError names the place and the character that no header can hold, never
    the key."""
    key = value.strip()
    for place, sign in enumerate(key, 1):
        if not "!" <= sign <= "~":
            name = unicodedata.name(sign, f"U+{ord(sign):04X}").lower()
            raise ValueError(
                f"holds a character at place {place} that no key has ({name}): copy the key anew, without "
                "quotation marks, spaces and line breaks"
            )
    if len(key) > 1 and key[0] in QUOTES and key[-1] == key[0]:
        raise ValueError("stands in quotation marks, which belong to it here: leave them out")
    return key


def http_address(value: str) -> str:
    """An address without white space around it and without a slash at its end. ValueError says what is wrong."""
    address = value.strip()
    if not address:
        return ""
    if not address.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from None
    if not host:
        raise ValueError("names no host")
    wrong = next((sign for sign in address if sign.isspace() or not sign.isprintable() or sign in "“”‘’«»<>\"'`"), "")
    if wrong:
        raise ValueError(f"holds {wrong!r}, which no address has: copy it anew, without quotation marks and spaces")
    return address.rstrip("/")


def plain_address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address, also with a port or in brackets; the IPv4 address where IPv6 carries one; None if it is none."""
    host = re.sub(r"^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$", r"\1\2", value.strip())
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def networks(value: str) -> str:
    """Addresses and networks, separated by commas, as they are compared later. ValueError names one that is none."""
    found = []
    for one in filter(None, (part.strip() for part in value.split(","))):
        try:
            found.append(str(ipaddress.ip_network(one, strict=False)))
        except ValueError:
            raise ValueError(f"holds {one[:40]!r}: give addresses or networks as 10.0.0.5 or 10.0.0.0/8") from None
    return ",".join(found)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine itself, by its spelling alone."""
    address = plain_address(host)
    if address is None:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback


def around_proxies(environment: Mapping[str, str], urls: Iterable[str] = ()) -> dict[str, str]:
    """NO_PROXY in both spellings: what `environment` has in either, and this machine, with hosts of `urls` on it."""
    kept = [entry.strip() for name in ("NO_PROXY", "no_proxy") for entry in environment.get(name, "").split(",")]
    hosts = [urlsplit(url).hostname or "" for url in urls]
    entries = dict.fromkeys(filter(None, [*kept, *ALWAYS, *filter(is_loopback, hosts)]))
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(entries))
