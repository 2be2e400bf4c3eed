"""From the settings to a teacher. `teacher_hash` loads nothing heavy: Label Studio asks for versions very often."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.errors import TeacherRefused
from model.labels import LabelSpace
from model.teacher.base import Embed, Teacher
from model.teacher.prompts import Prompt, Strategy
from model.teacher.similarity import SimilarityTeacher, similarity_hash


@dataclass(frozen=True)
class TeacherOptions:
    """What is needed to make a teacher. Keys are never shown in a repr."""

    teacher: str = "auto"  # auto, similarity, openai:<model>, anthropic:<model>
    prompt: str = "all"  # single, unsure, all
    max_candidates: int = 5
    openai_api_key: str = field(default="", repr=False)
    openai_base_url: str = ""
    anthropic_api_key: str = field(default="", repr=False)
    price: str = ""  # TEACHER_PRICE
    instructions: str = ""  # the project's labelling instructions
    encoder: str = "default"  # which encoder `embed` uses: it shapes the similarity teacher's answers
    template: str = ""  # replaces the built-in prompt template


def is_similarity(options: TeacherOptions) -> bool:
    """Whether the offline similarity teacher (no LLM) is chosen; `auto` means it."""
    return options.teacher in ("auto", "similarity", "")


def teacher_hash(options: TeacherOptions, space: LabelSpace) -> str:
    """Six hex digits over everything that shapes the teacher's answers: model, prompt, strategy, limits."""
    if is_similarity(options):
        return similarity_hash(options.max_candidates, options.encoder)
    from model.teacher.llm import llm_hash

    return llm_hash(options.teacher, prompt_of(options, space))


def prompt_of(options: TeacherOptions, space: LabelSpace) -> Prompt:
    """The prompt that an LLM would be asked with. TeacherRefused if the strategy is unknown."""
    try:
        strategy = Strategy(options.prompt)
    except ValueError:
        raise TeacherRefused(f"PROMPT={options.prompt!r} is unknown; allowed are single, unsure, all") from None
    return Prompt(space, strategy, options.max_candidates, options.instructions, options.template)


def make_teacher(options: TeacherOptions, space: LabelSpace, embed: Embed) -> Teacher:
    """The teacher that the options name. TeacherRefused says which setting is missing or wrong."""
    if is_similarity(options):
        return SimilarityTeacher(space, embed, options.max_candidates, options.encoder)
    from model.teacher.cost import price_of
    from model.teacher.llm import LlmTeacher
    from model.teacher.throttle import Throttle

    kind, _, model = options.teacher.partition(":")
    price, throttle = price_of(options.teacher, options.price), Throttle()
    if kind == "openai" and model:
        from model.teacher.openai import OpenAIProvider

        provider = OpenAIProvider(model, options.openai_api_key, price, options.openai_base_url, throttle.heard)
        return LlmTeacher(provider, prompt_of(options, space), price, throttle)
    raise TeacherRefused(
        f"TEACHER={options.teacher!r} is unknown; allowed are auto, similarity, openai:<model>, anthropic:<model>"
    )
