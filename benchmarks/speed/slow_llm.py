"""A server on loopback that speaks OpenAI's protocol and takes a fixed time for every answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LATENCY_SECONDS = 1.0


class Server(ThreadingHTTPServer):
    """Counts its answers."""

    daemon_threads, request_queue_size = True, 256

    def __init__(self, label: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answered, self.lock = 0, threading.Lock()
        message = {"role": "assistant", "content": json.dumps({"candidates": [label]})}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        answer: dict[str, Any] = {"id": "c", "object": "chat.completion", "created": 1, "model": "tiny-1"}
        answer |= {"usage": usage, "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        self.body = json.dumps(answer).encode()

    @property
    def url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        """Any question."""
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(LATENCY_SECONDS)
        with self.server.lock:
            self.server.answered += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def slow_llm(label: str) -> Iterator[Server]:
    """A server that proposes this label for everything."""
    server = Server(label)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
