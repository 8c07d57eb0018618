"""Training one network on a task."""

import contextlib
from collections.abc import Mapping

from torch import Tensor, nn

from pomona.fit.course import run_course
from pomona.fit.draws import Draws, own_dropout
from pomona.fit.feeds import make_feed
from pomona.fit.job import fit_result, make_job, start_network, step_flops, training_loss
from pomona.fit.objectives import check_heads
from pomona.fit.precision import place_of_run, resolved
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.threads import use_threads, useful_threads
from pomona.fit.trainer import Trainer
from pomona.foundation.run import Run, temporary_run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
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
        use_threads(useful_threads(step_flops(spec, settings, blocks), run.threads))
        place, draws = place_of_run(run, settings), Draws(run.seed, name)
        settings = resolved(settings, place)

        def start() -> nn.Module:
            return start_network(spec, place, draws, weights, blocks)

        loss = training_loss(task, settings, place)
        trainer = Trainer(start(), task, loss, settings, place, draws)
        feed = make_feed(task, "train", place, settings, draws)
        job = make_job(
            task, spec, settings, run, name, [run.seed], place=place, feed=feed, trainer=trainer, loss=loss
        )
        stack.enter_context(own_dropout(draws, place.device))
        return fit_result(spec, job, run_course(job), 0, start)
