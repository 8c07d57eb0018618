"""Conformal prediction intervals of values, from examples that nothing else has seen."""

from dataclasses import replace

import numpy as np
import torch

from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.foundation.statistics import conformal_numbers, prediction_interval
from pomona.networks.spec import Spec
from pomona.question.uncertainty.asking import said_of_split
from pomona.question.uncertainty.measures.intervals import interval_of
from pomona.question.uncertainty.methods.deterministic import deterministic
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.quantiles import quantiles
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.parts import CALIBRATE, with_calibration
from pomona.question.uncertainty.said import COVERAGE, SaidValues
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

DEFAULTS: dict[str, float] = {}
SPACE = Space({})


def residual_intervals(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The usual network's value, more or less the same everywhere (split conformal, Lei et al. 2018)."""
    only_target(task, ("regress",))
    parted = with_calibration(task)
    base = deterministic(parted, spec, settings, run=run, name=name)
    said, truth = said_of_split(base.say, parted, CALIBRATE)
    assert isinstance(said, SaidValues)
    conformal = conformal_numbers(said.mean, truth, coverage=COVERAGE)

    def say(batch: Batch) -> SaidValues:
        plain = base.say(batch)
        assert isinstance(plain, SaidValues)
        return replace(plain, interval=prediction_interval(conformal, plain.mean))

    state = {**base.state, "quantiles": torch.tensor(conformal.quantiles)}
    return replace(base, say=say, parameters=base.parameters + len(conformal.quantiles), state=state)


def quantile_intervals(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """Between foretold quantiles, moved out or in alike (conformalised quantiles, Romano et al. 2019)."""
    only_target(task, ("regress",))
    parted = with_calibration(task)
    base = quantiles(parted, spec, settings, run=run, name=name)
    said, truth = said_of_split(base.say, parted, CALIBRATE)
    assert isinstance(said, SaidValues)
    # a truth is as strange as it is far outside, or, below 0, inside
    middle, half = _middle_and_half(said)
    widest = half.max(axis=0)
    distance = np.abs(truth - middle) - half + widest
    conformal = conformal_numbers(np.zeros_like(middle), distance, coverage=COVERAGE)
    moved = np.reshape(conformal.quantiles, middle.shape[1:]) - widest

    def say(batch: Batch) -> SaidValues:
        plain = base.say(batch)
        assert isinstance(plain, SaidValues)
        middle, half = _middle_and_half(plain)
        return replace(plain, interval=(middle - half - moved, middle + half + moved))

    state = {**base.state, "moved": torch.as_tensor(moved)}
    return replace(base, say=say, parameters=base.parameters + len(conformal.quantiles), state=state)


def _middle_and_half(said: SaidValues) -> tuple[np.ndarray, np.ndarray]:
    ends = interval_of(said)
    assert ends is not None
    return (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
