"""Examples that the LLM writes itself, for labels that nobody has labelled a text with: paid once, kept in the pool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from backend.pool import answers as kept
from backend.pool import ledger
from model.teacher.errors import TeacherError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from model.arrays import Embed
    from model.labels import LabelSpace
    from model.teacher.base import Usage
    from model.teacher.choice import TeacherOptions
    from model.teacher.llm import LlmTeacher
    from model.teacher.prompting.examples import Example

log = structlog.get_logger(__name__)

WHOLE = "all labels"  # stands for the text in the kept answer


class Writer:
    """The first LLM of a teacher, as the author of `per_label` examples for every label.

    The examples are kept under model, address, labels, instructions and number, whichever project asks for them.
    """

    def __init__(self, options: TeacherOptions, space: LabelSpace, embed: Embed) -> None:
        from model.teacher.choice import address_of, make_teacher, members_of

        first = next(one for one in members_of(options) if one.teacher.startswith(("openai:", "anthropic:")))
        plain = replace(first, examples="none", votes=1, per_call=1, prompt="all")
        teacher = make_teacher(plain, space, embed)
        self.llm: LlmTeacher = teacher  # type: ignore[assignment]  # a single LLM, as just chosen
        self.per_label = options.examples_written
        content = json.dumps([self.llm.prompt.hash, self.per_label, address_of(first)])
        self._question = f"examples-{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    def kept(self, engine: sa.Engine) -> list[Example] | None:
        """What was written before; None if nothing was asked yet."""
        from model.teacher.prompting.examples import Example

        found = kept.read(engine, self.llm.name, self._question, [WHOLE]).get(WHOLE)
        return None if found is None else [Example(text, label, human=False) for text, label in json.loads(found.raw)]

    def write(self, engine: sa.Engine, project: int, version: str) -> bool:
        """Have them written, within the budget, unless they are there; whether new ones were written.

        Without money for them the questions go without examples. Raises what the LLM raises.
        """
        from model.teacher.base import Usage
        from model.teacher.example_writing import generate_examples, upper_bound_microusd

        if self.kept(engine) is not None:
            return False
        reservation = ledger.reserve(engine, project, version, upper_bound_microusd(self.llm, self.per_label))
        if reservation is None:
            log.info("no examples are written, the budget does not pay for them")
            return False
        spent = Usage()
        try:
            found, spent = generate_examples(self.llm, self.per_label)
            self._keep(engine, found, spent)
        except TeacherError as error:
            spent = error.spent or Usage()
            raise
        finally:
            ledger.settle(engine, project, version, reservation, spent)
        log.info("examples written", examples=len(found), microusd=spent.microusd)
        return True

    def _keep(self, engine: sa.Engine, found: Sequence[Example], spent: Usage) -> None:
        raw = json.dumps([[example.text, example.label] for example in found], ensure_ascii=False)
        kept.save(engine, self.llm.name, self._question, {WHOLE: (raw, spent)})


def writer_for(options: TeacherOptions, space: LabelSpace, embed: Embed, examples: Sequence[Example]) -> Writer | None:
    """Who writes examples for the labels that `examples` have none of; None if nobody needs to.

    Where several labels may be right nobody writes them: texts with one label each would teach to name one.
    """
    from model.teacher.choice import is_similarity

    if space.several or is_similarity(options) or options.examples == "none" or not options.examples_written:
        return None
    if {example.label for example in examples} >= set(space.names):
        return None
    return Writer(options, space, embed)
