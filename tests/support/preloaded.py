"""Processes that begin with the libraries already imported: each saves seconds of processor time, and runs as it would.

`multiprocessing`'s fork server imports the third-party packages once; a program is then run in a fork of it, in a
session, a folder and an environment of its own. Nothing of the project is imported before the fork. What BEGIN in the
environment says is run before the program.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from tests.support.guard import run_folder

RUN_SECONDS = 600.0
LIBRARIES = [
    "torch", "transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert", "safetensors.torch",
    "sklearn.linear_model", "scipy.optimize", "label_studio_sdk.label_interface.interface", "flask", "rq", "httpx",
    "sqlalchemy.orm", "alembic.command", "psycopg", "gunicorn.app.wsgiapp", "pydantic_settings", "structlog", "typer",
    "tests.support.frozen",
]  # fmt: skip


class Preloaded:
    """A running program; what tests use of `subprocess.Popen`."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path, errors: Path | None = None
    ) -> None:
        """`command` as for a process: this Python, then `-m module` or `-c code`, then arguments. What it prints goes
        to `log`, and its standard error to `errors` if that is another file."""
        python, way, program, *arguments = command
        assert python == sys.executable
        assert way in ("-m", "-c")
        self._args = list(command)
        target: Any = (way, program, arguments, dict(env), str(cwd), (str(log), str(errors or log)))
        self._process = context().Process(target=_run, args=target)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit status, None while it runs; negative: the signal that ended it."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; subprocess.TimeoutExpired if it does not end in time."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """As Popen does: nothing happens to a process that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of this Python to its end, as `subprocess.run` with captured output does."""
    with tempfile.TemporaryDirectory(dir=run_folder()) as folder:
        said, errors = Path(folder, "said"), Path(folder, "errors")
        code = Preloaded(command, env, cwd, said, errors).wait(RUN_SECONDS)
        return subprocess.CompletedProcess(list(command), code, said.read_text(), errors.read_text())


def context() -> ForkServerContext:
    """Where processes of this module's kind come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def _run(
    way: str, program: str, arguments: list[str], environment: dict[str, str], cwd: str, files: tuple[str, str]
) -> None:
    """In the forked process: become the program."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(cwd)
    for number, path in enumerate(files, 1):
        output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(output, number)
        os.close(output)
    sys.argv = ["-c" if way == "-c" else program, *arguments]
    try:
        exec(environment.get("BEGIN", ""), {})
        if way == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
