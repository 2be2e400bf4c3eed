"""From the settings to a teacher. `teacher_hash` loads nothing heavy: Label Studio asks for versions very often."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from model.arrays import Embed
from model.labels import LabelSpace
from model.teacher.base import Teacher
from model.teacher.errors import TeacherRefused
from model.teacher.prompting.prompts import Prompt, Strategy
from model.teacher.similarity import NAME, SimilarityTeacher, similarity_hash

if TYPE_CHECKING:
    from model.teacher.llm import LlmTeacher
    from model.teacher.prompting.composing import Composer, Remarks
    from model.teacher.prompting.examples import Example
    from model.teacher.providers.prices import Price
    from model.teacher.providers.provider import Provider
    from model.teacher.providers.throttle import Throttle

SEVERAL = re.compile(r"\+(?=(?:similarity$|openai:|anthropic:))")
OFFLINE = ("auto", "similarity", "")  # values of TEACHER that ask no LLM
VARIED = 0.5  # temperature of self-consistency, as in the paper; used where a provider has one


@dataclass(frozen=True)
class TeacherOptions:
    """What is needed to make a teacher. Keys are never shown in a repr.

    `teacher` is auto, similarity, openai:<model> or anthropic:<model>; several joined by `+` vote.
    """

    teacher: str = "auto"
    prompt: str = "all"  # single, unsure, all
    max_candidates: int = 5
    openai_api_key: str = field(default="", repr=False)
    openai_base_url: str = ""
    anthropic_api_key: str = field(default="", repr=False)
    anthropic_base_url: str = ""
    price: str = ""  # TEACHER_PRICE
    instructions: str = ""  # the project's labelling instructions
    encoder: str = "default"  # which encoder `embed` uses: it shapes the similarity teacher's answers
    template: str = ""  # replaces the built-in prompt template
    examples: str = "none"  # none, nearest, fixed (the same for all texts, so that providers can cache them)
    example_count: int = 10
    examples_written: int = 0  # per label, by the LLM itself, for labels that people have no example of
    labels_shown: str = "auto"  # auto, off, or a number: how many labels an LLM is shown, nearest to the text
    per_call: int = 1  # texts in one call
    votes: int = 1  # opinions per LLM (self-consistency)
    remarked: bool = False  # what a committee's members say stands after each text


def is_similarity(options: TeacherOptions) -> bool:
    """Whether the offline similarity teacher (no LLM) is chosen; `auto` means it."""
    return options.teacher in OFFLINE


def title_of(teacher: str) -> str:
    """What people are told of the teacher that a value of TEACHER names."""
    return NAME if teacher in OFFLINE else f"LLM teacher {teacher}"


def teacher_hash(options: TeacherOptions, space: LabelSpace) -> str:
    """Six hex digits over everything that shapes the teacher's answers: model, prompt, strategy, limits, policies.

    Not over the address of a server, prices, keys, or the examples that people's labels provide.
    """
    if is_similarity(options):
        return similarity_hash(options.max_candidates, options.encoder)
    from model.teacher.llm import llm_hash
    from model.teacher.prompting.composing import composed_hash
    from model.teacher.prompting.examples import policy_of
    from model.teacher.voting import panel_hash

    hashes = []
    for one in members_of(options):
        if is_similarity(one):
            hashes.append(teacher_hash(one, space))
            continue
        for prompt, temperature in _opinions(one, space):
            few = policy_of(one.examples, one.examples_written)
            composed = composed_hash(prompt, few, one.example_count, one.labels_shown, temperature, one.remarked)
            hashes.append(llm_hash(one.teacher, composed, one.per_call))
    return hashes[0] if len(hashes) == 1 else panel_hash(hashes, options.max_candidates)


def prompt_of(options: TeacherOptions, space: LabelSpace) -> Prompt:
    """The prompt that an LLM would be asked with. TeacherRefused if the strategy is unknown."""
    try:
        strategy = Strategy(options.prompt)
    except ValueError:
        raise TeacherRefused(f"PROMPT={options.prompt!r} is unknown; allowed are single, unsure, all") from None
    return Prompt(space, strategy, options.max_candidates, options.instructions, options.template)


def make_teacher(
    options: TeacherOptions,
    space: LabelSpace,
    embed: Embed,
    examples: Sequence[Example] = (),
    remarks: Remarks | None = None,
) -> Teacher:
    """The teacher that the options name. TeacherRefused says which setting is missing or wrong.

    `examples` are labelled texts of the project, the latest last, `remarks` says what stands after each text; both are
    used if the options ask for them.
    """
    if is_similarity(options):
        return SimilarityTeacher(space, embed, options.max_candidates, options.encoder)
    from model.teacher.voting import Panel

    members: list[Teacher] = []
    for one in members_of(options):
        if is_similarity(one):
            members.append(make_teacher(one, space, embed))
        else:
            members += _llms(one, space, embed, examples, remarks)
    return members[0] if len(members) == 1 else Panel(options.teacher, members, space, options.max_candidates)


def address_of(options: TeacherOptions) -> str:
    """Where the LLM of these options is, empty for the vendor itself."""
    return options.anthropic_base_url if options.teacher.startswith("anthropic:") else options.openai_base_url


def members_of(options: TeacherOptions) -> list[TeacherOptions]:
    """The options of each teacher that `teacher` names."""
    return [replace(options, teacher=name) for name in SEVERAL.split(options.teacher)]


def _opinions(options: TeacherOptions, space: LabelSpace) -> list[tuple[Prompt, float | None]]:
    """Prompt and temperature of each opinion: alone the provider's defaults, else another label order each time."""
    prompt = prompt_of(options, space)
    if options.votes <= 1:
        return [(prompt, None)]
    temperature = VARIED if options.teacher.startswith("openai:") else None
    return [(replace(prompt, shuffle=number), temperature) for number in range(options.votes)]


def _llms(
    options: TeacherOptions, space: LabelSpace, embed: Embed, examples: Sequence[Example], remarks: Remarks | None
) -> list[LlmTeacher]:
    from model.teacher.llm import LlmTeacher
    from model.teacher.prompting.composing import Composer
    from model.teacher.prompting.examples import Examples
    from model.teacher.prompting.narrowing import Narrowing, shown_labels
    from model.teacher.providers.prices import price_of
    from model.teacher.providers.throttle import shared_throttle

    price = price_of(options.teacher, options.price)
    throttle = shared_throttle(options.teacher.partition(":")[0], address_of(options))
    provider = _provider(options, price, throttle)
    few = None
    if options.examples not in ("none", "nearest", "fixed"):
        raise TeacherRefused(f"examples={options.examples!r} is unknown; allowed are none, nearest, fixed")
    if options.examples != "none":
        fixed = options.examples == "fixed"
        few = Examples(examples, embed, options.example_count, fixed, options.examples_written)
    shown = shown_labels(space, options.labels_shown)
    narrowing = Narrowing(space, embed, shown) if shown < len(space) else None
    said = remarks if options.remarked else None
    composers: list[Composer] = [
        Composer(prompt, few, narrowing, temperature, said, options.remarked)
        for prompt, temperature in _opinions(options, space)
    ]
    return [LlmTeacher(provider, composer, price, throttle, options.per_call) for composer in composers]


def _provider(options: TeacherOptions, price: Price, throttle: Throttle) -> Provider:
    kind, _, model = options.teacher.partition(":")
    if kind == "openai" and model:
        from model.teacher.providers.openai import OpenAIProvider

        return OpenAIProvider(model, options.openai_api_key, price, options.openai_base_url, throttle.heard)
    if kind == "anthropic" and model:
        from model.teacher.providers.anthropic import AnthropicProvider

        address = options.anthropic_base_url
        return AnthropicProvider(model, options.anthropic_api_key, price, address, throttle.heard)
    raise TeacherRefused(
        f"TEACHER={options.teacher!r} is unknown; allowed are auto, similarity, openai:<model>, anthropic:<model>, "
        "or several of them joined by +"
    )
