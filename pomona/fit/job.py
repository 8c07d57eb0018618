"""What the fits of one network and of many share: from a task to a job, from its course to results."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from pomona.fit.class_weights import balanced_weights
from pomona.fit.course import Job, Trains
from pomona.fit.draws import Draws
from pomona.fit.evaluate import evaluate_batches
from pomona.fit.feeds import Feed, Place, valid_batches
from pomona.fit.objectives import Loss, plain_loss, task_loss
from pomona.fit.plan import plan
from pomona.fit.result import Course, FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.cost import flops
from pomona.networks.spec import Spec
from pomona.tasks.task import Task

WITHOUT_EFFECT = ("checkpoint_seconds", "memory_mb")
"""Settings that change when something is saved or where it is held, not what comes out."""


def start_network(
    spec: Spec,
    place: Place,
    draws: Draws,
    weights: Mapping[str, Tensor] | None = None,
    blocks: Mapping[str, BlockKind] = BLOCKS,
) -> nn.Module:
    """A network with given weights, or with those that follow from seed and name."""
    network = build(spec, stream_seed(draws.seed, "network", draws.name), blocks=blocks)
    if weights is not None:
        network.load_state_dict(dict(weights))
    return network.to(place.device, place.dtype)


def step_flops(spec: Spec, settings: FitSettings, blocks: Mapping[str, BlockKind] = BLOCKS) -> float:
    """Floating-point operations of one pass forward and backward, which costs three times the way forward."""
    return 3.0 * flops(spec, blocks=blocks) * settings.batch_size / settings.accumulate


def training_loss(task: Task, settings: FitSettings, place: Place) -> Loss:
    """The loss that `settings` ask for, with the weights of classes counted where they are wanted."""
    is_balanced = settings.class_weights == "balanced"
    weights = balanced_weights(task, device=place.device) if is_balanced else None
    return task_loss(task, settings, class_weights=weights)


def make_job(
    task: Task,
    spec: Spec,
    settings: FitSettings,
    run: Run,
    name: str,
    seeds: Sequence[int],
    *,
    place: Place,
    feed: Feed,
    trainer: Trains,
    loss: Loss,
) -> Job:
    """The job of moving `trainer` with the batches of `feed`, watched on the valid split."""
    read, reported = valid_batches(task, place, settings, seed=run.seed), plain_loss(loss)
    plain = {key: value for key, value in settings.to_json().items() if key not in WITHOUT_EFFECT}
    work = to_json([task.fingerprint, spec.to_json(), plain, name, list(seeds)])
    return Job(
        name=name,
        run=run,
        settings=settings,
        plan=plan(settings, feed.epoch_steps),
        feed=feed,
        trainer=trainer,
        evaluate=lambda network: evaluate_batches(network, task, read(), loss=reported),
        identity=hashlib.blake2b(work.encode(), digest_size=16).hexdigest(),
    )


def fit_result(spec: Spec, job: Job, course: Course, index: int, start: Callable[[], nn.Module]) -> FitResult:
    """What a member of a finished course leaves; `start` makes the network that it began with."""
    member = course.members[index]
    state = job.kept[index]
    if not state:
        state = (start() if member.failed else job.trainer.evaluated(index)).state_dict()
    return FitResult(
        spec=spec,
        state={name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()},
        steps=member.last_step if member.is_over else course.step,
        seconds=course.seconds,
        history=member.history,
        valid=member.valid,
        best_step=member.kept_step,
        stopped=member.stopped,
        failed=member.failed,
    )
