"""Real tasks through a real LLM. It is too small to be right: what counts is that every text gets an honest answer."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import regex

from benchmarks.shared.small_llm import Asked, SmallLlm, pattern
from benchmarks.shared.small_llm_server import serving
from model.labels import Label, LabelSpace
from model.teacher.base import State, Usage
from model.teacher.choice import TeacherOptions, make_teacher
from model.teacher.prompting.examples import Example
from model.teacher.prompting.prompts import Prompt, Strategy
from tests.support.embedding import embed_words
from tests.support.small_llm import ServedLlm, missing_packages, unpacked

pytestmark = [
    pytest.mark.llm,
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings("default"),  # of the libraries that unpack the weights
    pytest.mark.skipif(bool(missing_packages()), reason=f"not installed: {', '.join(missing_packages())}"),
]
SAMPLE = Path(__file__).resolve().parents[3] / "backend" / "commands" / "start" / "sample"
TASKS = int(os.environ.get("LLM_TASKS", "6"))  # each takes two seconds of a core
EXAMPLES = [  # by them it learns the form of an answer, so that few texts are asked about twice
    Example("I paid this bill two times", "billing"),
    Example("where is the courier with my box", "delivery"),
]
SHORT = "One label per text. $labels\n$form"  # a small model on a small machine reads some fifty tokens a second


@pytest.fixture(scope="module")
def weights() -> Path:
    """The model's folder."""
    return unpacked()


@pytest.fixture(scope="module")
def small_llm(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLlm]:
    """The server, started once."""
    server = ServedLlm(weights, tmp_path_factory.mktemp("small-llm") / "serve.log")
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def test_a_real_llm_can_be_held_to_the_schema(weights: Path) -> None:
    space = LabelSpace.of(["billing", "delivery"])
    texts = ["I paid twice", "where is my box", "the courier never came and I want my money back"]
    llm, schema = SmallLlm(str(weights)), Prompt(space, Strategy.ALL, 2).schema()
    with serving(llm) as address:
        options = TeacherOptions("openai:small", openai_base_url=address, price="0,0", template=SHORT)
        answers = make_teacher(options, space, embed_words).shortlist(texts)
    assert all(answer.state is not State.UNPARSED for answer in answers)
    assert sum(answer.usage.cached_tokens for answer in answers) > 0
    said = llm.answers([Asked([{"role": "user", "content": texts[-1]}], 60, schema)])
    assert all(regex.fullmatch(pattern(schema), one.text) for one in said)


def test_a_real_llm_answers_every_text_or_says_why_not(small_llm: ServedLlm) -> None:
    rows = json.loads((SAMPLE / "labels.json").read_text())
    space = LabelSpace(tuple(Label(row["name"]) for row in rows))
    lines = (SAMPLE / "messages.jsonl").read_text().splitlines()
    texts = sorted((json.loads(line)["text"] for line in lines), key=len)[:TASKS]
    options = TeacherOptions(
        f"openai:{small_llm.model}", "single", openai_base_url=small_llm.base_url, price="0.1,0.5", template=SHORT,
        examples="fixed", example_count=2,
    )  # fmt: skip
    teacher: Any = make_teacher(options, space, embed_words, EXAMPLES)
    teacher.provider.client = teacher.provider.client.with_options(timeout=1800)  # a busy machine is no failure
    answers = teacher.shortlist(texts)
    assert len(answers) == TASKS
    for answer in answers:
        assert answer.candidates is None or set(answer.candidates.labels) <= set(space.names)
        assert answer.state is State.ANSWERED or answer.reason
        assert 1 <= answer.usage.calls <= 2
        assert answer.usage.input_tokens > 50
    assert Counter(answer.state for answer in answers)[State.ANSWERED] > TASKS / 2
    spent = sum((answer.usage for answer in answers), Usage())
    assert 0 < spent.microusd <= teacher.upper_bound_microusd(texts)
    print(Counter(answer.state.value for answer in answers), spent)
