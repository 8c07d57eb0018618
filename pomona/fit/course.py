"""The course of one fit: steps, evaluations, checkpoints, and the reasons to end.

The loop hands batches to the trainer and waits for no number. A loss that is not finite is noticed within
READ_EVERY steps and ends the fit.
"""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from pomona.fit.checkpoints import latest_checkpoint, save_checkpoint
from pomona.fit.evaluate import Evaluation
from pomona.fit.feeds import Feed
from pomona.fit.plan import Plan
from pomona.fit.result import Course
from pomona.fit.schedules import rate_factor
from pomona.fit.settings import FitSettings
from pomona.fit.trainer import Trainer, below, read_loss
from pomona.foundation.run import Run

READ_EVERY = 20


@dataclass
class Job:
    """A fit that is ready to run."""

    name: str
    run: Run
    settings: FitSettings
    plan: Plan
    feed: Feed
    trainer: Trainer
    evaluate: Callable[[], Evaluation]
    identity: str
    """What work its checkpoints are of."""
    kept: dict[str, Tensor] = field(default_factory=dict)
    """The weights that are the result so far; empty before the first evaluation."""

    @property
    def folder(self) -> Path:
        """Where its checkpoints are."""
        return self.run.path("checkpoints", self.name)


def run_course(job: Job) -> Course:
    """Runs a job to its end, from its latest checkpoint if it has one. Raises Interrupted after saving."""
    course = _restored(job)
    has_saved = course.step > 0
    began, saved_at = time.monotonic() - course.seconds, time.monotonic()
    trainer, plan = job.trainer, job.plan
    with (
        job.run.progress(job.name, plan.num_steps, "steps") as progress,
        contextlib.closing(job.feed.batches(course.step)) as batches,
    ):
        progress.advance(course.step)
        while course.step < plan.num_steps and not course.is_over:
            if job.run.should_stop() and _gives_up(job, course, time.monotonic() - began):
                break
            trainer.step(next(batches), course.step, plan.num_steps)
            course.step += 1
            if course.step % READ_EVERY == 0:
                progress.advance(READ_EVERY)
                _check_loss(job, course)
            if plan.is_evaluated(course.step):
                _evaluate(job, course)
            if time.monotonic() - saved_at >= job.settings.checkpoint_seconds:
                _save(job, course, time.monotonic() - began)
                has_saved, saved_at = True, time.monotonic()
    course.seconds = time.monotonic() - began
    if has_saved:
        # whoever asks for this fit again finds it done
        _save(job, course, course.seconds)
    return course


def _gives_up(job: Job, course: Course, seconds: float) -> bool:
    """Whether the fit ends here because the run is to stop; after an interrupt it saves and raises."""
    if job.run.stop_reason == "interrupt":
        _save(job, course, seconds)
        job.run.check_interrupt()
    # when the time is up depends on the machine: a run that is done again stops where it stopped before
    if course.step < job.run.decide("last step of a fit", job.name, lambda: course.step):
        return False
    if not course.history or course.history[-1]["step"] < course.step:
        _evaluate(job, course)
    course.stopped = "seconds"
    return True


def _check_loss(job: Job, course: Course) -> None:
    if not math.isfinite(float(job.trainer.loss_sum)):
        course.failed = f"the loss was no longer finite by step {course.step}"


def _evaluate(job: Job, course: Course) -> None:
    """Adds an entry to the history and keeps the weights if they are the best."""
    _check_loss(job, course)
    if course.failed:
        return
    found = job.evaluate()
    settings, plan = job.settings, job.plan
    factor = rate_factor(settings.schedule, course.step - 1, plan.num_steps, warmup=settings.warmup)
    course.history.append(
        {
            "step": course.step,
            "epoch": course.step / plan.epoch_steps,
            "loss": read_loss(job.trainer, course.step - course.read_at) if course.step else None,
            "learning_rate": factor * settings.learning_rate,
            "valid": found.values,
            "valid_loss": found.loss if math.isfinite(found.loss) else None,
        }
    )
    course.read_at = course.step
    course.best = course.best.after(course.step, found.score, found.loss)
    is_kept = settings.keep == "last" or course.best.step == course.step
    if is_kept and math.isfinite(found.loss):
        job.kept = {key: tensor.clone() for key, tensor in job.trainer.evaluated.state_dict().items()}
        course.kept_step, course.valid = course.step, found.values
    if course.best.is_over(settings.early_stopping):
        course.stopped = "early stopping"


def _save(job: Job, course: Course, seconds: float) -> None:
    tensors = job.trainer.tensors() | {f"kept/{name}": tensor for name, tensor in job.kept.items()}
    state = replace(course, seconds=seconds).to_json()
    save_checkpoint(job.folder, course.step, tensors, state, identity=job.identity)


def _restored(job: Job) -> Course:
    checkpoint = latest_checkpoint(job.folder, identity=job.identity)
    if checkpoint is None:
        return Course()
    job.trainer.restore(checkpoint.tensors)
    job.kept = below(checkpoint.tensors, "kept/")
    return Course.from_json(checkpoint.state)
