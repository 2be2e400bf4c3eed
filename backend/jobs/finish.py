"""Make a promise's labels final, or take them back: what somebody wished with the command or the button."""

from __future__ import annotations

from backend.errors import ProjectError
from backend.jobs.run import run_job
from backend.jobs.sync import synchronise
from backend.label_studio.client import LabelStudio
from backend.pool import acquisition, certified, promises
from backend.pool.promises import Promise
from backend.projects.job import Job
from backend.projects.promised_parts import same_labels
from backend.serving.predicting import predict_missing
from backend.serving.publishing.finishing import remove_accepted, write_accepted
from backend.serving.publishing.promise import begin_anew, proceed, wanted

OTHER_LABELS = (
    "the label config is another one than when the promise was made: put it back; else another promise begins by "
    "itself, where the pool was finished once that is undone (--undo)"
)


def run(project: int) -> None:
    """Entry point of the queue."""
    run_job("finish", project, work)


def work(job: Job) -> str:
    """Compare with Label Studio, look at the audit if it is complete, then do what was wished."""
    promise = promises.get(job.services.engine, job.number)
    if promise is None or not promise.wish:
        return "nothing was asked for"
    label_studio = job.label_studio()
    if label_studio is None:
        raise ProjectError(f"{job.lack}: a pool is finished in Label Studio")
    with label_studio:
        job.step("comparing with Label Studio", 0.0)
        synchronise(job, complete=True)
        try:
            done = WAYS.get(promise.wish, _finish)(job, label_studio, promise)
        except ProjectError:
            promises.fulfilled(job.services.engine, job.number, promise.wish)
            raise
    promises.fulfilled(job.services.engine, job.number, promise.wish)
    return done


def _finish(job: Job, label_studio: LabelStudio, wished: Promise) -> str:
    engine, version = job.services.engine, job.current.served_version
    if wanted(job.current) and wished.state == "auditing":
        predict_missing(job, version)
        proceed(job, label_studio, version)
    promise = promises.get(engine, job.number)
    if promise is None or promise.certificate is None:
        raise ProjectError("no promise can be made yet: people have to decide more of the audit first")
    if not same_labels(job.current, promise):
        raise ProjectError(OTHER_LABELS)
    left = certified.rows(engine, job.number, "accepted")
    promises.change(engine, promise, state="finished")
    promises.show_blind(engine, job.number, 0.0)  # an audit that went on is over
    if promise.state == "auditing":
        acquisition.line_up(engine, job.number, "people", "", [])  # people are asked for what they must still see
    if wished.wish == "predictions":
        open_rows = [task for task, row in left.items() if not row.written]
        certified.note_written(engine, job.number, open_rows, "prediction", None)
        return f"{len(left)} tasks keep the student's label as a prediction"
    written = write_accepted(job, label_studio)
    also = f"; {written.theirs} decided by people meanwhile stay theirs" if written.theirs else ""
    also += f"; {written.gone} gone from Label Studio" if written.gone else ""
    return f"{written.ours} tasks have the student's label as an annotation that says so{also}"


def _anew(job: Job, label_studio: LabelStudio, promise: Promise) -> str:
    if not wanted(job.current):
        raise ProjectError("no promise can be made: no student is served")
    if begin_anew(job, label_studio).state != "auditing":
        raise ProjectError("no audit can do: deciding all tasks is nearly as fast")
    return f"attempt {promise.attempt + 1} at a promise has begun, with an audit of other tasks"


def _undo(job: Job, label_studio: LabelStudio, promise: Promise) -> str:
    gone, kept = remove_accepted(job, label_studio)
    if promise.state == "finished":
        promises.change(job.services.engine, promise, state="kept")
    also = f"; {kept} stay, because people changed or confirmed them" if kept else ""
    return f"{gone} annotations that a promise wrote were taken back{also}"


WAYS = {"undo": _undo, "anew": _anew}
