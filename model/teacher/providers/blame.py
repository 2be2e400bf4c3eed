"""Whom an error of a server concerns: this text, or everybody; now, or until somebody changes something."""

from __future__ import annotations

import re
from dataclasses import dataclass

from model.teacher.errors import TeacherError, TeacherRefused, TeacherUnavailable, TeacherUnheard, TextRefused
from model.teacher.providers.said import Said

MODERATED = re.compile(r"moderat|flagged|content[_ ](filter|policy)|safety", re.IGNORECASE)
FORM = re.compile(r"grammar|json.?schema|response_format|chat_template", re.IGNORECASE)
HTTPS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS", re.IGNORECASE)
PASSING = (0, 425, 429)


@dataclass(frozen=True)
class Asked:
    """Who was asked: its name, name and address, the settings of key and address, and a hint about the address."""

    name: str
    at: str
    key: str
    address: str
    hint: str = ""


def error_of(said: Said, asked: Asked, wait: float | None) -> TeacherError:
    """The error that a server's words mean; `wait`: seconds that it asked to wait."""
    told, status = f"{asked.name}: {said.words}", said.status
    if said.page and (status < 500 or status == 501) and status not in (408, 429):
        return _a_page(said, asked)
    remedy = _remedy(said, asked)
    if remedy:
        return TeacherRefused(f"{told}. {remedy}")
    of_text = 400 <= status < 500 and status not in (408, 409, *PASSING)
    if of_text or (status == 500 and FORM.search(said.words)):
        return _text_refused(told, said)
    error = TeacherUnavailable(told) if status in PASSING else TeacherUnheard(told)
    error.retry_seconds = wait
    return error


def _remedy(said: Said, asked: Asked) -> str:
    """What a person has to change before anything is answered; "" where nothing of that kind is said."""
    status = said.status
    if HTTPS.search(said.words):
        return f"Write https:// in {asked.address}"
    if status == 402 or said.no_money:
        return "The account has no money left"
    if status in (401, 403, 407) and not (status == 403 and MODERATED.search(said.words)):
        return f"Check {asked.key} and what it may use"
    if status in (404, 405):
        where = f"TEACHER and {asked.address}" if asked.address.startswith("OPENAI") or asked.hint else "TEACHER"
        return f"Check the model's name in {where}{asked.hint}"
    return ""


def _a_page(said: Said, asked: Asked) -> TeacherRefused:
    """A login, a proxy, a web filter, or the wrong address: asking again brings the same page."""
    answers = f"answers {said.status} with a web page" if said.status >= 400 else "answers with a web page"
    return TeacherRefused(
        f"{asked.at} {answers} ({said.words!r}), not as an LLM server does. Something between, such as a proxy or "
        f"a web filter, may have sent it; else check {asked.address}{asked.hint}"
    )


def _text_refused(told: str, said: Said) -> TextRefused:
    error = TextRefused(told)
    error.words, error.status = said.words, said.status
    return error
