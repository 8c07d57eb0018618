"""Training one network on a task."""

import contextlib
import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pomona.fit.class_weights import balanced_weights
from pomona.fit.course import Job, run_course
from pomona.fit.draws import Draws
from pomona.fit.evaluate import evaluate_batches
from pomona.fit.feeds import Place, make_feed, valid_batches
from pomona.fit.objectives import check_heads, plain_loss, task_loss
from pomona.fit.plan import plan
from pomona.fit.precision import place_of_run, resolved
from pomona.fit.result import Course, FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.threads import use_threads
from pomona.fit.trainer import Trainer, own_dropout
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run, temporary_run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


def fit(
    task: Task,
    spec: Spec,
    settings: FitSettings = FitSettings(),
    *,
    run: Run | None = None,
    name: str = "fit",
    weights: Mapping[str, Tensor] | None = None,
    blocks: Mapping[str, BlockKind] = BLOCKS,
) -> FitResult:
    """The network of `spec`, trained on the train split of `task` and watched on its valid split.

    `name` keys the random streams and the checkpoints below the run's folder: the same name in the same run
    goes on where it was stopped, with the same result to the last bit. `weights` is the state to start from,
    otherwise it is drawn. A loss that is not finite ends the fit with `failed` set, not with an error.
    Raises Interrupted, with its state saved, when the user stops the run.

    >>> fit(task, default_spec(task), FitSettings(epochs=5)).valid["accuracy"]  # doctest: +SKIP
    0.97
    """
    with contextlib.ExitStack() as stack:
        run = run or stack.enter_context(temporary_run())
        check_heads(task, spec)
        use_threads(run.threads)
        place = place_of_run(run, settings)
        settings = resolved(settings, place)
        draws = Draws(run.seed, name)
        network = start_network(spec, place, draws, weights, blocks)
        job = _job(
            task, network, settings, run, place, draws, identity=_identity(task, spec, settings, draws)
        )
        stack.enter_context(own_dropout(draws, place.device))
        course = run_course(job)
        if job.kept or not course.failed:
            state = job.kept or job.trainer.evaluated.state_dict()
        else:
            state = start_network(spec, place, draws, weights, blocks).state_dict()
        return _result(spec, state, course)


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


def _job(
    task: Task,
    network: nn.Module,
    settings: FitSettings,
    run: Run,
    place: Place,
    draws: Draws,
    *,
    identity: str,
) -> Job:
    feed = make_feed(task, "train", place, settings, draws)
    is_balanced = settings.class_weights == "balanced"
    loss = task_loss(
        task, settings, class_weights=balanced_weights(task, device=place.device) if is_balanced else None
    )
    trainer = Trainer(network, task, loss, settings, place, draws)
    batches, reported = valid_batches(task, place, settings, draws), plain_loss(loss)
    return Job(
        name=draws.name,
        run=run,
        settings=settings,
        plan=plan(settings, feed.epoch_steps),
        feed=feed,
        trainer=trainer,
        evaluate=lambda: evaluate_batches(trainer.evaluated, task, batches(), loss=reported),
        identity=identity,
    )


def _identity(task: Task, spec: Spec, settings: FitSettings, draws: Draws) -> str:
    """A hash of what decides the result; how often it is saved and where examples are held do not."""
    plain = {k: v for k, v in settings.to_json().items() if k not in ("checkpoint_seconds", "memory_mb")}
    work = to_json([task.fingerprint, spec.to_json(), plain, draws.seed, draws.name])
    return hashlib.blake2b(work.encode(), digest_size=16).hexdigest()


def _result(spec: Spec, state: Mapping[str, Tensor], course: Course) -> FitResult:
    with torch.no_grad():
        kept = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    return FitResult(
        spec=spec,
        state=kept,
        steps=course.step,
        seconds=course.seconds,
        history=course.history,
        valid=course.valid,
        best_step=course.kept_step,
        stopped=course.stopped,
        failed=course.failed,
    )
