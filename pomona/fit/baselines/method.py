"""What a baseline is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

Predict = Callable[[Batch], Mapping[str, np.ndarray]]
"""From a prepared batch to predictions by target."""

PredictOne = Callable[[Batch], np.ndarray]
"""From a prepared batch to the predictions of one target."""


@dataclass(frozen=True)
class Method:
    """A method that needs no tuning, and what it is for."""

    kinds: tuple[str, ...]
    takes: Callable[[Task], bool]
    """Whether it fits a task of one of its kinds: its inputs, its targets, its size."""
    fit: Callable[[Task, str, Batch, int], PredictOne]
    """From a task, the name of a target, training examples and a seed below 2**32."""
    appetite: int = 1
    """How many times as many examples as the slowest method it learns from."""
