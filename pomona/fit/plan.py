"""How long a fit is and when it is evaluated, from settings and the number of steps an epoch has."""

import math
from dataclasses import dataclass, field

from pomona.fit.settings import FitSettings

AUTO_STEPS = 2000
AUTO_EPOCHS = (10, 200)
"""Without `epochs` and `steps`: the epochs that make AUTO_STEPS steps, no fewer and no more than these."""

AUTO_EVALUATIONS = 30


@dataclass(frozen=True)
class Plan:
    """Steps in all, steps an epoch, and steps between two evaluations."""

    num_steps: int
    epoch_steps: int
    steps_between: int
    also: frozenset[int] = field(default=frozenset(), repr=False)
    """Further numbers of steps after which the network is evaluated."""

    def is_evaluated(self, num_done: int) -> bool:
        """Whether the network is evaluated after `num_done` steps."""
        return num_done == self.num_steps or num_done % self.steps_between == 0 or num_done in self.also


def plan(settings: FitSettings, epoch_steps: int) -> Plan:
    """The plan of a fit.

    >>> plan(FitSettings(epochs=3, evaluate_every=2), 10)
    Plan(num_steps=30, epoch_steps=10, steps_between=20)
    """
    low, high = AUTO_EPOCHS
    epochs = settings.epochs or min(max(math.ceil(AUTO_STEPS / epoch_steps), low), high)
    num_steps = settings.steps or epochs * epoch_steps
    every = settings.evaluate_every or math.ceil(num_steps / epoch_steps / AUTO_EVALUATIONS)
    return Plan(num_steps, epoch_steps, every * epoch_steps)
