"""Figures and states in words, for pages, reports and the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.pool.incidents import Incident
from backend.pool.jobs import JobRow
from backend.projects.on_screen import instead
from model.evaluation import Rate

UNKNOWN = "not known yet"
FEW = 20  # tasks below which a share is told as a number
FOREIGN = 0.3  # share of texts that the encoder does not know, above which people hear of it
CUT = 0.1  # the same for texts that are read in part
JOBS = {
    "sync": "Comparison with Label Studio",
    "annotate": "Asking the teacher",
    "train": "Training",
    "adapt": "Adapting the encoder to your labels",
    "cross": "Training a cross-encoder",
    "publish": "Publishing predictions",
    "finish": "Finishing the pool",
    "clear": "Taking older predictions away",
}
DECIDERS = {
    "committee": "the votes",
    "llm": "teacher and votes together",
    "fallback": "the votes, because the teacher failed",
    "person": "people",
    "people": "nobody, left to people",
    "unresolved": "nobody yet",
}
STATES = {"queued": "waits", "running": "is under way", "idle": "finished", "failed": "failed"}


@dataclass(frozen=True)
class JobWords:
    """One kind of job as people read it; `can_retry` and `can_cancel` say which buttons it has."""

    kind: str
    name: str
    state: str
    step: str
    error: str
    progress: float | None
    when: str
    can_retry: bool
    can_cancel: bool


def phase_words(status: dict[str, Any]) -> str:
    """What people see in Label Studio now, and why."""
    if status["problem"]:
        return f"Nothing is suggested: the label config is not supported. {status['problem']}"
    if status.get("shows_ours") is False:
        return f"People do not see Shortlist's predictions. {_elsewhere(status)}"
    if status["phase"] == "teacher":
        why = _why_no_student(status)
        what = "what is certain to" if status["answer"]["kind"] == "several" else "shortlists of"
        what = "the answers to all questions of" if status["answer"].get("questions") else what
        return f"People see {what} the {status['teacher']['name']}, because {why}"
    if status["phase"] == "student":
        row = next((one for one in status["versions"] if one["promoted"]), None)
        why = f". It was {row['reason']}" if row and row["reason"] else ""
        what = "all labels that apply" if status["answer"]["kind"] == "several" else "one label per task"
        what = "answers to all questions" if status["answer"].get("questions") else what
        return f"People see {what}, from the trained model {status['version']}{why}"
    told = asked_words(status.get("asked") or {})
    if not told:
        return "Nothing is suggested yet, because the teacher has not answered anything"
    return f"Nothing is suggested: {told[:1].lower()}{told[1:]}"


def asked_words(asked: dict[str, int]) -> str:
    """What came of the questions to the teacher; "" before the first one."""
    if not asked.get("tasks"):
        return ""
    kinds = {
        "abstained": "without a fitting label",
        "refused": "refused by the server",
        "unreadable": "unreadable",
    }
    parts = [f"{asked[kind]} {words}" for kind, words in kinds.items() if asked[kind]]
    others = f" ({', '.join(parts)})" if parts else ""
    return f"Of {asked['tasks']} tasks that the teacher was asked about it answered {asked['answered']}{others}"


def _elsewhere(status: dict[str, Any]) -> str:
    return instead(status["label_studio"]["project"], status["on_screen"], status["version"])


def left_out_words(found: dict[str, Any]) -> list[str]:
    """Sentences about tasks and annotations of Label Studio that cannot be used as they are: a status's `left_out`."""
    told = []
    if found["tasks"]:
        told.append(
            f"{_many(found['tasks'], 'task has', 'tasks have')} no text that can be read, so that nothing is suggested "
            "for them: check the data, and the field that the label config shows"
        )
    if found["annotations"]:
        names = ", ".join(f"{name} ({number})" for name, number in found["labels"].items())
        told.append(
            f"{_many(found['annotations'], 'annotation has', 'annotations have')} labels that are not in the label "
            f"config, which do not count: {names}. Put them back into the label config, or label these tasks anew"
        )
    return told + _text_fit_words(found.get("texts") or {})


def _text_fit_words(found: dict[str, Any]) -> list[str]:
    told = []
    if (found.get("foreign") or 0.0) >= FOREIGN:
        told.append(
            f"{found['foreign']:.0%} of the texts are in a language or script that the encoder "
            f"STUDENT_ENCODER={found['encoder']} does not know, so that a student learns little from them: name one "
            "that does (docs/evidence/encoders.md)"
        )
    if (found.get("cut") or 0.0) >= CUT:
        told.append(
            f"about {found['cut']:.0%} of the texts are longer than what a fine-tuned student reads of them, their "
            "beginning: STUDENT_TRAINING=head reads them to the end"
        )
    return told


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _why_no_student(status: dict[str, Any]) -> str:
    """Why a trained model is not served."""
    served = [row for row in status["versions"] if row["promoted"]]
    if served:
        return "SERVE=teacher asks for them, or the labels changed after the last training"
    rejected = next((row for row in status["versions"] if row["state"] == "rejected"), None)
    if rejected:
        return f"the last trained model was not good enough ({rejected['reason']})"
    return "no model was trained yet"


def what_next(status: dict[str, Any]) -> list[str]:
    """What happens next by itself, and what a person should do."""
    if status["problem"]:
        return ["Change the label config in Label Studio under Settings, Labeling Interface; it is read at once"]
    steps = [_sentence(status["next_training"])]
    waiting = status["teacher"]["waiting"]
    if status["paused"]:
        steps = [f"{steps[0]}. Press Resume to go on"]
    elif status["teacher"]["stopped"]:
        steps.insert(0, "The teacher stopped; when its reason is repaired, press Retry at its job")
    elif waiting:
        which = " that the votes leave open" if status["decided_by"] else ""
        steps.append(f"The teacher is asked about {waiting} more {'task' if waiting == 1 else 'tasks'}{which}")
    failed = [JOBS.get(one["kind"], one["kind"]) for one in status["jobs"] if one["state"] == "failed"]
    if failed and not status["teacher"]["stopped"]:
        steps.insert(0, f"{' and '.join(failed)} failed: read why under Jobs, and press Retry once it is repaired")
    if not status["human_labels"]:
        steps.append("Label some tasks in Label Studio: without decisions nothing can be measured")
    aside = status.get("student", {}).get("set_aside")
    if aside:
        steps.insert(0, f"Human labels are set aside: {aside}")
    steps += [
        hint for hint in (status["teacher"]["hint"], status["committee_hint"], status["frequencies_hint"]) if hint
    ]
    return steps


def decider(source: str) -> str:
    """Who decided a task of a committee."""
    return DECIDERS.get(source, source)


def spending(spend: dict[str, Any]) -> str:
    """What the teacher did cost: calls, tokens, how many of them came from the provider's cache or by batch."""
    sent, cached = spend["input_tokens"], spend["cached_tokens"]
    tokens = f"{sent:,} tokens sent"
    if cached:
        tokens += f", {100 * cached / max(1, sent):.0f} % of them read from the provider's prompt cache,"
    told = [
        f"${spend['usd']:.4f} of ${spend['budget_usd']:.2f} in {spend['calls']:,} calls "
        f"({tokens} and {spend['output_tokens']:,} received)"
    ]
    if spend["batch_calls"]:
        told.append(f"{spend['batch_calls']:,} of the calls went through the batch API, for ${spend['batch_usd']:.4f}")
    if spend["lost_usd"]:
        told.append(
            f"${spend['lost_usd']:.4f} of it was set aside for questions whose process was killed, and may not be owed"
        )
    if spend["carried_usd"] > 0:
        told.append(f"${spend['carried_usd']:.4f} more was spent by former projects with this number and counts, too")
    if spend["set_aside_usd"] > 0:
        told.append(f"${spend['set_aside_usd']:.4f} more is set aside for questions under way")
    return ". ".join(told)


def job_words(row: JobRow, now: int) -> JobWords:
    """A job's state; `now` in UTC milliseconds."""
    return JobWords(
        row.kind,
        JOBS.get(row.kind, row.kind),
        STATES.get(row.state, row.state),
        row.step,
        row.error or "",
        row.progress if row.state == "running" else None,
        ago(now - row.updated_ms),
        row.state in ("failed", "idle"),
        row.state == "queued",
    )


def incident_words(row: Incident, now: int) -> str:
    """One thing that went wrong; `now` in UTC milliseconds."""
    where = f"{JOBS.get(row.kind, row.kind)}: " if row.kind else ""
    often = f"{row.times} times, the last " if row.times > 1 else ""
    return f"{where}{row.what} ({often}{ago(now - row.last_ms)})"


def under_way(job: dict[str, Any]) -> str:
    """What a project is at: a job of its status."""
    if job["state"] not in ("running", "queued"):
        return "nothing under way"
    return f"{JOBS.get(job['kind'], job['kind'])} {STATES[job['state']]}"


def ago(milliseconds: int) -> str:
    """A time span in the largest unit that fits."""
    seconds = max(0, milliseconds // 1000)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now" if seconds < 5 else f"{seconds} seconds ago"


def percent(value: float | None) -> str:
    """A share as per cent."""
    return UNKNOWN if value is None else f"{100 * value:.1f} %"


def share(value: float | None, count: int) -> str:
    """A share of `count` tasks; of a few tasks as their number, because per cents of these say too much."""
    if value is None or not count:
        return UNKNOWN
    return f"{round(value * count)} of {count}" if count < FEW else f"{percent(value)} of {count}"


def interval(found: Rate | None) -> str:
    """A share with its 95 % interval and the number of tasks behind it."""
    if found is None:
        return UNKNOWN
    bounds = f"{100 * found.low:.0f} to {100 * found.high:.0f} %"
    return f"{100 * found.value:.1f} % (95 % interval {bounds}, {found.count} tasks)"


def number(value: float | None) -> str:
    """A mean with two decimals."""
    return UNKNOWN if value is None else f"{value:.2f}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def whose(status: dict[str, Any]) -> str:
    """Which Label Studio a project is of, where several have projects here."""
    told = status["label_studio"]
    place = told["address"] or "another Label Studio" if told["elsewhere"] else told["address"] or "Label Studio"
    away = ", which is not at LABEL_STUDIO_URL: only what it sends is known" if told["elsewhere"] else ""
    return f"Project {told['project']} of {place}{away}"


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent,
    "share": share,
    "under_way": under_way,
    "interval": interval,
    "mean": number,
    "spending": spending,
    "decider": decider,
    "whose": whose,
}
