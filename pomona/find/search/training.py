"""Training the network of a genome, from its parent's weights or from nothing, with a teacher or without."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pomona.find.search.genome import Genome
from pomona.find.search.leaders import is_reevaluation
from pomona.find.search.problem import USUAL_BATCH, Problem
from pomona.find.search.techniques import effective, fit_part
from pomona.find.search.yardstick import comparable_values
from pomona.fit.distillation import Lessons, distil
from pomona.fit.evaluate import Evaluation
from pomona.fit.extension import Extension
from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.trials.trial import Trial
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.inherit import inherit
from pomona.networks.network import Network

EVALUATIONS = 8
"""How often a model is looked at on validation while it is trained: often enough to keep it from overfitting,
seldom enough not to pick the luckiest moment."""

CHECKPOINT_SECONDS = 10.0
"""What a trainer that dies may cost, at most, whoever goes on with its trial."""


Watch = Callable[[float, Evaluation], str]
"""Called after every evaluation with the share of the steps that are done; a text ends the training."""


@dataclass(frozen=True)
class Heritage:
    """Weights to start from, and the share of the child's parameters that the parent gave."""

    weights: dict[str, Tensor]
    share: float


def train(
    genome: Genome,
    problem: Problem,
    run: Run,
    *,
    name: str,
    factor: float | None = None,
    heritage: Heritage | None = None,
    lessons: Lessons | None = None,
    watch: Watch | None = None,
) -> FitResult:
    """The network of `genome`, trained for `factor` times the usual steps.

    Without a factor it is 1, with a heritage less, by how much it got. `name` keys its random streams and
    checkpoints. With lessons it learns from them too. A text that `watch` returns becomes `stopped` of
    the result.
    """
    if factor is None:
        share = 0.0 if heritage is None else heritage.share
        factor = 1.0 - (1.0 - problem.settings.inherited_share) * share
    settings = fit_settings(genome, problem, num_steps=problem.steps * factor)
    weights = None if heritage is None else heritage.weights
    trained = fit if lessons is None else functools.partial(distil, lessons=lessons)
    return trained(
        problem.task,
        genome.spec,
        settings,
        run=run,
        name=name,
        weights=weights,
        blocks=problem.palette.blocks,
        extension=Extension(watch=None if watch is None else _by_share(watch, settings.steps or 1)),
    )


def fresh_name(genome_hash: str, seed: int) -> str:
    """What a training of a genome with a fresh seed is called.

    The name keys its random streams, so that it is the same training during a search and after it.
    """
    return f"finalist-{genome_hash}-{seed}"


def fit_name(trial: Trial) -> str:
    """What the training of a trial is called."""
    if is_reevaluation(trial):
        return fresh_name(trial.genome_hash, trial.seed)
    return f"trial-{trial.genome_hash}"


def valid_values(result: FitResult, problem: Problem) -> dict[str, float]:
    """The metrics of a fit on validation, with the means over several targets."""
    return comparable_values(problem.task, result.valid)


def fit_settings(genome: Genome, problem: Problem, *, num_steps: float) -> FitSettings:
    """The settings of a fit that sees as many examples as `num_steps` batches of the usual size."""
    technique = genome.training
    steps = max(1, math.ceil(num_steps * USUAL_BATCH / technique["batch_size"]))
    size = problem.task.splits["train"].size
    epoch_steps = -(-size // technique["batch_size"]) if size else 100
    every = max(1, math.ceil(steps / epoch_steps / EVALUATIONS))
    technique = fit_part(effective(technique))
    return FitSettings(steps=steps, evaluate_every=every, checkpoint_seconds=CHECKPOINT_SECONDS, **technique)


def inherited(
    genome: Genome, parent: Genome, state: Mapping[str, Tensor], problem: Problem, *, seed: int
) -> Heritage:
    """What the network of `genome` gets of its parent's weights; the rest is drawn by `seed`."""
    blocks = problem.palette.blocks
    child = build(genome.spec, seed, blocks=blocks)
    report = inherit(child, genome.spec, state, parent.spec, seed=seed, blocks=blocks)
    kept = report.copied + report.widened + report.narrowed
    return Heritage(_state(child), kept / max(1, kept + report.fresh))


def _state(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _by_share(watch: Watch, num_steps: int) -> Callable[[int, nn.Module, Evaluation], str]:
    return lambda step, network, found: watch(step / num_steps, found)
