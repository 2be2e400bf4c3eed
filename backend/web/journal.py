"""Events that were answered and are not worked through, in a file: a process that is killed leaves them to the next."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

Entry = dict[str, Any]
PREFIX, SUFFIX = "events-", ".jsonl"


class Journal:
    """One file per process, locked while the process lives. Its entries leave it in the order in which they came.

    Nothing is forced to the disk: it is there for a process that dies, not for a machine. Where the folder cannot be
    written, events are kept in memory alone, and the log says so.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._told = False

    def left_behind(self) -> Iterator[Entry]:
        """What dead processes have left; a file is removed once the caller has taken the last of its entries."""
        for path in sorted(self._folder.glob(f"{PREFIX}*{SUFFIX}")):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield from _entries(file.read())
                    path.unlink(missing_ok=True)
            except OSError:  # its process lives, or another one was faster
                continue

    def note(self, entry: Entry) -> None:
        """Keep an entry until it is done."""
        self._append(b"+" + json.dumps(entry).encode() + b"\n")

    def done(self, number: int, none_left: bool) -> None:
        """The first `number` entries are done; with `none_left` that was all."""
        if none_left and self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                return
        self._append(b"-%d\n" % number)

    def close(self) -> None:
        """Leave the entries to whoever looks for them next, as the end of the process does."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, line: bytes) -> None:
        try:
            if self._file is None:
                self._file = self._open()
            if os.write(self._file, line) < len(line):
                raise OSError("the disk is full")
            self._told = False
        except OSError as error:
            if not self._told:
                log.warning("events are kept in memory alone", folder=str(self._folder), reason=str(error))
            self._told = True

    def _open(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            file, _ = tempfile.mkstemp(SUFFIX, PREFIX, self._folder)
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file).st_nlink:  # a process that starts may take a new file for one that was left
                    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
                    return file
            os.close(file)


def _entries(content: bytes) -> list[Entry]:
    """Those that are not done. A last line without an end was being written: its event was not answered."""
    waiting: list[Entry] = []
    for line in content.split(b"\n")[:-1]:
        if line[:1] == b"-" and line[1:].isdigit():
            del waiting[: int(line[1:])]
        elif line[:1] == b"+":
            waiting.append(_entry(line[1:]))
    return waiting


def _entry(text: bytes) -> Entry:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        log.warning("an event in the journal cannot be read", length=len(text))
        return {}
    return found
