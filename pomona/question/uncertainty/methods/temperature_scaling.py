"""Temperature scaling (Guo et al. 2017): one number, fitted on examples that nothing else has seen."""

from dataclasses import replace

import torch

from pomona.fit.temperature import fit_temperature, temper
from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.asking import said_of_split
from pomona.question.uncertainty.methods.deterministic import deterministic
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.parts import CALIBRATE, with_calibration
from pomona.question.uncertainty.said import Said, said_of
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

DEFAULTS: dict[str, float] = {}
SPACE = Space({})


def temperature_scaling(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The usual network, its probabilities tempered."""
    only_target(task, ("classify",))
    parted = with_calibration(task)
    base = deterministic(parted, spec, settings, run=run, name=name)
    said, truth = said_of_split(base.say, parted, CALIBRATE)
    assert isinstance(said, Said)
    temperature = fit_temperature(said.probabilities, truth)

    def say(batch: Batch) -> Said:
        plain = base.say(batch)
        assert isinstance(plain, Said)
        return said_of(temper(task.kind, plain.probabilities, temperature))

    state = {**base.state, "temperature": torch.tensor(temperature)}
    return replace(base, say=say, parameters=base.parameters + 1, state=state)
