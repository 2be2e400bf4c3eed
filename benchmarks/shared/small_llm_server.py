"""A small LLM of this machine behind OpenAI's protocol, so that the product asks it as it asks any other server."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.shared.small_llm import Asked, Said, SmallLlm

TOGETHER = 8  # questions that are answered at the same time
GATHER_SECONDS = 0.02  # to wait for further ones


@contextmanager
def serving(llm: SmallLlm, structured: bool = True) -> Iterator[str]:
    """The base URL of a server on loopback. Without `structured` it refuses schemas, as lesser servers do."""
    desk = Desk(llm)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(desk, structured))
    thread = threading.Thread(target=server.serve_forever, name="small-llm-server", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        desk.close()


class Desk:
    """Takes questions from several threads, and has those answered together that wait at the same time."""

    def __init__(self, llm: SmallLlm) -> None:
        self._llm = llm
        self._waiting: queue.Queue[tuple[Asked, Future[Said]] | None] = queue.Queue()
        self._worker = threading.Thread(target=self._work, name="small-llm", daemon=True)
        self._worker.start()

    def ask(self, asked: Asked) -> Said:
        """Waits for the answer."""
        answer: Future[Said] = Future()
        self._waiting.put((asked, answer))
        return answer.result()

    def close(self) -> None:
        """No further questions."""
        self._waiting.put(None)
        self._worker.join()

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            together = [first]
            time.sleep(GATHER_SECONDS)
            while len(together) < TOGETHER and not self._waiting.empty():
                further = self._waiting.get()
                if further is None:
                    self._waiting.put(None)
                    break
                together.append(further)
            try:
                for (_, answer), said in zip(
                    together, self._llm.answers([asked for asked, _ in together]), strict=True
                ):
                    answer.set_result(said)
            except Exception as error:  # whoever asked is told
                for _, answer in together:
                    answer.set_exception(error)


def handler(desk: Desk, structured: bool) -> type[BaseHTTPRequestHandler]:
    """Answers POST /v1/chat/completions."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """One answer, or a 422 that names what is not known."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "response_format" in asked and not structured:
                self.send(422, {"error": {"message": "Unexpected keys in the request: {'response_format'}"}})
                return
            self.send(200, completion(desk, asked))

        def send(self, status: int, content: dict[str, Any]) -> None:
            """A JSON body."""
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr for every request."""

    return Handler


def completion(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    """A chat completion."""
    schema = asked.get("response_format", {}).get("json_schema", {}).get("schema")
    said = desk.ask(Asked(asked["messages"], asked["max_tokens"], schema))
    message = {"role": "assistant", "content": said.text}
    finish = "length" if said.cut_off else "stop"
    return {
        "id": "small",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {
            "prompt_tokens": said.sent,
            "completion_tokens": said.written,
            "total_tokens": said.sent + said.written,
            "prompt_tokens_details": {"cached_tokens": said.cached},
        },
    }
