"""The baseline of a task: of the methods that take it, the best on validation."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pomona.fit.assessment import assess
from pomona.fit.baselines.method import Method, Predict
from pomona.fit.baselines.table import BASELINES
from pomona.foundation.randomness import stream, stream_seed
from pomona.tasks.batch import Batch, take
from pomona.tasks.metrics.measure import primary_metric, primary_value
from pomona.tasks.source import EndlessSource, FiniteSource
from pomona.tasks.task import Task

MAX_NUMBERS = 200_000_000
"""Of the training examples that are held in memory, 800 MB; of larger examples there are fewer."""


@dataclass(frozen=True)
class Baseline:
    """A method that was fitted as it is, without tuning, and its metrics."""

    name: str
    valid: dict[str, float]
    test: dict[str, float]
    seconds: float
    """What fitting and measuring took, with that of the methods it was chosen from."""
    trivial: "Baseline | None" = None
    """The constant prediction, which looks at no input; None where that is the best."""

    def to_json(self) -> dict[str, Any]:
        """The baseline as plain data."""
        return asdict(self)


def baseline(task: Task, *, seed: int = 0, max_examples: int = 5000) -> Baseline:
    """The strongest cheap method for a task: fitted on training, chosen on validation, told on test examples.

    A method learns from at most `max_examples` training examples, a quick one from some times as many. The
    constant prediction takes part: where nothing beats it, it is the result.
    """
    started = time.perf_counter()
    fitted: dict[str, Predict] = {}
    valid: dict[str, dict[str, float]] = {}
    for name, method in BASELINES.items():
        if task.kind in method.kinds and method.takes(task):
            fitted[name] = _fitted(task, method, seed, max_examples)
            valid[name] = assess(fitted[name], task, "valid", seed=seed).values
    # the constant is the first, so that it wins ties
    trivial, best = next(iter(valid)), max(valid, key=lambda name: _score(task, valid[name]))
    test = {name: assess(fitted[name], task, "test", seed=seed).values for name in {trivial, best}}
    seconds = time.perf_counter() - started
    plain = Baseline(trivial, valid[trivial], test[trivial], seconds)
    return plain if best == trivial else Baseline(best, valid[best], test[best], seconds, plain)


def _fitted(task: Task, method: Method, seed: int, max_examples: int) -> Predict:
    train = _training_examples(task, seed, max_examples * method.appetite)
    targets = {
        target: method.fit(task, target, train, stream_seed(seed, "baseline", target) % 2**32)
        for target in task.targets
    }
    return lambda batch: {target: predict(batch) for target, predict in targets.items()}


def _training_examples(task: Task, seed: int, num_examples: int) -> Batch:
    source, generator = task.splits["train"], stream(seed, "baseline", "examples")
    size = sum(int(np.prod(feature.shape)) for feature in task.inputs.values())
    num_examples = max(min(num_examples, MAX_NUMBERS // size), 2)
    if source.size is None:
        assert isinstance(source, EndlessSource)
        batch = source.draw(generator, num_examples)
    else:
        assert isinstance(source, FiniteSource)
        batch = source.read(np.sort(generator.permutation(source.size)[:num_examples]))
    return take(batch, np.flatnonzero(batch["weight"] > 0)) if "weight" in batch else batch


def _score(task: Task, values: Mapping[str, float]) -> float:
    value = primary_value(task, values)
    if value is None:
        return -math.inf
    return value if primary_metric(task).greater_is_better else -value
