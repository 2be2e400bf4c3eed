"""Annotate many tasks through an LLM server on loopback that fails in every way it can.

    python -m benchmarks.teacher.faults --out FILE.json [--tasks 10000] [--rate 100] [--share 0.05] [--per-call 1]

The server speaks OpenAI's protocol, allows `--rate` answers a second (beyond it 429 with Retry-After), and plays each
kind of fault for `--share` of the questions when they are first asked. Measured are what was lost, what was paid twice
(texts for which a usable answer was bought more than once), the throughput as a share of the server's own limit, the
ledger against the server's bill, processor time, and a second run after all candidate sets were deleted. The job is the
real one, on a real SQLite pool. `--rate` must be what server and machine can do: the processor time tells.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import re
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from backend.errors import ShortlistError
from backend.jobs import annotate
from backend.pool import candidates, jobs, ledger, projects, tasks
from backend.pool.database.engine import open_engine, upgrade, write
from backend.pool.database.tables import candidate_sets
from backend.projects.current import current_of
from backend.projects.job import Job
from backend.queue.job_queue import JobQueue
from backend.services import Services
from backend.settings import load_settings
from model.labels import LabelSpace
from model.teacher.errors import TeacherUnavailable

KINDS = ("overload", "error", "dropped", "broken json", "unknown label", "empty", "cut off", "slow")
USABLE = ("", "slow")
SLOW_SECONDS = 2.0
ATTEMPTS = 50  # of the job, as the queue would repeat it
TEXT = re.compile(r"<text>\n(.*?)\n</text>", re.DOTALL)
LABELS = ("billing", "refund", "shipping")


class Server(ThreadingHTTPServer):
    """Counts every answer by question; `limited` are those that came too fast."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, rate: float, share: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rate, self.share = rate, share
        self.billed = 0
        self.usable: Counter[str] = Counter()  # answers by text
        self.asked: Counter[str] = Counter()
        self.played: Counter[str] = Counter()
        self.first = self.last = 0.0
        self._room, self._since = rate / 10, time.monotonic()
        self._lock = threading.Lock()

    def next(self, texts: list[str]) -> str:
        """What to play for this question: limited, a kind of fault, or nothing."""
        question = "\n".join(texts)
        with self._lock:
            now = time.monotonic()
            self._room = min(self.rate / 10, self._room + (now - self._since) * self.rate)
            self._since = now
            if self._room < 1:
                self.played["limited"] += 1
                return "limited"
            self._room -= 1
            self.first = self.first or now
            self.asked[question] += 1
            kind = fault(question, self.share) if self.asked[question] == 1 else ""
            self.played[kind or "good"] += 1
            self.billed += kind not in ("overload", "error", "dropped")
            self.usable.update(texts if kind in USABLE else ())
            self.last = now
            return kind


def fault(question: str, share: float) -> str:
    """The fault of a question, by hash; each kind for `share` of the questions."""
    place = int(hashlib.sha256(question.encode()).hexdigest()[:8], 16) / 16**8
    return KINDS[int(place / share)] if place < share * len(KINDS) else ""


def good_answer(texts: int) -> dict[str, Any]:
    """For one text, or for several in one question."""
    labels = {"candidates": ["billing", "refund"]}
    return labels if texts == 1 else {"answers": [{"text": place, **labels} for place in range(1, texts + 1)]}


class Handler(BaseHTTPRequestHandler):
    """POST /v1/chat/completions."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """One question."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = TEXT.findall(body["messages"][1]["content"])
        kind = self.server.next(texts)
        if kind == "dropped":
            self.close_connection = True
            self.connection.close()
            return
        if kind in ("limited", "overload", "error"):
            self._send(500 if kind == "error" else 429, {"error": {"message": kind}}, kind)
            return
        if kind == "slow":
            time.sleep(SLOW_SECONDS)
        said = {"broken json": '{"candidates": ["bil', "unknown label": '{"candidates": ["Paris"]}', "empty": ""}
        text = said.get(kind, json.dumps(good_answer(len(texts))))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        if kind == "cut off":
            choice |= {"finish_reason": "length", "message": {"role": "assistant", "content": '{"cand'}}
        usage = {"prompt_tokens": 200, "completion_tokens": 10, "total_tokens": 210}
        self._send(200, {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"],
                         "choices": [choice], "usage": usage})  # fmt: skip

    def _send(self, status: int, content: dict[str, Any], kind: str = "") -> None:
        raw = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        if kind in ("limited", "overload"):
            self.send_header("Retry-After-Ms", "50")
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def serve(pipe: Connection, rate: float, share: float) -> None:
    """A process of its own: tell the port, then answer questions about the counts until told to stop."""
    server = Server(rate, share)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    while pipe.recv() != "stop":
        pipe.send((server.billed, server.usable, server.played, server.last - server.first, time.process_time()))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Both runs; the figures."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, options.rate, options.share))
    process.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(options, ours, _services(Path(folder), ours.recv(), options.per_call))
    finally:
        ours.send("stop")
        process.join(10)


def _measure(options: argparse.Namespace, server: Connection, services: Services) -> dict[str, Any]:
    texts = {number: f"message {number} about an order" for number in range(1, options.tasks + 1)}
    tasks.add(services.engine, 7, texts)
    began = time.process_time()
    repeats = _annotate(services)
    busy = time.process_time() - began
    server.send("counts")
    billed, usable, played, seconds, server_busy = server.recv()
    project = projects.get(services.engine, 7)
    assert project is not None
    version = current_of(services, project).teacher_version
    found = candidates.figures(services.engine, 7, version)
    money = ledger.totals(services.engine, 7)
    with write(services.engine) as connection:
        connection.execute(candidate_sets.delete())
    _annotate(services)
    server.send("counts")
    again = server.recv()[0]
    done = sum(played.values()) - played["limited"]
    return {
        "tasks": options.tasks,
        "tasks_per_call": options.per_call,
        "answered": found.answered,
        "lost": options.tasks - found.answered,
        "paid_twice": sum(number - 1 for number in usable.values() if number > 1),
        "billed_by_server": billed,
        "booked_in_ledger": money.calls,
        "still_reserved_microusd": money.unsettled_microusd,
        "seconds": round(seconds, 1),
        "calls_per_second": round(done / seconds, 1),
        "tasks_per_second": round(found.count / seconds, 1),
        "server_limit_per_second": options.rate,
        "share_of_the_servers_limit": round(done / seconds / options.rate, 3),
        "processor_ms_per_call": round(1000 * busy / done, 2),
        "processor_ms_per_call_of_the_server": round(1000 * server_busy / done, 2),
        "job_repeats_after_outage": repeats,
        "faults": dict(played),
        "calls_of_second_run": again - billed,
        "answered_by_second_run": candidates.figures(services.engine, 7, version).answered,
    }


def _annotate(services: Services) -> int:
    """Run the job until it is done, as the queue does; how often it had to be repeated after an outage."""
    jobs.begin(services.engine, 7, "annotate")
    repeats = 0
    while repeats < ATTEMPTS:
        try:
            if annotate.work(Job(services, "annotate", 7)) == "the teacher has been asked about every task":
                return repeats
        except TeacherUnavailable:
            repeats += 1
    raise ShortlistError(f"the job failed {ATTEMPTS} times")


def _services(folder: Path, port: int, per_call: int) -> Services:
    settings = load_settings(
        DATA_DIR=folder, TEACHER="openai:tiny", OPENAI_API_KEY=SecretStr("sk-none-of-your-business"),
        OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1", TEACHER_PRICE="1,2", BUDGET_USD=1000, EXAMPLES="none",
        TEXTS_PER_CALL=per_call,
    )  # fmt: skip
    engine = open_engine(settings.database_url)
    upgrade(engine)
    projects.save_config(engine, 7, "1", "faults", "<View/>", LabelSpace.of(list(LABELS)), "", {})
    ledger.set_cap(engine, 7, 1_000_000_000)
    return Services(settings, engine, JobQueue("", engine))


def main() -> None:
    """Measure and write one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="answers a second that the server allows")
    parser.add_argument("--share", type=float, default=0.05, help="of the questions, for each kind of fault")
    parser.add_argument("--per-call", type=int, default=1, help="tasks in one question")
    parser.add_argument("--quick", action="store_true", help="500 tasks")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.tasks = 500 if options.quick else options.tasks
    found = run(options)
    rows = [{"what": name, "value": value} for name, value in found.items() if not isinstance(value, dict)]
    rows += [{"what": "fault", "kind": kind, "value": value} for kind, value in found["faults"].items()]
    options.out.write_text(json.dumps({"rows": rows, "summary": found}, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
