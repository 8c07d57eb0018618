"""The leaders of a search: how good the best models are once their luck is taken off.

The best of many noisy scores is too good on average (the winner's curse). Leaders are trained again with
fresh seeds while the search goes on, and what is expected of a model follows from all its scores and from
those of the others.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pomona.find.search.yardstick import Yardstick
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.strategies import shrunken_means
from pomona.fit.trials.trial import Trial
from pomona.tasks.metrics.table import METRICS


@dataclass(frozen=True)
class Standing:
    """A model among the others; numbers are in the unit of the first metric, on validation."""

    trial: int
    """Number of the one that found it."""
    raw: float
    """What it scored there."""
    mean: float
    """What is to be expected of it over seeds, its luck taken off."""
    interval: tuple[float, float] | None
    """Where the expected value is in 95 of 100 cases; None while no model was trained twice."""
    num_seeds: int
    """Trainings of it that are known."""


def is_reevaluation(trial: Trial) -> bool:
    """Whether a trial trains a known model again with a fresh seed."""
    return trial.seed > 0


def first_training(trial: Trial, searched: TrialStore) -> Trial:
    """The trial that found the model which `trial` trains, itself where it is that one."""
    known = searched.by_genome_hash(trial.genome_hash)
    return next((one for one in known if not is_reevaluation(one)), trial)


def num_reevaluated(trials: Sequence[Trial]) -> int:
    """How many trials were completed that trained a known model again."""
    return sum(is_reevaluation(trial) and trial.state == "completed" for trial in trials)


def ranking(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """For each model the trial that found it, the model first of which most is expected.

    Models of which a training failed come after all others; equal ones in the order of their numbers.
    """
    expected = shrunken_means(trials)
    failed = {trial.genome_hash for trial in trials if trial.state == "failed"}
    found = found_by(trials)
    keys = sorted(
        (key for key in expected if key in found),
        key=lambda key: (key in failed, -expected[key].mean, found[key].number),
    )
    return tuple(found[key] for key in keys)


def standings(trials: Sequence[Trial], yardstick: Yardstick) -> dict[str, Standing]:
    """How every model stands, by the hash of its genome."""
    sign = 1.0 if yardstick.greater_is_better else -1.0
    # in the unit of the metric: the score holds a part for the likelihood
    measured = [
        replace(trial, score=sign * trial.values[yardstick.metric])
        for trial in trials
        if trial.state == "completed" and trial.values.get(yardstick.metric) is not None
    ]
    found = found_by(measured)
    standing = {}
    for key, expected in shrunken_means(measured).items():
        if key not in found:
            continue
        low, high = sorted(_within(sign * end, yardstick) for end in expected.interval)
        interval = None if math.isnan(low) else (low, high)
        raw, mean = float(found[key].values[yardstick.metric]), _within(sign * expected.mean, yardstick)
        standing[key] = Standing(found[key].number, raw, mean, interval, expected.num_seeds)
    return standing


def once_each(trials: Iterable[Trial]) -> list[Trial]:
    """The trials, of those of one genome and seed the first."""
    found: dict[tuple[str, int], Trial] = {}
    for trial in trials:
        found.setdefault((trial.genome_hash, trial.seed), trial)
    return list(found.values())


def found_by(trials: Sequence[Trial]) -> dict[str, Trial]:
    """The completed trial that found a model, by the hash of its genome."""
    found: dict[str, Trial] = {}
    for trial in trials:
        if trial.state == "completed" and not is_reevaluation(trial):
            found.setdefault(trial.genome_hash, trial)
    return found


def _within(value: float, yardstick: Yardstick) -> float:
    """`value`, or the end of the metric's range that it lies beyond: noise is not told from bounds."""
    known = METRICS.get(yardstick.metric)
    return value if known is None or math.isnan(value) else min(max(value, known.range[0]), known.range[1])
