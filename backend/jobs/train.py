"""Train a student from candidate sets and human labels, judge it, and hand it over to publishing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog

from backend.jobs.embed import fill
from backend.jobs.run import run_job
from backend.jobs.sync import synchronise
from backend.pool import candidates, jobs, projects, version_names, versions
from backend.pool.set_aside import is_held_out
from backend.projects.job import Job
from backend.projects.triggers import WORTH_RETRAINING
from backend.serving import relevance, unsure
from backend.serving.predicting import predict
from backend.training import cross_encoder, own_encoder, several
from backend.training.committee import train_members
from backend.training.cross_encoder import Learning
from backend.training.earlier import earlier_head
from backend.training.encoder import embedder_for, project_runtime, runtime_embedder
from backend.training.evaluation import judged, kept_for_judging
from backend.training.floor import floored
from backend.training.options import training_options
from backend.training.runtime_check import EXACT, cached, passes
from backend.training.second_look import note_doubts
from backend.training.share_encoder import carrying, share_encoder
from backend.training.snapshot import Snapshot, read_snapshot
from backend.training.stopping import note_changes
from backend.training.text_fit import text_fit
from backend.training.ticks import choose_ticks
from model.errors import NotEnoughDataError, TrainingStopped
from model.labels import LabelSpace
from model.training.options import ADAPTED

if TYPE_CHECKING:
    from model.calibration import Calibration
    from model.student.student import Student
    from model.training.data import TrainingData
    from model.training.options import TrainingOptions, TrainingReport

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0  # how often a training looks whether the label config changed meanwhile


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("train", project, work)


def work(job: Job, adapting: bool = False, crossing: bool = False) -> str:
    """Synchronise, learn, judge, keep; the publishing job promotes. `adapting`: the encoder learns, too; `crossing`: a
    cross-encoder beside it."""
    job.step("comparing with Label Studio", 0.0)
    synchronise(job, complete=True)
    snapshot = read_snapshot(job)
    held_out = kept_for_judging(job, snapshot, is_held_out)
    try:
        student, report = _train(job, snapshot, held_out, adapting, crossing)
    except NotEnoughDataError as error:
        _mark_trained(job, snapshot, serving=False)
        return f"not enough to learn from yet: {error}"
    except TrainingStopped:
        if job.paused:
            return "stopped, because the project was paused"
        job.ask("train")
        return "stopped, because the label config changed; it starts again"
    report.adapted_now = adapting
    report.texts = text_fit(report, list(snapshot.texts.values()))
    job.step("judging", 0.9)
    embed = embedder_for(job.current, student)
    sets = {task: snapshot.labels[task].labels for task in held_out if task in snapshot.texts}
    if snapshot.space.several:
        verdict, calibration, metrics = several.judged(job, snapshot, student, sets, embed)
    else:
        truth = {task: labels[0] for task, labels in sets.items()}
        verdict, calibration, metrics = judged(job, snapshot, student, truth, embed)
    metrics |= {"verdict": verdict.reason, "candidate_sets": snapshot.answered, "asked": snapshot.asked}
    version = _keep(job, snapshot, student, report, metrics)
    share_encoder(job)
    if verdict.accepted:
        texts = {task: text for task, text in snapshot.texts.items() if not snapshot.final(task)}
        relevance.keep(job, version, student, snapshot.texts, embed)
        predict(job, version, student, embed, texts, calibration, report.believed)
        note_changes(job.services.engine, job.number, version)
    state = "publishing" if verdict.accepted else "rejected"
    versions.set_state(job.services.engine, job.number, version, state, verdict.reason)
    _mark_trained(job, snapshot, verdict.accepted)
    choose_ticks(job)
    if verdict.accepted:
        job.ask("publish")
    _ask_for_more(job, report, adapting, crossing)
    note_doubts(job, snapshot)
    told = f"{_rest(report)}{_part(snapshot)}{_unsure(job, calibration)}{_crossed(report, crossing)}{_adapted(report)}"
    return f"{version} {verdict.reason}{told}"


def _ask_for_more(job: Job, report: TrainingReport, adapting: bool, crossing: bool) -> None:
    """Have what takes minutes done later, where there is enough to learn from."""
    if not adapting and own_encoder.due(job, report):
        job.ask("adapt")
    if not crossing and cross_encoder.due(job, report):
        job.ask("cross")


def _rest(report: TrainingReport) -> str:
    """How many tasks that neither the teacher nor people answered took part; "" if none did."""
    if not report.unlabelled_rows:
        return ""
    return f"; {report.unlabelled_rows:,} tasks without a shortlist took part with the student's own answers"


def _part(snapshot: Snapshot) -> str:
    """That a training has not read the whole pool; "" if it has."""
    if not snapshot.is_part:
        return ""
    return f"; it learned from {len(snapshot.texts):,} of {snapshot.tasks:,} tasks, and the next training from others"


def _unsure(job: Job, calibration: Calibration) -> str:
    """Why labels are served where shortlists were asked for; "" if there is nothing to say."""
    if calibration.threshold is not None or not unsure.wanted(job.current.options):
        return ""
    return f"; it serves labels where it is unsure, too: {calibration.note}"


def _crossed(report: TrainingReport, crossing: bool) -> str:
    """What came of the cross-encoder that this training tried; "" if it tried none."""
    return f"; {report.cross['sentence']}" if crossing and "sentence" in report.cross else ""


def _adapted(report: TrainingReport) -> str:
    """What came of the encoder that this training adapted; "" if it adapted none."""
    if not report.adapted_now or "own_encoder" not in report.found:
        return ""
    if report.way == ADAPTED:
        return "; its encoder is adapted to people's labels"
    return "; the encoder stays as it is: adapted to people's labels it would not agree with the teacher more often"


def _mark_trained(job: Job, snapshot: Snapshot, serving: bool) -> None:
    """Note what was learned from. A teacher that waited for it goes on: now, or once the new student is served."""
    projects.mark_trained(job.services.engine, job.number, snapshot.changes, snapshot.asked)
    if not serving and snapshot.asked < snapshot.tasks:
        job.ask("annotate")
    if _outgrown(job, snapshot):
        job.ask("train")


def _outgrown(job: Job, snapshot: Snapshot) -> bool:
    """Whether the teacher answered much more while the training ran, and has ended: else it asks for the next one."""
    engine, version = job.services.engine, job.current.teacher_version
    teacher = jobs.get(engine, job.number).get("annotate")
    under_way = teacher is not None and teacher.state in ("queued", "running")
    return not under_way and candidates.figures(engine, job.number, version).count > WORTH_RETRAINING * snapshot.asked


def _train(
    job: Job, snapshot: Snapshot, held_out: set[int], adapting: bool = False, crossing: bool = False
) -> tuple[Student, TrainingReport]:
    from model.train import train_student

    settings, options = job.services.settings, job.current.options
    data = _data(snapshot, held_out)
    how = training_options(options, settings.THREADS, project_runtime(job.current), snapshot.pair)
    stop = _stop(job, snapshot.space)

    def progress(share: float, text: str) -> None:
        job.step(text, 0.9 * share)

    if options.MODE == "committee":
        truth = {task: snapshot.labels[task].labels[0] for task in held_out if task in snapshot.texts}
        held = [(snapshot.texts[task], label) for task, label in truth.items()]
        return train_members(job, options, data, how, held, progress, stop)
    own = own_encoder.of_training(job, data, how, adapting, progress, stop)
    embedder = cache(lambda runtime: runtime_embedder(settings, how.encoder, runtime))  # each reads its cache once
    if own is None:
        fill(job, embedder(how.runtime), data.texts)

    def learned(how: TrainingOptions) -> tuple[Student, TrainingReport]:
        embed, before = embedder(how.runtime), earlier_head(job, data, how)
        student, report = train_student(snapshot.space, data, how, embed, progress, stop, own, before.head)
        before.note(report)
        return student, report

    found = learned(how)
    own = own if found[1].way == ADAPTED else None  # people's labels and the teacher did not bear it out
    if not passes(settings, *found, data.texts):
        refused = found[1].runtime
        if own is None:
            how = replace(how, runtime=EXACT)
        else:
            own.run_in(EXACT)
            cached(settings, own)
        found = learned(how)
        passes(settings, *found, data.texts)
        found[1].runtime["refused"] = refused
    if snapshot.space.several:
        return found
    learning = Learning(data, how, embedder(how.runtime), own, progress, stop, settings.cache_dir)
    student = floored(*found, data, _judges(snapshot, held_out), how, learning.embed, own, stop)
    return cross_encoder.beside(job, student, found[1], learning, crossing), found[1]


def _data(snapshot: Snapshot, held_out: set[int]) -> TrainingData:
    from model.training.data import training_data

    ids = list(snapshot.texts)
    labels = [None if task in held_out else snapshot.labels.get(task) for task in ids]
    return training_data(
        snapshot.space,
        [snapshot.texts[task] for task in ids],
        [snapshot.sets.get(task) for task in ids],
        labels,
        [snapshot.propensities.get(task) for task in ids] if snapshot.propensities else None,
    )


def _judges(snapshot: Snapshot, held_out: set[int]) -> dict[str, str]:
    """Text and label of what is kept for judging, without what scores chose."""
    kept = [task for task in held_out if task in snapshot.texts and snapshot.propensities.get(task) != 0.0]
    return {snapshot.texts[task]: snapshot.labels[task].labels[0] for task in kept}


def _stop(job: Job, space: LabelSpace) -> Callable[[], bool]:
    """Tells the training to stop once the project has another label space or is paused; looks every LOOK_SECONDS."""
    looked = [time.monotonic(), False]

    def stop() -> bool:
        if not looked[1] and time.monotonic() > looked[0] + LOOK_SECONDS:
            now = job.project.space
            looked[:] = [time.monotonic(), job.paused or (now is not None and now.hash != space.hash)]
        return bool(looked[1])

    return stop


def _new_name(job: Job, kind: str, space_hash: str) -> tuple[int, str]:
    """Number and name of a version. A name is never used twice: not of a version whose row was never added, nor of one
    that only the place of versions knows, after the pool was set back to an older state."""
    there = job.services.registry.versions(job.number)
    while True:
        number = versions.next_number(job.services.engine, job.number)
        name = version_names.trained_name(kind, number, space_hash)
        if not any(version_names.number_of(other) == number for other in there):
            return number, name


def _keep(job: Job, snapshot: Snapshot, student: Student, report: TrainingReport, metrics: dict[str, Any]) -> str:
    """Write the version beside the others: first the folder, then the row that makes it known."""
    engine, store = job.services.engine, job.services.registry
    number, version = _new_name(job, student.kind, snapshot.space.hash)
    job.about(version)
    job.expect_turn()
    content = {**metrics, "training": report.to_json()}
    card = {"project": job.number, "title": job.project.title, **content}
    store.write(job.number, version, carrying(job, student), card)
    versions.add(engine, job.number, version, number, snapshot.space.hash, content, len(snapshot.labels))
    return version
