"""What people read while packages come in: a line now and then."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

LINE_SECONDS = 5  # a line of progress of each environment at most this often
LARGE_MEGABYTES = 20  # and one for each package that is larger
SIZE = re.compile(r"\(([\d.]+) ?(M|G)i?B\)$")


def follow(said: Iterable[str], sink: IO[str], title: str, total: int, folder: Path) -> None:
    """Copy the lines of pip or uv into the log and say now and then how far it is, and what is large."""
    done, shown, unpacked = 0, time.monotonic(), threading.Event()
    try:
        for line in said:
            sink.write(line)
            word, _, rest = line.strip().partition(" ")
            done += word in ("Collecting", "Processing", "Downloaded")
            size = SIZE.search(rest)
            large = size is not None and (size[2] == "G" or float(size[1]) >= LARGE_MEGABYTES)
            if word in ("Downloading", "Using", "Processing") and (large or time.monotonic() - shown >= LINE_SECONDS):
                file = rest.removeprefix("cached ").split(" ")[0].rpartition("/")[2]
                behind = f" {size[0]}" if size and large else ""
                say(f"{title}: fetching {min(done, total)} of {total}, {'-'.join(file.split('-')[:2])}{behind}")
                shown = time.monotonic()
            elif line.startswith("Installing collected packages"):
                names = rest.partition(": ")[2].split(", ")
                threading.Thread(target=tell_unpacking, args=(folder, title, names, unpacked), daemon=True).start()
    finally:
        unpacked.set()


def tell_unpacking(folder: Path, title: str, names: list[str], over: threading.Event) -> None:
    """Say now and then which package pip unpacks, until it is `over`: pip is silent about that for a minute or two.

    `names` stand in pip's order; a package is there once its metadata is.
    """
    began, shown = time.time() - 1, -1
    while not over.wait(LINE_SECONDS):
        infos = folder.glob("lib/python*/site-packages/*.dist-info")
        done = sum(os.path.getmtime(info) >= began for info in infos if info.exists())
        if shown != done < len(names):
            say(f"{title}: unpacking {done + 1} of {len(names)}, {names[done]}")
            shown = done


def say(message: str) -> None:
    """One line of progress."""
    sys.stdout.write(message + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"shortlist: {message}\n")
