"""One question to a paid teacher, where somebody wants it asked: what it answers, how fast, for how much, and how."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from backend.commands.doctor.findings import Finding, failure, good, warning
from backend.settings import Settings
from model.labels import LabelSpace
from model.teacher.choice import OFFLINE, TeacherOptions, make_teacher, members_of

if TYPE_CHECKING:
    from model.arrays import FloatArray
    from model.teacher.llm import LlmTeacher
    from model.teacher.providers.provider import Reply

TEXT = "My parcel has not arrived, and nobody answers the phone."
SPACE = LabelSpace.of(["billing", "refund", "shipping"])
EXPECTED = "shipping"
SLOW_SECONDS = 20.0
REMEDY = "Read about kinds of servers in docs/evidence/llm-servers.md; ask again with `shortlist doctor --ask`"


def asked(settings: Settings) -> list[Finding]:
    """One finding per LLM of TEACHER. Each costs one call, as a rule a fraction of a cent, which no project pays."""
    options = TeacherOptions(
        teacher=settings.TEACHER,
        openai_api_key=settings.OPENAI_API_KEY.get_secret_value(),
        openai_base_url=settings.OPENAI_BASE_URL,
        anthropic_api_key=settings.ANTHROPIC_API_KEY.get_secret_value(),
        anthropic_base_url=settings.ANTHROPIC_BASE_URL,
        price=settings.TEACHER_PRICE,
    )
    return [_ask(one) for one in members_of(options) if one.teacher not in OFFLINE]


def _ask(options: TeacherOptions) -> Finding:
    from model.errors import ModelError

    check = f"Question to {options.teacher}"
    try:
        teacher: LlmTeacher = make_teacher(options, SPACE, _nothing)  # type: ignore[assignment]  # an LLM, as chosen
        began = time.monotonic()
        reply = teacher.complete(teacher.composer.requests([TEXT])[0])
        seconds = time.monotonic() - began
    except ModelError as error:
        return failure(check, str(error), REMEDY)
    found = teacher.read(reply)
    said = ", ".join(found.labels) or f"nothing that can be read ({found.reason})"
    noticed = _noticed(teacher, reply, seconds)
    what = f"{said} in {seconds:.1f} s for ${reply.usage.microusd / 1e6:.6f}"
    what += f"; noticed: {', '.join(noticed)}" if noticed else ""
    if not found.labels:
        return failure(check, what, REMEDY)
    if noticed or EXPECTED not in found.labels:
        return warning(check, what, REMEDY)
    return good(check, what)


def _noticed(teacher: LlmTeacher, reply: Reply, seconds: float) -> list[str]:
    """What is not as it should be, though there is an answer."""
    from model.teacher.prompting.thoughts import has_thoughts

    provider = teacher.provider
    given_up: list[str] = getattr(provider, "given_up", list)()
    others = [wish for wish in given_up if wish != "schema"]
    notes = {
        "it thinks, although it was asked not to: every answer takes longer and costs more": bool(reply.thoughts)
        or has_thoughts(reply.text),
        "it knows no schema: answers are checked here alone": "schema" in given_up,
        f"it does not know {', '.join(others)}": bool(others),
        "it counts no tokens: costs are estimates": bool(reply.usage.estimated),
        "the answer was cut off": reply.truncated,
        f"it is slow: more than {SLOW_SECONDS:.0f} s for one answer": seconds > SLOW_SECONDS,
        reply.unread: bool(reply.unread),
    }
    return [note for note, holds in notes.items() if holds]


def _nothing(texts: object) -> FloatArray:
    """No text is embedded for a question without examples."""
    raise AssertionError(f"asked for embeddings of {texts!r}")
