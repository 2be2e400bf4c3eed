"""The web server as a whole where neither torch nor transformers can be imported: it serves a student."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from model.encoder.exported import shared_name
from model.labels import LabelSpace
from model.student.head import HeadStudent
from tests.support.configs import CONFIG_A
from tests.support.encoders import small_encoder
from tests.support.programs import printed, refusing
from tests.support.web_server import CREATED, Server, task_body

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import json, sys, time
from backend.web.wsgi import app

client, end = app.test_client(), time.monotonic() + 240
while True:
    entries = client.post("/predict", json=json.loads(sys.argv[1])).get_json()["results"]
    if all(entries) or time.monotonic() > end:
        break
    time.sleep(0.1)
from backend.commands.doctor.installation import examine_parts
from backend.settings import load_settings

found = next(one for one in examine_parts(load_settings()) if one.check == "Encoder")
print(json.dumps({"entries": entries, "doctor": found.what}))
"""


def test_the_whole_web_server_serves_a_student(server: Server, tmp_path: Path) -> None:
    server.version()
    space = server.project().space
    assert isinstance(space, LabelSpace)
    (tmp_path / "small").mkdir()
    small_encoder(tmp_path / "small")
    server.registry.share(shared_name("default", "float32"), tmp_path / "small")
    out = np.zeros((2, len(space)), np.float32)
    out[0, space.index("billing")] = out[1, space.index("shipping")] = 9
    head = {"mean": np.zeros(2, np.float32), "scale": np.ones(1, np.float32), "out": out}
    student = HeadStudent(space, "default", [{**head, "out_bias": np.zeros(len(space), np.float32)}], 1.0, "bfloat16")
    server.registry.write(7, f"student-1-{space.hash}", student, {})
    server.promote(1, 7)
    tasks = [task_body(1, "parcel"), task_body(2, "invoice")]
    body = {"project": f"7.{CREATED}", "label_config": CONFIG_A, "tasks": tasks}
    settings = server.services.settings
    environment = {"DATA_DIR": str(settings.DATA_DIR), "REDIS_URL": settings.REDIS_URL, "BLIND_SHARE": "0"}
    environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT), "TEACHER": "similarity"}
    code = refusing("torch", "transformers", "sklearn", "onnx") + CODE
    found = json.loads(printed(code, json.dumps(body), cwd=tmp_path, environment=environment).splitlines()[-1])
    assert found["doctor"] == "default runs without torch; 2 dimensions"
    entries = found["entries"]
    said = [next(region["value"]["choices"] for region in entry["result"]) for entry in entries]
    assert said == [["shipping"], ["billing"]]
