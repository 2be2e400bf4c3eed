import contextlib
import io
import json
import os

from backend.commands.start.console import QUIET_SECONDS, Console, JsonConsole


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_rewrites_one_line_and_gives_way_to_the_next() -> None:
    stream = Terminal()
    console = Console(stream)
    console.progress("1 of 2")
    console.progress("2 of 2")
    console.say("done")
    assert stream.getvalue() == "1 of 2\r\x1b[2K2 of 2\r\x1b[2Kdone\n"


def test_progress_elsewhere_is_a_line_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    console = Console(stream, clock=lambda: now[0])
    console.progress("1 of 9")
    console.progress("2 of 9")
    now[0] += QUIET_SECONDS
    console.progress("7 of 9")
    now[0] += QUIET_SECONDS
    console.progress("7 of 9")
    console.say("done")
    assert stream.getvalue().splitlines() == ["1 of 9", "7 of 9", "done"]


def test_a_reader_that_is_gone_is_no_reason_to_fail() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    console = Console(stream)
    console.say("nobody reads this")
    console.progress("nor this")
    with contextlib.suppress(OSError):
        stream.close()
    console.say("the stream is closed")


def test_programs_get_one_object_per_line() -> None:
    stream, now = io.StringIO(), [0.0]
    console = JsonConsole(stream, clock=lambda: now[0])
    console.progress("1 of 9")
    console.progress("2 of 9")
    console.say("Worker: ready after 3 s")
    console.say("")
    now[0] += QUIET_SECONDS
    console.progress("9 of 9")
    console.announce(["Open Label Studio"], {"shortlist": "http://127.0.0.1:9090", "project": None})
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(row["event"], row.get("message")) for row in rows] == [
        ("progress", "1 of 9"), ("message", "Worker: ready after 3 s"), ("progress", "9 of 9"), ("ready", None),
    ]  # fmt: skip
    assert (rows[-1]["shortlist"], rows[-1]["project"]) == ("http://127.0.0.1:9090", None)
    assert all(row["time"].endswith("+00:00") for row in rows)
