"""From a setup to a job, from its course to a result: what the fits of one network and of many share."""

import hashlib
import math
from collections.abc import Callable, Sequence

from torch import nn

from pomona.fit.course import Job, Trains
from pomona.fit.evaluate import evaluate_batches
from pomona.fit.feeds import Feed, valid_batches
from pomona.fit.objectives import plain_loss
from pomona.fit.plan import plan
from pomona.fit.result import Course, FitResult
from pomona.fit.setup import Setup
from pomona.foundation.files import to_json

WITHOUT_EFFECT = ("checkpoint_seconds", "memory_mb")
"""Settings that change when something is saved or where it is held, not what comes out."""


def make_job(setup: Setup, seeds: Sequence[int], *, feed: Feed, trainer: Trains) -> Job:
    """The job of moving `trainer` with the batches of `feed`, watched on the valid split."""
    task, settings = setup.task, setup.settings
    read = valid_batches(task, setup.place, settings, seed=setup.run.seed)
    reported = plain_loss(setup.loss)
    plain = {key: value for key, value in settings.to_json().items() if key not in WITHOUT_EFFECT}
    parts = [task.fingerprint, setup.spec.to_json(), plain, setup.name, list(seeds)]
    # the checkpoints of a usual fit keep the identity that they always had
    work = to_json([*parts, setup.extension.key] if setup.extension.key else parts)
    length = plan(settings, feed.epoch_steps)
    return Job(
        name=setup.name,
        run=setup.run,
        settings=settings,
        plan=length,
        feed=feed,
        trainer=trainer,
        evaluate=lambda network, member: evaluate_batches(network, task, read(), loss=reported),
        watch=setup.extension.watch,
        kept_from=math.ceil(setup.extension.kept_from * length.num_steps),
        identity=hashlib.blake2b(work.encode(), digest_size=16).hexdigest(),
    )


def fit_result(
    setup: Setup, job: Job, course: Course, index: int, start: Callable[[], nn.Module]
) -> FitResult:
    """What a member of a finished course leaves; `start` makes the network that it began with."""
    member = course.members[index]
    state = job.kept[index]
    if not state:
        state = (start() if member.failed else job.trainer.evaluated(index)).state_dict()
    return FitResult(
        spec=setup.spec,
        state={name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()},
        steps=member.last_step if member.is_over else course.step,
        seconds=course.seconds,
        history=member.history,
        valid=member.valid,
        best_step=member.kept_step,
        stopped=member.stopped,
        failed=member.failed,
    )
