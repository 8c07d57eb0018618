"""A table: the scores of every point of a small space, one a seed."""

import functools
import itertools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.trials.space import Choice, Parameter, Space


@dataclass(frozen=True, eq=False)
class Table:
    """Scores by point and seed, the higher the better; NaN where a point has fewer seeds than others.

    Points are numbered in the order of the space's parameters, the last one fastest. `is_loss` says that
    scores are losses with the sign changed, and regret is then relative to the lowest loss.
    """

    name: str
    space: Space
    scores: Float[np.ndarray, "point seed"]
    is_loss: bool = False

    @functools.cached_property
    def true_means(self) -> Float[np.ndarray, " point"]:
        """The mean score of every point over its seeds."""
        return np.nanmean(self.scores, axis=1)

    @functools.cached_property
    def num_seeds(self) -> Int[np.ndarray, " point"]:
        """How many seeds every point has; they come first in its row."""
        return (~np.isnan(self.scores)).sum(axis=1)

    def regret(self, point: int) -> float:
        """How far the true mean of a point lies below the best one; 0 for the best."""
        best = float(self.true_means.max())
        gap = best - float(self.true_means[point])
        return gap / -best if self.is_loss else gap

    @functools.cached_property
    def points(self) -> "TablePoints":
        """The table's space as strategies see it."""
        return TablePoints(self.space.parameters)


class TablePoints:
    """A `Space` of choices as a SearchSpace that looks up what `Space` computes: the same points, draws,
    moves and features, an order of magnitude faster. A key is a point's number."""

    def __init__(self, parameters: Mapping[str, Parameter]):
        choices = [parameter for parameter in parameters.values() if isinstance(parameter, Choice)]
        assert len(choices) == len(parameters) > 1, "a table is of several choices"
        self.parameters = parameters
        self._names = tuple(parameters)
        self._options = [choice.options for choice in choices]
        self._counts = [len(options) for options in self._options]
        # looking a point up must cost next to nothing: strategies ask for the features of all trials at once
        self._values = operator.itemgetter(*parameters)
        self._numbers = {values: number for number, values in enumerate(itertools.product(*self._options))}
        self._features = _one_hot(self._counts)

    def sample(self, generator: np.random.Generator) -> dict[str, Any]:
        draws = generator.random(len(self._names))
        return {
            name: options[int(draw * len(options))]
            for name, options, draw in zip(self._names, self._options, draws.tolist(), strict=True)
        }

    def mutate(self, point: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Any]:
        where, what = generator.random(2).tolist()
        position = int(where * len(self._names))
        name, options = self._names[position], self._options[position]
        own = options.index(point[name])
        other = int(what * (len(options) - 1))
        return {**point, name: options[other + (other >= own)]}

    def key(self, point: Mapping[str, Any]) -> str:
        return str(self.index(point))

    def features(self, point: Mapping[str, Any]) -> Float[np.ndarray, " feature"]:
        return self._features[self.index(point)]

    def index(self, point: Mapping[str, Any]) -> int:
        """The number of a point."""
        return self._numbers[self._values(point)]


def _one_hot(counts: list[int]) -> Float[np.ndarray, "point feature"]:
    taken = np.stack([axis.ravel() for axis in np.indices(counts)], axis=1)
    return np.hstack([np.eye(count)[taken[:, axis]] for axis, count in enumerate(counts)])
