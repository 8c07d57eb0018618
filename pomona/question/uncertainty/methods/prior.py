"""How much the divergence from a prior counts in the loss of a step."""

from collections.abc import Callable

from pomona.fit.settings import FitSettings
from pomona.tasks.task import Task

FULL_FROM = 0.8
"""The share of the steps after which the divergence counts in full, as in Dusenberry et al. 2020."""


def annealed(task: Task, settings: FitSettings, strength: float = 1.0) -> Callable[[float], float]:
    """From the share of steps done to a weight that rises to `strength` / number of training examples.

    Of an endless source the examples are those that all steps draw.
    """
    num_examples = task.splits["train"].size or (settings.steps or 2000) * settings.batch_size
    return lambda share: strength * min(1.0, share / FULL_FROM) / num_examples
