"""Conformal prediction sets: classes that cannot be ruled out, from examples that nothing else has seen.

The sets hold the truth with a chance of COVERAGE on average over examples like those of calibration; the
probabilities stay what they are.
"""

from dataclasses import replace
from typing import Literal

import torch

from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.foundation.statistics import conformal_classes, prediction_set
from pomona.networks.spec import Spec
from pomona.question.uncertainty.asking import said_of_split
from pomona.question.uncertainty.methods.deterministic import deterministic
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.parts import CALIBRATE, with_calibration
from pomona.question.uncertainty.said import COVERAGE, Said
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

DEFAULTS: dict[str, float] = {}
SPACE = Space({})


def conformal_sets(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The smallest sets on average: all classes with a probability above one threshold."""
    return _with_sets(task, spec, settings, "least-ambiguous", run=run, name=name)


def adaptive_sets(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """Larger sets where it is harder: the likeliest classes up to one total. Never empty, they hold more."""
    return _with_sets(task, spec, settings, "adaptive", run=run, name=name)


def _with_sets(
    task: Task,
    spec: Spec,
    settings: MethodSettings,
    score: Literal["least-ambiguous", "adaptive"],
    *,
    run: Run,
    name: str,
) -> Fitted:
    only_target(task, ("classify",))
    parted = with_calibration(task)
    base = deterministic(parted, spec, settings, run=run, name=name)
    said, truth = said_of_split(base.say, parted, CALIBRATE)
    assert isinstance(said, Said)
    conformal = conformal_classes(said.probabilities, truth, coverage=COVERAGE, score=score)

    def say(batch: Batch) -> Said:
        plain = base.say(batch)
        assert isinstance(plain, Said)
        return replace(plain, sets=prediction_set(conformal, plain.probabilities))

    state = {**base.state, "quantiles": torch.tensor(conformal.quantiles)}
    return replace(base, say=say, parameters=base.parameters + 1, state=state)
