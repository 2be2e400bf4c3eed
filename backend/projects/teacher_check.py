"""Whether a teacher can be asked at all: its key and its price, told from the settings alone. Nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass

from backend.settings import Settings
from model.teacher.choice import OFFLINE, SEVERAL
from model.teacher.errors import TeacherRefused
from model.teacher.providers.prices import price_of


@dataclass(frozen=True)
class Lack:
    """What a teacher lacks, and what to do."""

    what: str
    remedy: str


def lacking(settings: Settings, teacher: str) -> Lack | None:
    """What the teacher that TEACHER names lacks; None if it can be asked."""
    for name in SEVERAL.split(teacher):
        kind, _, model = name.partition(":")
        if kind in OFFLINE:
            continue
        key = settings.OPENAI_API_KEY if kind == "openai" else settings.ANTHROPIC_API_KEY
        if not key.get_secret_value() and not (kind == "openai" and settings.OPENAI_BASE_URL):
            variable = f"{kind.upper()}_API_KEY"
            return Lack(f"{model} of {kind} has no key", f"Set {variable} where workers start, or TEACHER=similarity")
        try:
            price_of(name, settings.TEACHER_PRICE)
        except TeacherRefused as error:
            what, _, remedy = str(error).partition(". ")
            return Lack(what, remedy or "Write TEACHER_PRICE as input,output in US dollars per million tokens")
    return None


def retiring(teacher: str) -> str:
    """Which of the models that TEACHER names its vendor ends, and when, in words; "" for none that is known of."""
    from model.teacher.providers.anthropic import retires_on

    models = [name.partition(":")[2] for name in SEVERAL.split(teacher) if name.startswith("anthropic:")]
    ends = {model: retires_on(model) for model in models}
    return "; ".join(f"Anthropic ends {model} on {day}" for model, day in ends.items() if day)
