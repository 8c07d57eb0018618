"""Sets of classes: do they hold the truth as often as claimed, and how large are they?"""

import numpy as np

from pomona.foundation.statistics import Interval, wilson_interval
from pomona.question.uncertainty.measures.likelihood import Labels
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import Said


def coverage(said: Said, truth: Labels) -> float | None:
    """Share of truths that are in their set."""
    return None if said.sets is None else float(said.sets[np.arange(len(truth)), truth].mean())


def worst_class_coverage(said: Said, truth: Labels) -> float | None:
    """The lowest coverage of a class among those with at least 10 examples; None when there is none."""
    if said.sets is None:
        return None
    held = said.sets[np.arange(len(truth)), truth]
    count = np.bincount(truth, minlength=said.probabilities.shape[1])
    kept = count >= 10
    shares = np.bincount(truth, held, minlength=len(count))[kept] / count[kept]
    return float(shares.min()) if kept.any() else None


def set_size(said: Said, truth: Labels) -> float | None:
    """Mean number of classes in a set."""
    return None if said.sets is None else float(said.sets.sum(axis=1).mean())


def _coverage_interval(said: Said, truth: Labels, generator: np.random.Generator) -> Interval | None:
    if said.sets is None:
        return None
    return wilson_interval(int(said.sets[np.arange(len(truth)), truth].sum()), len(truth))


SETS = (
    Measure("coverage", coverage, None, "share of truths in their set", spread=_coverage_interval),
    Measure(
        "worst_class_coverage",
        worst_class_coverage,
        True,
        "the lowest coverage of a class, among classes with at least 10 examples",
    ),
    Measure("set_size", set_size, False, "mean number of classes in a set"),
)
