"""Whether a server on this machine answers, asked without proxies."""

from __future__ import annotations

import urllib.error
import urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str, seconds: float = 2.0) -> bool:
    """True if `url` answers with a 2xx status within `seconds`."""
    try:
        with _OPENER.open(url, timeout=seconds) as response:
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False
