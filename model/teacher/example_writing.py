"""Few-shot examples written by the LLM itself, for projects in which nobody has labelled anything yet.

CanDist (arXiv 2506.03857) starts from a pool of generated examples; here the same number for every label. As people
label, their texts take the place of generated ones, label by label (see Examples).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from model.labels import Label
from model.teacher.base import Usage
from model.teacher.errors import TeacherError, TextRefused
from model.teacher.llm import LlmTeacher
from model.teacher.prompting.answers import json_values
from model.teacher.prompting.composing import likely_sent
from model.teacher.prompting.examples import Example
from model.teacher.prompting.label_names import Names
from model.teacher.providers.provider import LIMIT, Request, Turn
from model.teacher.run import Run
from model.text_groups import same

TOKENS_EACH = 120  # room for one example
LIKELY_EACH = 25  # tokens of one, as a rule
SHORTEST = 3  # characters
THREADS = 4


def generate_examples(teacher: LlmTeacher, per_label: int = 2) -> tuple[list[Example], Usage]:
    """Up to `per_label` texts for every label, and what they cost; one call per label.

    Texts that come for two labels, or that are a label's name and nothing else, say nothing and are dropped. A label
    for which nothing usable comes has none.
    Raises TeacherRefused or TeacherUnavailable with what was `spent`.
    """
    run, usages, found = Run(), [], dict[str, set[str]]()
    with ThreadPoolExecutor(THREADS, "examples") as threads:
        for label, texts, usage in threads.map(lambda label: _ask(teacher, label, per_label, run), _labels(teacher)):
            usages.append(usage)
            for text in texts:
                found.setdefault(text, set()).add(label)
    spent = sum(usages, Usage())
    run.lose(spent)
    run.raise_if_failed(len(usages))
    names = Names.of(teacher.prompt.space)
    sure = [(text, next(iter(labels))) for text, labels in found.items() if len(labels) == 1 and not names.listed(text)]
    return [Example(text, label, human=False) for text, label in sure], spent


def upper_bound_microusd(teacher: LlmTeacher, per_label: int = 2) -> int:
    """What generating can cost at most."""
    requests = [request_for(teacher, label, per_label) for label in _labels(teacher)]
    return sum(map(teacher.bound_of, requests))


def likely_cost(teacher: LlmTeacher, per_label: int = 2) -> Usage:
    """What generating is likely to cost, without cache hits."""
    requests = [request_for(teacher, label, per_label) for label in _labels(teacher)]
    usages = (teacher.price.usage(likely_sent(request), LIKELY_EACH * per_label) for request in requests)
    return sum(usages, Usage())


def request_for(teacher: LlmTeacher, label: Label, per_label: int) -> Request:
    """What is asked for one label: the labels and instructions as always, then the wish."""
    wish = (
        f"Do not label anything now. Write {per_label} realistic texts, different from one another, that clearly get "
        f'the label "{label.name}" and no other. Answer with JSON like {{"texts": ["..."]}}.'
    )
    texts = {"type": "array", "items": {"type": "string"}, LIMIT: per_label}
    schema = {"type": "object", "properties": {"texts": texts}, "required": ["texts"], "additionalProperties": False}
    return Request(teacher.prompt.system(), (Turn("user", wish),), schema, TOKENS_EACH * per_label)


def _labels(teacher: LlmTeacher) -> tuple[Label, ...]:
    return teacher.prompt.space.labels


def _ask(teacher: LlmTeacher, label: Label, per_label: int, run: Run) -> tuple[str, list[str], Usage]:
    texts: list[str] = []
    usage = Usage()
    try:
        run.check()
        reply = teacher.complete(request_for(teacher, label, per_label))
        usage, texts = reply.usage, [] if reply.refused else read_texts(reply.text)[:per_label]
    except TeacherError as error:
        usage = error.spent or usage
        if not isinstance(error, TextRefused):  # one label whose request is refused has no examples
            run.note(error)
    return label.name, texts, usage


def read_texts(raw: str) -> list[str]:
    """The texts of an answer, without doubles; empty if it has none."""
    values, _ = json_values(raw)
    rows = values[0].get("texts") if values and isinstance(values[0], dict) else None
    texts = [row.strip() for row in rows if isinstance(row, str)] if isinstance(rows, list) else []
    return list({same(text): text for text in texts if len(text) >= SHORTEST}.values())
