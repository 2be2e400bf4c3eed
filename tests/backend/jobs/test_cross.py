"""A cross-encoder of a project of pairs: tried after a training, kept by later ones, told with its cost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backend.jobs import cross, publish, train
from backend.pool import predictions, tasks, versions
from backend.projects.updates import remember
from backend.reporting.report import report_html
from backend.serving.live.models import LiveStudents
from backend.teacher.acquisition import _student as chooser
from benchmarks.shared.waiting import wait_for
from model import crossing
from model.crossing import Trial
from model.loading import load_version
from model.student.artifact import CROSS_WEIGHTS
from model.student.cross_encoder import CrossEncoder
from model.student.crossed import CrossedStudent
from model.student.head import HeadStudent
from model.training import cross_training
from tests.support.toys import tiny_transformer
from tests.support.world import CREATED, MESSAGES, World

CONFIG = """<View><Text name="text" value="$premise"/><Text name="other" value="$hypothesis"/>
  <Choices name="label" toName="text"><Choice value="same"/><Choice value="other"/></Choices></View>"""


@pytest.fixture
def compared(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Sixty pairs of messages, of which people decided fifty, in a project that asks for a cross-encoder."""
    for name in ("LEAST_ROWS", "LEAST_JUDGES"):
        monkeypatch.setattr(crossing, name, 10)
    for name in ("LEAST_STEPS", "MOST_STEPS"):
        monkeypatch.setattr(cross_training, name, 4)
    (tmp_path / "tiny").mkdir()
    words = sorted({word.lower() for many in MESSAGES.values() for text in many for word in text.split()})
    encoder = tiny_transformer(tmp_path / "tiny", words)
    world.set_options(STUDENT_ENCODER=encoder)
    world.double.fields["label_config"] = CONFIG
    remember(world.services, 7, CREATED, CONFIG, extra_params={"CROSS_ENCODER": "true"})
    kinds = list(MESSAGES)
    for row, task in enumerate(world.double.add_tasks([""] * 60)):
        one, other = kinds[row % 3], kinds[(row // 3) % 3]
        left, right = MESSAGES[one][row % 5], f"{MESSAGES[other][row // 12]}, {row}"
        world.double.tasks[task]["data"] = {"premise": left, "hypothesis": right}
        if row < 50:
            world.double.annotate(task, ["same" if one == other else "other"])
    return world


def test_it_is_tried_used_where_it_pays_kept_and_told(compared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world, registry = compared, compared.services.registry
    train.work(world.job("train"))
    publish.work(world.job("publish"))
    assert world.services.queue.place("cross", 7) == "waiting"
    world.services.queue.enqueue("train", 7)
    assert cross.work(world.job("cross")) == "the training that waits goes first"
    world.services.queue.cancel("train", 7)
    monkeypatch.setattr(Trial, "pays", property(lambda trial: True))  # four steps teach it nothing
    said = cross.work(world.job("cross"))
    assert "; A cross-encoder is used: the student was right in alone" in said
    publish.work(world.job("publish"))
    served = world.project.served
    assert served.startswith("student-2-")
    student = load_version(registry.fetch(7, served))
    assert isinstance(student, CrossedStudent)
    stored = predictions.read(world.engine, 7, served)
    texts = tasks.texts(world.engine, 7, list(stored))
    live = LiveStudents(registry)
    loaded = wait_for("the student", lambda: live.get(7, served), 300)
    answers = loaded.answers([texts[task] for task in stored], time.monotonic() + 600)
    live.close()
    assert [one.label for one in answers] == [stored[task][1] for task in stored]
    assert isinstance(chooser(world.services, 7, served), HeadStudent)  # lining up tasks pays for nothing of it
    world.services.queue.cancel("cross", 7)
    read: list[str] = []
    plain = CrossEncoder.probabilities
    monkeypatch.setattr(CrossEncoder, "probabilities", lambda cross, texts: read.extend(texts) or plain(cross, texts))
    train.work(world.job("train"))
    assert read == []  # what it said is kept for all versions that share it
    newest = versions.list_versions(world.engine, 7)[0]
    assert (newest.metrics["training"]["cross"]["pays"], newest.metrics["training"]["cross"]["now"]) == (True, False)
    first, kept = ((registry.fetch(7, one) / CROSS_WEIGHTS).read_bytes() for one in (served, newest.version))
    assert kept == first
    assert world.services.queue.place("cross", 7) == "absent"  # there is not twice as much to learn from
    assert "seconds for 1,000 pairs" in report_html(world.current)


def test_where_it_does_not_pay_the_student_answers_alone(compared: World) -> None:
    train.work(compared.job("train"))
    said = cross.work(compared.job("cross"))
    assert "A cross-encoder is not used, because it does not help beyond chance" in said
    newest = versions.list_versions(compared.engine, 7)[0]
    assert isinstance(load_version(compared.services.registry.fetch(7, newest.version)), HeadStudent)
