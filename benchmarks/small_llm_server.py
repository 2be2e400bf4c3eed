"""A small LLM of this machine behind OpenAI's protocol, so that the product asks it as it asks any other server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.small_llm import SmallLlm


@contextmanager
def serving(llm: SmallLlm, structured: bool = True) -> Iterator[str]:
    """The base URL of a server on loopback. Without `structured` it refuses schemas, as lesser servers do."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(llm, structured))
    thread = threading.Thread(target=server.serve_forever, name="small-llm", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def handler(llm: SmallLlm, structured: bool) -> type[BaseHTTPRequestHandler]:
    """Answers POST /v1/chat/completions, one request after the other."""
    one_by_one = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """One answer, or a 422 that names what is not known."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "response_format" in asked and not structured:
                self.send(422, {"error": {"message": "Unexpected keys in the request: {'response_format'}"}})
                return
            with one_by_one:
                self.send(200, completion(llm, asked))

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


def completion(llm: SmallLlm, asked: dict[str, Any]) -> dict[str, Any]:
    """A chat completion."""
    schema = asked.get("response_format", {}).get("json_schema", {}).get("schema")
    said = llm.answer(asked["messages"], asked["max_tokens"], schema)
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
