"""How good the probabilities are as such: the likelihood of the truth, Brier's score and accuracy."""

import functools

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.statistics import Interval, wilson_interval
from pomona.question.uncertainty.measures.means import mean_measure
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import Said
from pomona.tasks.metrics import METRICS

Labels = Int[np.ndarray, " batch"]


def per_example(metric: str, said: Said, truth: Labels) -> Float[np.ndarray, " batch"]:
    """The examples' own values of nll, brier or accuracy, which are their means."""
    rows = METRICS[metric].rows(said.probabilities, truth, None, None)
    return rows[:, 0] / rows[:, 1]


def is_right(said: Said, truth: Labels) -> Float[np.ndarray, " batch"]:
    """1 where the likeliest class is the true one; of equally likely ones the first counts."""
    return (said.probabilities.argmax(axis=1) == truth).astype(np.float64)


def _accuracy_interval(said: Said, truth: Labels, generator: np.random.Generator) -> Interval | None:
    return wilson_interval(int(is_right(said, truth).sum()), len(truth)) if len(truth) else None


LIKELIHOOD = (
    *(
        mean_measure(name, functools.partial(per_example, name), False, METRICS[name].formula)
        for name in ("nll", "brier")
    ),
    Measure(
        "accuracy",
        lambda said, truth: float(is_right(said, truth).mean()),
        True,
        "share of examples whose most probable class is the right one",
        spread=_accuracy_interval,
    ),
)
