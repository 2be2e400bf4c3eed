"""The bar for serving: bare Flask that reads the same bodies and answers with as much JSON, and does nothing else."""

from __future__ import annotations

import json
import os
from typing import Any

from flask import Flask, Response, request

VERSION = os.environ.get("ECHO_VERSION", "student-1-9f2c1a")
ENTRY = json.loads(os.environ.get("ECHO_ENTRY", "{}"))

app = Flask(__name__)


@app.get("/health")
def health() -> dict[str, str]:
    """Alive."""
    return {"status": "UP"}


@app.post("/setup")
def setup() -> Response:
    """A constant version."""
    json.loads(request.get_data())
    return _json({"model_version": VERSION})


@app.post("/predict")
def predict() -> Response:
    """A constant entry per task."""
    body = json.loads(request.get_data())
    return _json({"results": [ENTRY for _ in body["tasks"]]})


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), mimetype="application/json")
