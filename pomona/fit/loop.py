"""Training one network on a task."""

import contextlib
from collections.abc import Mapping

from torch import Tensor, nn

from pomona.fit.course import run_course
from pomona.fit.draws import own_dropout
from pomona.fit.extension import USUAL, Extension
from pomona.fit.feeds import make_feed
from pomona.fit.job import fit_result, make_job
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.setup import set_up
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
    extension: Extension = USUAL,
) -> FitResult:
    """The network of `spec`, trained on the train split of `task` and watched on its valid split.

    `name` keys the random streams and the checkpoints below the run's folder: the same name in the same run
    goes on where it was stopped, with the same result to the last bit. `weights` is the state to start from,
    otherwise it is drawn. `extension` is what a method adds. A loss that is not finite ends the fit with
    `failed` set, not with an error. Raises Interrupted, with its state saved, when the user stops the run.

    >>> fit(task, default_spec(task), FitSettings(epochs=5)).valid["accuracy"]  # doctest: +SKIP
    0.97
    """
    with contextlib.ExitStack() as stack:
        run = run or stack.enter_context(temporary_run())
        setup = set_up(task, spec, settings, run=run, name=name, blocks=blocks, extension=extension)

        def start() -> nn.Module:
            return setup.start(run.seed, weights)

        draws = setup.draws(run.seed)
        feed = make_feed(task, "train", setup.place, setup.settings, draws)
        job = make_job(setup, [run.seed], feed=feed, trainer=Trainer(start(), setup, draws))
        stack.enter_context(own_dropout(draws, setup.place.device))
        return fit_result(setup, job, run_course(job), 0, start)
