"""One instance with a real Label Studio and a sample of its own, which the tests of this folder share."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.support.ports import free_port
from tests.support.started import ROOT, Started, alive

TICKETS = (
    "id,message,label\n1,I was charged twice this month,billing\n2,Where is my parcel now?,delivery\n"
    "3,,billing\n4,Two bills for one order,billing\n5,The courier never came,delivery\n"
)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """It runs; a test that stops it starts it again."""
    folder = tmp_path_factory.mktemp("shared")
    file = folder / "tickets.csv"
    file.write_text(TICKETS)
    environment = {"LABEL_STUDIO_PORT": str(free_port()), "LABEL_STUDIO_VENV": str(ROOT / ".venv-label-studio")}
    started = Started(folder, "--with-label-studio", "--sample", str(file), **environment)
    started.until("Ctrl-C stops everything")
    yield started
    children = started.children()
    while started.process.poll() is None:
        started.process.send_signal(signal.SIGINT)  # none after the first interrupts the stopping, however late it is
        time.sleep(0.02)
    assert started.process.returncode == 0
    assert [child for child in children if alive(child)] == []
