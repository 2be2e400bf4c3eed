"""What a reply cost and whether its question was read whole, where a server does not say so or says what cannot be."""

from __future__ import annotations

from dataclasses import replace

from model.teacher.base import Usage
from model.teacher.errors import TeacherUnread
from model.teacher.prompting.composing import likely_sent
from model.teacher.prompting.tokens import estimate_tokens, fewest_tokens
from model.teacher.providers.prices import Price
from model.teacher.providers.provider import Provider, Reply, Request

LEAST_READ = 0.75  # of the fewest tokens that a question can have
MOST_UNTOLD = 256  # tokens that may be missing: small differences say nothing
RAISE = "raise its context length (Ollama: OLLAMA_CONTEXT_LENGTH, or num_ctx in a Modelfile)"


def complete(provider: Provider, request: Request, price: Price) -> Reply:
    """As the provider's, and no call with a price costs nothing: what is not counted is estimated.

    An error after an answer that is none has the estimate in `spent`.
    """
    try:
        reply = provider.complete(request)
    except TeacherUnread as error:
        most = provider.most_output(request.max_tokens) + request.thinking
        error.spent = estimated(price, likely_sent(request), min(most, estimate_tokens(error.body)))
        raise
    return replace(reply, usage=_counted(reply, request, price), unread=_unread(reply, request))


def estimated(price: Price, sent: int, received: int, known: Usage | None = None) -> Usage:
    """The usage of a call whose tokens were not counted, or not all of them."""
    cached = known.cached_tokens if known is not None else 0
    return replace(price.usage(sent, received, cached), estimated=1)


def _counted(reply: Reply, request: Request, price: Price) -> Usage:
    usage, wrote = reply.usage, bool(reply.text.strip() or reply.thoughts)
    if usage.input_tokens and (usage.output_tokens or not wrote):
        return usage
    received = usage.output_tokens or (estimate_tokens(reply.text + reply.thoughts) if wrote else 0)
    return estimated(price, usage.input_tokens or likely_sent(request), received, usage)


def _unread(reply: Reply, request: Request) -> str:
    """Why the model cannot have read the whole question; "" if nothing says so.

    Servers with a small context window cut the beginning of a question off without a word, and count what is left.
    """
    read = reply.usage.input_tokens
    fewest = sum(map(fewest_tokens, [request.system, *(turn.text for turn in request.turns)]))
    if not read or read >= LEAST_READ * fewest or fewest - read < MOST_UNTOLD:
        return ""
    sent = likely_sent(request)
    return f"the server read {read} of about {sent} tokens, its context window is too small: {RAISE}"
