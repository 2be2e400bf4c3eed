"""Why an installation fails, in one line."""

from __future__ import annotations

FULL, DENIED = "the disk is full", "a folder may not be written"
REASONS = (
    (("No space left on device", "Errno 28", "os error 28"), FULL),
    (("Permission denied", "Errno 13", "os error 13"), DENIED),
    (
        (
            "Temporary failure in name resolution",
            "Name or service not known",
            "nodename nor servname",
            "Network is unreachable",
            "Failed to establish a new connection",
            "Connection refused",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "dns error",
            "tcp connect error",
            "operation timed out",
        ),
        "the package index cannot be reached; check the network (or pip's index and proxy settings)",
    ),
    (
        ("DO NOT MATCH THE HASHES", "Hash mismatch"),
        "a package is not the one that was locked (its hash differs); ask who runs the index, or try another one",
    ),
    (
        ("No matching distribution", "has no wheels with a matching", "No solution found"),
        "a pinned package was not found: the index has no build for this machine and Python, or cannot be reached",
    ),
)


class InstallError(Exception):
    """The environment cannot be filled; the message says why and what to do."""


def explain(said: str) -> str:
    """The reason of a failure in one line, from what pip or uv said."""
    for signs, reason in REASONS:
        if any(sign in said for sign in signs):
            return reason
    errors = [line.strip() for line in said.splitlines() if line.lower().startswith("error")]
    found = errors or [line.strip() for line in said.splitlines() if line.strip()]
    return found[-1][:200] if found else "no reason given"
