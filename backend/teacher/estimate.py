"""What a run of the teacher would cost, before anything is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from backend.pool import ledger, tasks
from backend.projects.current import Current
from backend.teacher.kept_answers import KeptAnswers
from backend.teacher.project_teacher import as_llm, examples_writer, llms_of, open_teacher
from model.teacher.errors import TeacherError

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.teacher.base import Teacher, Usage
    from model.teacher.llm import LlmTeacher

SAMPLE = 300  # texts whose requests are composed; the rest is extrapolated
COUNTED = 3  # requests that a provider is asked to count the tokens of


@dataclass(frozen=True)
class Estimate:
    """US dollars and tokens for the tasks without an answer. A teacher without an LLM costs nothing.

    `usd` is without prompt caching and without asking again, `usd_cached` with the prompt's stable part in the
    provider's cache, `usd_batch` through the batch API (None: there is none), `most_usd` what can be reserved at most.
    `prices` is the date of the price table, or TEACHER_PRICE; `counted` whether the provider counted tokens itself,
    `uncounted` why it did not where it can. `writing` of the calls ask for examples of the LLM's own. `fewer`: a
    committee will ask about a part of the tasks only.
    """

    teacher: str
    version: str
    tasks: int
    kept: int
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    usd_cached: float = 0.0
    usd_batch: float | None = None
    most_usd: float = 0.0
    prices: str = ""
    counted: bool = False
    uncounted: str = ""
    writing: int = 0
    fewer: bool = False
    budget_left_usd: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)


def estimate(current: Current, embed: Embed) -> Estimate:
    """For all tasks that the project's teacher has not answered. TeacherRefused if a model's price is not known."""
    version = current.teacher_version
    ids = tasks.ids_without_candidates(current.engine, current.number, version)
    texts = list(tasks.texts(current.engine, current.number, ids).values())
    teacher = open_teacher(current, embed)
    money, options = ledger.totals(current.engine, current.number), current.options
    left = options.BUDGET_USD - money.counted_microusd / 1e6
    if not teacher.paid:
        return Estimate(teacher.name, version, len(texts), 0, budget_left_usd=left)
    parts = [_part(member, texts) for member in getattr(teacher, "members", (teacher,)) if member.paid]
    batch = [part["usd_batch"] for part in parts]
    llms, first = llms_of(teacher), _examples(current, embed)
    return Estimate(
        teacher.name,
        version,
        len(texts),
        len(texts) - max(part["tasks"] for part in parts),
        calls=sum(part["calls"] for part in parts) + first.calls,
        input_tokens=sum(part["input_tokens"] for part in parts) + first.input_tokens,
        output_tokens=sum(part["output_tokens"] for part in parts) + first.output_tokens,
        usd=sum(part["usd"] for part in parts) + first.microusd / 1e6,
        usd_cached=sum(part["usd_cached"] for part in parts) + first.microusd / 1e6,
        usd_batch=None if len(llms) != 1 or None in batch else sum(batch) + first.microusd / 1e6,
        most_usd=sum(part["most_usd"] for part in parts) + _most_for_examples(current, embed) / 1e6,
        prices=next((llm.price.as_of for llm in llms if llm.price.as_of), "TEACHER_PRICE"),
        counted=all(part["counted"] for part in parts),
        writing=first.calls,
        uncounted=next((part["uncounted"] for part in parts if part["uncounted"]), ""),
        fewer=options.MODE == "committee",
        budget_left_usd=left,
    )


def _examples(current: Current, embed: Embed) -> Usage:
    """What examples of the LLM's own are likely to cost, if there are none yet."""
    from model.teacher.base import Usage
    from model.teacher.example_writing import likely_cost

    writer = examples_writer(current, embed)
    return Usage() if writer is None else likely_cost(writer.llm, writer.per_label)


def _most_for_examples(current: Current, embed: Embed) -> int:
    from model.teacher.example_writing import upper_bound_microusd

    writer = examples_writer(current, embed)
    return 0 if writer is None else upper_bound_microusd(writer.llm, writer.per_label)


def _part(member: Teacher, texts: Sequence[str]) -> dict[str, Any]:
    """The figures of one LLM."""
    llm = as_llm(member)
    assert llm is not None, "what is paid is an LLM"
    unknown = list(dict.fromkeys(member.unknown(texts) if isinstance(member, KeptAnswers) else texts))
    sample = unknown[:: max(1, len(unknown) // SAMPLE)][:SAMPLE]
    scale = len(unknown) / max(1, len(sample))
    likely, (factor, uncounted) = llm.estimate(sample), _provider_factor(llm, sample[:COUNTED])
    calls = round(likely.calls * scale)
    sent, output = round(likely.input_tokens * scale * (factor or 1.0)), round(likely.output_tokens * scale)
    usd = (sent * llm.price.input + output * llm.price.output) / 1e6
    saved = max(0, calls - 1) * _prefix(llm) * (llm.price.input - llm.price.cached) / 1e6
    return {
        "tasks": len(unknown),
        "calls": calls,
        "input_tokens": sent,
        "output_tokens": output,
        "usd": usd,
        "usd_cached": usd - saved,
        "usd_batch": usd * llm.price.batch if llm.price.batch < 1 else None,
        "most_usd": llm.upper_bound_microusd(sample) * scale / 1e6,
        "counted": factor is not None,
        "uncounted": uncounted,
    }


def _prefix(llm: LlmTeacher) -> int:
    """Tokens at the beginning of every request that providers keep in their cache; 0 where they are too few."""
    from model.teacher.prompting.tokens import estimate_tokens

    if llm.composer.narrowing is not None:
        return 0
    request = llm.composer.requests([""])[0]
    stable = sum(estimate_tokens(turn.text) for turn in request.turns[: request.stable])
    length = estimate_tokens(request.system) + stable
    return length if length >= llm.price.prefix else 0


def _provider_factor(llm: LlmTeacher, texts: Sequence[str]) -> tuple[float | None, str]:
    """Tokens as the provider counts them, per token of our estimate. None where it does not count, and why it refused
    to where it can."""
    from model.teacher.prompting.composing import likely_sent
    from model.teacher.providers.anthropic import AnthropicProvider

    provider = llm.provider
    if not isinstance(provider, AnthropicProvider) or not texts:
        return None, ""
    requests = llm.composer.requests(texts)
    try:
        counted = sum(map(provider.count, requests))
    except TeacherError as error:
        return None, str(error)
    return counted / max(1, sum(map(likely_sent, requests))), ""
