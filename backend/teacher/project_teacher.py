"""From a project to its teacher: options, labelled examples, kept answers, how many questions at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.pool import annotations as decisions
from backend.pool import queries, tasks
from backend.pool.set_aside import held_out_tasks
from backend.projects.current import Current
from backend.teacher.written_examples import Writer, writer_for
from model.labels import Decision

if TYPE_CHECKING:
    from model.arrays import Embed
    from model.teacher.base import Teacher
    from model.teacher.llm import LlmTeacher
    from model.teacher.prompting.composing import Remarks
    from model.teacher.prompting.examples import Example

MOST_EXAMPLES = 2_000  # the latest human labels that examples are chosen from


def open_teacher(current: Current, embed: Embed, remarks: Remarks | None = None) -> Teacher:
    """The project's teacher, its paid members with kept answers. TeacherRefused says which setting is wrong.

    `remarks` are shown to an LLM after each text where VOTES_IN_PROMPT is set.
    """
    from model.teacher.choice import address_of, is_similarity, make_teacher

    options = current.teacher_options
    if is_similarity(options):
        return make_teacher(options, current.space, embed)
    from backend.teacher.kept_answers import KeptAnswers
    from model.teacher.providers.throttle import shared_throttle
    from model.teacher.voting import Panel

    addresses = {name: address_of(replace(options, teacher=f"{name}:")) for name in ("openai", "anthropic")}
    for provider, address in addresses.items():
        shared_throttle(provider, address).most = current.settings.LLM_CONCURRENCY
    chosen = labelled_examples(current) if options.examples != "none" else []
    writer = writer_for(options, current.space, embed, chosen)
    if writer is not None:
        chosen = [*(writer.kept(current.engine) or ()), *chosen]
    teacher = make_teacher(options, current.space, embed, chosen, remarks)

    def keeping(member: Teacher) -> Teacher:
        llm = as_llm(member)
        if llm is None:
            return member
        return KeptAnswers(llm, current.engine, addresses[llm.name.partition(":")[0]])

    if isinstance(teacher, Panel):
        teacher.members = tuple(keeping(member) for member in teacher.members)
        return teacher
    return keeping(teacher)


def examples_writer(current: Current, embed: Embed) -> Writer | None:
    """Who writes examples that the teacher needs and nobody has written yet; None if there are enough."""
    options = current.teacher_options
    known = labelled_examples(current) if options.examples != "none" else []
    writer = writer_for(options, current.space, embed, known)
    return None if writer is None or writer.kept(current.engine) is not None else writer


def as_llm(teacher: Teacher) -> LlmTeacher | None:
    """The single LLM behind a teacher, if that is what it is."""
    from backend.teacher.kept_answers import KeptAnswers
    from model.teacher.llm import LlmTeacher

    inner = teacher.teacher if isinstance(teacher, KeptAnswers) else teacher
    return inner if isinstance(inner, LlmTeacher) else None


def llms_of(teacher: Teacher) -> list[LlmTeacher]:
    """All LLMs that are asked."""
    from model.teacher.voting import Panel

    members = teacher.members if isinstance(teacher, Panel) else (teacher,)
    return [llm for member in members if (llm := as_llm(member)) is not None]


def unpaid(teacher: Teacher, texts: Sequence[str]) -> list[str]:
    """The texts that at least one paid member has no kept answer to: asking about the others is free."""
    from backend.teacher.kept_answers import KeptAnswers
    from model.teacher.voting import Panel

    members = teacher.members if isinstance(teacher, Panel) else (teacher,)
    found: dict[str, None] = {}
    for member in members:
        if member.paid:
            found.update(dict.fromkeys(member.unknown(texts) if isinstance(member, KeptAnswers) else texts))
    return list(found)


def labelled_examples(current: Current) -> list[Example]:
    """Texts with people's final answers, the latest last. Labels that students are judged by are not among them."""
    from model.teacher.prompting.examples import Example

    number, known = current.number, set(current.space.names)
    rows, decided = decisions.of_tasks(current.engine, number), decisions.learnable(current.engine, number)
    final = [
        task for task, label in decided.items() if label.decision is Decision.FINAL and known.issuperset(label.labels)
    ]
    texts = tasks.texts(current.engine, number, final)
    kept = held_out_tasks(number, texts, pair=queries.shared(current.engine, number, current.pair, texts))
    final = [task for task in final if task not in kept]
    final.sort(key=lambda task: max(row.updated_at for row in rows[task]))
    latest = final[-MOST_EXAMPLES:]
    said = {task: (*decided[task].labels, "") for task in latest}  # "" alone: no label applies
    return [Example(texts[task], said[task][0], others=said[task][1:-1]) for task in latest if task in texts]
