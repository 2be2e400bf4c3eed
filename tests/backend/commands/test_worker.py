"""What a worker imports before its first job."""

from __future__ import annotations

import importlib

import pytest

from backend.commands.worker import PRELOADED


@pytest.mark.parametrize("name", PRELOADED)
def test_what_is_imported_ahead_is_there(name: str) -> None:
    """A wrong name is only logged, and costs every job its start."""
    assert importlib.import_module(name)
