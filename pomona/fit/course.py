"""The course of a fit: steps, evaluations, checkpoints, and the reasons to end.

It is the same for one network and for a population that is trained along an axis: a member that ended,
because it got no better or its loss was no longer finite, is no longer looked at, and the fit ends when all
have. The loop hands batches to the trainer and waits for no number; a loss that is not finite is noticed
within READ_EVERY steps.
"""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from pomona.fit.checkpoints import below, latest_checkpoint, save_checkpoint
from pomona.fit.evaluate import Evaluation
from pomona.fit.feeds import Feed
from pomona.fit.plan import Plan
from pomona.fit.result import Course, Member
from pomona.fit.schedules import rate_factor
from pomona.fit.settings import FitSettings
from pomona.foundation.run import Run

READ_EVERY = 20


class Trains(Protocol):
    """What moves in a training, of one member or of many."""

    loss_sum: Tensor
    """The losses of each member's steps since they were last read, (member,)."""

    def step(self, batch: Any, step: int, num_steps: int) -> None: ...

    def evaluated(self, member: int) -> nn.Module: ...

    def tensors(self) -> dict[str, Tensor]: ...

    def restore(self, tensors: dict[str, Tensor]) -> None: ...


@dataclass
class Job:
    """A fit that is ready to run."""

    name: str
    run: Run
    settings: FitSettings
    plan: Plan
    feed: Feed
    trainer: Trains
    evaluate: Callable[[nn.Module, int], Evaluation]
    """How good the network of a member is."""
    identity: str
    """What work its checkpoints are of."""
    watch: Callable[[int, nn.Module, Evaluation], str] | None = None
    """Sees every evaluation after the steps done; a text ends that member and says why."""
    kept_from: int = 0
    """Steps done before which no weights are kept."""
    kept: list[dict[str, Tensor]] = field(default_factory=list)
    """For each member the weights that are the result so far; empty before the first evaluation."""

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
                _check_losses(job, course)
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
    if course.read_at < course.step or course.step == 0:
        _evaluate(job, course)
    for member in course.members:
        member.stopped = member.stopped or ("" if member.failed else "seconds")
    return True


def _check_losses(job: Job, course: Course) -> None:
    for member, loss in zip(course.members, job.trainer.loss_sum.tolist(), strict=True):
        if not math.isfinite(loss) and not member.is_over:
            member.failed = f"the loss was no longer finite by step {course.step}"
            member.last_step = course.step


def _evaluate(job: Job, course: Course) -> None:
    """Adds an entry to the history of each member and keeps its weights if they are the best."""
    _check_losses(job, course)
    num_steps = course.step - course.read_at
    losses = (job.trainer.loss_sum / max(num_steps, 1)).tolist()
    for index, member in enumerate(course.members):
        if not member.is_over:
            _evaluate_member(job, course.step, index, member, losses[index] if num_steps else None)
    job.trainer.loss_sum.zero_()
    course.read_at = course.step


def _evaluate_member(job: Job, step: int, index: int, member: Member, loss: float | None) -> None:
    settings, plan = job.settings, job.plan
    network = job.trainer.evaluated(index)
    found = job.evaluate(network, index)
    factor = rate_factor(settings.schedule, max(step - 1, 0), plan.num_steps, warmup=settings.warmup)
    member.history.append(
        {
            "step": step,
            "epoch": step / plan.epoch_steps,
            "loss": loss,
            "learning_rate": factor * settings.learning_rate,
            "valid": found.values,
            "valid_loss": found.loss if math.isfinite(found.loss) else None,
        }
    )
    member.last_step = step
    if step >= job.kept_from:
        member.best = member.best.after(step, found.score, found.loss)
    is_kept = settings.keep == "last" or member.best.step == step
    if is_kept and step >= job.kept_from and math.isfinite(found.loss):
        job.kept[index] = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        member.kept_step, member.valid = step, found.values
    if member.best.is_over(settings.early_stopping):
        member.stopped = "early stopping"
    if job.watch is not None:
        member.stopped = job.watch(step, network, found) or member.stopped


def _save(job: Job, course: Course, seconds: float) -> None:
    tensors = {f"trainer/{name}": tensor for name, tensor in job.trainer.tensors().items()}
    for index, kept in enumerate(job.kept):
        tensors |= {f"kept/{index}/{name}": tensor for name, tensor in kept.items()}
    state = replace(course, seconds=seconds).to_json()
    save_checkpoint(job.folder, course.step, tensors, state, identity=job.identity)


def _restored(job: Job) -> Course:
    checkpoint = latest_checkpoint(job.folder, identity=job.identity)
    num_members = len(job.trainer.loss_sum)
    job.kept = [{} for _ in range(num_members)]
    if checkpoint is None:
        return Course([Member() for _ in range(num_members)])
    job.trainer.restore(below(checkpoint.tensors, "trainer/"))
    job.kept = [below(checkpoint.tensors, f"kept/{index}/") for index in range(num_members)]
    return Course.from_json(checkpoint.state)
