"""What a method says of examples: the predictions, and how sure it is of each.

A score is the higher, the less sure the method is of the example. The scores of classes:

name                who has it                 what it is
max-probability     all                        1 - the probability of the likeliest class
entropy             all                        of the probabilities, in nats
mutual-information  those with members         entropy of the mean less the members' mean entropy, in nats
variance            those with members         of a class's probability over members, summed over classes
dempster-shafer     those that have logits     classes / (classes + sum of exp(logit))
evidence            those that count evidence  classes / (classes + sum of evidence)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from pomona.foundation.errors import DataError

Kind = TypeVar("Kind", "Said", "SaidValues")


COVERAGE = 0.9
"""How often the truth is in a set or an interval, unless a method is told otherwise."""

QUANTILE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The levels that methods which foretell quantiles have, so that they can be compared."""


@dataclass(frozen=True, eq=False)
class Said:
    """Of classes, for every example."""

    probabilities: Float[np.ndarray, "batch classes"]
    """Of an ensemble the mean of its members' probabilities."""
    members: Float[np.ndarray, "member batch classes"] | None = None
    scores: Mapping[str, Float[np.ndarray, " batch"]] = field(default_factory=dict)
    sets: Bool[np.ndarray, "batch classes"] | None = None
    """The classes that the method cannot rule out, where it makes sets."""


@dataclass(frozen=True, eq=False)
class SaidValues:
    """Of values, for every example; all in the unit of the target, and in its shape."""

    mean: Float[np.ndarray, "batch ..."]
    deviation: Float[np.ndarray, "batch ..."] | None = None
    """Standard deviation of the value to be foretold, noise and ignorance together."""
    quantiles: Mapping[float, Float[np.ndarray, "batch ..."]] | None = None
    """Level in (0, 1) → the value that the truth is below with this chance."""
    members: Float[np.ndarray, "member batch ..."] | None = None
    """What each member says the mean is."""
    interval: tuple[Float[np.ndarray, "batch ..."], Float[np.ndarray, "batch ..."]] | None = None
    """Lower and upper ends within which the truth is claimed to be with a chance of COVERAGE."""


def said_of(
    probabilities: Float[np.ndarray, "batch classes"],
    *,
    scores: Mapping[str, Float[np.ndarray, " batch"]] | None = None,
    sets: Bool[np.ndarray, "batch classes"] | None = None,
) -> Said:
    """What one network says, with the scores that all methods have and those that are given.

    >>> said_of(np.array([[0.5, 0.5], [1.0, 0.0]])).scores["entropy"].round(3).tolist()
    [0.693, 0.0]
    """
    values = _checked(probabilities, 2)
    return Said(values, None, {**_usual_scores(values), **(scores or {})}, sets)


def said_of_members(
    members: Float[np.ndarray, "member batch classes"],
    *,
    scores: Mapping[str, Float[np.ndarray, " batch"]] | None = None,
    sets: Bool[np.ndarray, "batch classes"] | None = None,
) -> Said:
    """What an ensemble says whose members' probabilities are given, with all scores that follow from them."""
    parts = _checked(members, 3)
    mean = parts.mean(axis=0)
    usual = _usual_scores(mean)
    # rounding alone could make it negative where members agree
    shared = np.maximum(usual["entropy"] - _entropy(parts).mean(axis=0), 0.0)
    usual |= {"mutual-information": shared, "variance": parts.var(axis=0).sum(axis=-1)}
    return Said(mean, parts, {**usual, **(scores or {})}, sets)


def values_of_members(
    means: Float[np.ndarray, "member batch ..."],
    deviations: Float[np.ndarray, "member batch ..."] | None = None,
) -> SaidValues:
    """What an ensemble says whose members' means are given, and, where they have them, their deviations.

    Mean and deviation are those of the even mixture: variance within members plus variance between them.
    """
    parts = np.asarray(means, np.float64)
    variance = parts.var(axis=0)
    if deviations is not None:
        variance = variance + (np.asarray(deviations, np.float64) ** 2).mean(axis=0)
    return SaidValues(parts.mean(axis=0), np.sqrt(variance), members=parts)


def dempster_shafer(logits: Float[np.ndarray, "batch classes"]) -> Float[np.ndarray, " batch"]:
    """Classes by classes plus the sum of exp(logit): near 1 where no class has evidence (Liu et al. 2020)."""
    values = np.asarray(logits, np.float64)
    num_classes = values.shape[-1]
    return num_classes / (num_classes + np.exp(np.minimum(values, 500.0)).sum(axis=-1))


def join_said(parts: Sequence[Kind]) -> Kind:
    """What was said of several batches as if it had been one, examples in order."""
    first = parts[0]
    joined: dict[str, Any] = {}
    for name in (entry.name for entry in fields(first)):
        joined[name] = _joined([getattr(part, name) for part in parts], 1 if name == "members" else 0)
    return type(first)(**joined)


def _joined(parts: Sequence[Any], axis: int) -> Any:
    if parts[0] is None:
        return None
    if isinstance(parts[0], Mapping):
        return {key: _joined([part[key] for part in parts], axis) for key in parts[0]}
    if isinstance(parts[0], tuple):
        return tuple(_joined(column, axis) for column in zip(*parts, strict=True))
    return np.concatenate(parts, axis=axis)


def _usual_scores(probabilities: Float[np.ndarray, "batch classes"]) -> dict[str, np.ndarray]:
    return {"max-probability": 1 - probabilities.max(axis=-1), "entropy": _entropy(probabilities)}


def _entropy(probabilities: Float[np.ndarray, "*axes classes"]) -> Float[np.ndarray, "*axes"]:
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return np.maximum(-(probabilities * logarithms).sum(axis=-1), 0.0)


def _checked(probabilities: np.ndarray, num_axes: int) -> np.ndarray:
    values = np.asarray(probabilities, np.float64)
    assert values.ndim == num_axes, values.shape
    if not np.isfinite(values).all():
        raise DataError("a method gave probabilities that are not finite; a lower learning rate may help")
    return values
