import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.commands.start.console import Console
from backend.commands.start.part import Part, members
from backend.commands.start.supervisor import Supervisor
from backend.errors import StartError

FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
if os.fork() == 0:
    os.setpgrp()
    time.sleep(600)
print("three of us", flush=True)
time.sleep(600)
"""
Children = Callable[[], list[int]]
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(said: io.StringIO) -> Iterator[Supervisor]:
    supervisor = Supervisor(Console(said), restarts=2, first_pause=0.01)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Part]:
    def make(program: str, name: str = "Part", ready: str = "", **options: float) -> Part:
        log = tmp_path / f"{name}.log"
        command = (sys.executable, "-c", program)
        return Part(name, command, os.environ, log, lambda: ready in log.read_text(), **options)

    return make


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


@pytest.fixture
def children() -> Children:
    """Processes that came since the test began: servers that the session lends to other tests do not count."""
    before = {child.pid for child in psutil.Process().children()}

    def since() -> list[int]:
        fresh = [child for child in psutil.Process().children() if child.pid not in before]
        return [one.pid for child in fresh for one in (child, *child.children(recursive=True))]

    return since


def test_stopping_leaves_no_process_of_a_family_behind(
    supervisor: Supervisor, part: Callable[..., Part], children: Children
) -> None:
    before = set(children())
    supervisor.start(part(FAMILY, ready="three", grace_seconds=0.5))
    supervisor.wait_ready("Part")
    session = (set(children()) - before).pop()
    until(lambda: len(members(os.getsid(session))) == 3)
    leader = os.getsid(session)
    supervisor.stop()
    assert members(leader) == []
    assert set(children()) <= before


def test_a_part_that_ignores_the_request_is_killed(
    supervisor: Supervisor, part: Callable[..., Part], children: Children
) -> None:
    supervisor.start(part(STUBBORN, ready="up", grace_seconds=0.3))
    supervisor.wait_ready("Part")
    supervisor.stop()
    assert children() == []


def test_the_first_part_is_stopped_after_the_others(
    supervisor: Supervisor, part: Callable[..., Part], tmp_path: Path
) -> None:
    tell = (
        "import signal, sys, time\n"
        "def stop(*_): open({path!r}, 'a').write({name!r}); sys.exit()\n"
        "signal.signal(15, stop); print('up', flush=True); time.sleep(600)"
    )
    order = tmp_path / "order"
    for name in "abc":
        supervisor.start(part(tell.format(path=str(order), name=name), name=name, ready="up"))
        supervisor.wait_ready(name)
    supervisor.stop()
    assert order.read_text()[-1] == "a"
    assert sorted(order.read_text()) == ["a", "b", "c"]


def test_a_part_that_dies_before_it_is_ready_is_reported_with_its_last_words(
    supervisor: Supervisor, part: Callable[..., Part]
) -> None:
    supervisor.start(part("raise SystemExit('no such table')", ready="never"))
    with pytest.raises(StartError, match=r"Part did not start \(exit code 1, log .*\)\. Its last words: no such table"):
        supervisor.wait_ready("Part")


def test_a_part_that_never_answers_is_reported(supervisor: Supervisor, part: Callable[..., Part]) -> None:
    supervisor.start(part("import time; time.sleep(600)", ready="never", ready_seconds=0.1))
    with pytest.raises(StartError, match=r"Part did not answer within 0 s; see .*Part\.log"):
        supervisor.wait_ready("Part")


def test_a_missing_program_is_reported(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"Redis cannot start: .*no-such-program"):
        supervisor.start(Part("Redis", ("/no-such-program",), os.environ, tmp_path / "log", lambda: True))


def test_a_dead_part_is_started_again(
    supervisor: Supervisor, part: Callable[..., Part], said: io.StringIO, tmp_path: Path, children: Children
) -> None:
    once = (
        f"import os, time; p = {str(tmp_path / 'once')!r}\nif os.path.exists(p): time.sleep(600)\nopen(p, 'w').close()"
    )
    supervisor.start(part(once))
    thread = threading.Timer(0, lambda: (until(lambda: "started again" in said.getvalue()), supervisor.stopping.set()))
    thread.start()
    supervisor.run()
    thread.join()
    assert "Part stopped; starting it again in 0.01 s (1 of 2)" in said.getvalue()
    assert len(children()) == 1


def test_a_part_that_dies_again_and_again_ends_the_run_with_a_reason(
    supervisor: Supervisor, part: Callable[..., Part], said: io.StringIO
) -> None:
    supervisor.start(part("raise SystemExit('still no memory')"))
    with pytest.raises(StartError, match=r"Part stopped 3 times in a row; it is not started again .*still no memory"):
        supervisor.run()
    assert "(2 of 2)" in said.getvalue()
    assert "0.02 s" in said.getvalue()


def test_deaths_long_ago_are_forgotten(part: Callable[..., Part], said: io.StringIO) -> None:
    now = [0.0]
    supervisor = Supervisor(Console(said), restarts=1, first_pause=0.0, clock=lambda: now[0])
    supervisor.start(part("pass"))
    for _ in range(4):
        lines = said.getvalue().count("starting it again")
        while said.getvalue().count("starting it again") == lines:
            supervisor.check()
            time.sleep(0.01)
        now[0] += 1000
        supervisor.check()
    assert "(1 of 1)" in said.getvalue()
    supervisor.stop()


def test_what_goes_wrong_beside_the_watching_ends_the_run(supervisor: Supervisor) -> None:
    def fail() -> None:
        raise StartError("the sample is gone")

    with pytest.raises(StartError, match="the sample is gone"):
        supervisor.run(fail)


def test_waiting_ends_when_a_stop_is_asked_for(supervisor: Supervisor, part: Callable[..., Part]) -> None:
    supervisor.start(part("import time; time.sleep(600)", ready="never"))
    supervisor.stopping.set()
    supervisor.wait_ready("Part")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux only")
def test_parts_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, time\n"
        "from backend.commands.start.part import Part, Process\n"
        f"part = Part('p', ('sleep', '600'), os.environ, pathlib.Path({str(tmp_path / 'log')!r}), lambda: True)\n"
        "print(Process(part).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not members(pid))  # it leads a session of its own
