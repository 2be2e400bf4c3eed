"""Keys and addresses as people copy them: what no HTTP request can carry is refused when settings are read."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

QUOTES = "\"'`"


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
