"""Failures of pip and uv in one line."""

import pytest
from installing.failures import explain


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: Could not find a version ...\nERROR: No matching distribution found for torch==9", "has no build"),
        ("error: failed to write to file: No space left on device (os error 28)", "the disk is full"),
        ("error: Failed to fetch: `https://x/`\n  Caused by: dns error\n", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash differs"),
        ("error: Failed to download\n  Caused by: Hash mismatch for `six==1.17.0`", "its hash differs"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "may not be written"),
        ("some\nERROR: something else\nlast", "ERROR: something else"),
        ("first\nlast line\n\n", "last line"),
        ("", "no reason given"),
    ],
)
def test_failures_are_explained_in_one_line(said: str, reason: str) -> None:
    assert reason in explain(said)
    assert "\n" not in explain(said)
