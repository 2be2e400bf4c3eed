"""The web server as a whole where neither torch nor transformers can be imported: it serves a student."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from model.encoder.exported import DESCRIPTION, MODEL, TOKENIZER, shared_name
from model.labels import LabelSpace
from model.student.head import HeadStudent
from tests.support.configs import CONFIG_A
from tests.support.programs import printed, refusing
from tests.support.web_server import CREATED, Server, task_body

ROOT = Path(__file__).resolve().parents[3]
WORDS = ["[PAD]", "[UNK]", "invoice", "parcel"]
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


def small_encoder(folder: Path) -> None:
    """An exported encoder of two dimensions: one for each of the two words it knows."""
    table = numpy_helper.from_array(np.array([[0, 0], [0, 0], [1, 0], [0, 1]], np.float32), "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["states"]),
        helper.make_node("ReduceSum", ["states", "axes"], ["vectors"], keepdims=0),
    ]
    shape = ["rows", "length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["rows", 2])]
    constants = [table, numpy_helper.from_array(np.array([1], np.int64), "axes")]
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), folder / MODEL)
    words = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.save(str(folder / TOKENIZER))
    description = {"identity": "small", "dimension": 2, "longest": 16, "padding": 0, "padding_token": "[PAD]"}
    (folder / DESCRIPTION).write_text(json.dumps(description))


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
