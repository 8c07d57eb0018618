"""Trees as arrays: no code and no pickle, and the same numbers as the library that grew them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32

ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees in a row; a leaf is its own child.

    The answer is `base` plus a leaf of each tree.
    """

    roots: Int32[np.ndarray, " tree"]
    feature: Int32[np.ndarray, " node"]
    threshold: Float[np.ndarray, " node"]
    """At or below it the left child is next."""
    missing_left: Bool[np.ndarray, " node"]
    left: Int32[np.ndarray, " node"]
    right: Int32[np.ndarray, " node"]
    value: Float[np.ndarray, " node"]
    """What a leaf adds."""
    base: float
    depth: int

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays."""
        scalars = {"base": np.array([self.base]), "depth": np.array([self.depth])}
        return {**{n: v for n, v in vars(self).items() if isinstance(v, np.ndarray)}, **scalars}

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> "Forest":
        """What `arrays` gave."""
        scalars = {"base": float(arrays["base"][0]), "depth": int(arrays["depth"][0])}
        return Forest(**{**arrays, **scalars})

    def part(self, begin: int, end: int) -> "Forest":
        """Some of the trees, without the base."""
        return replace(self, roots=self.roots[begin:end], base=0.0)

    def first(self, number: int) -> "Forest":
        """The first trees alone, and no other nodes."""
        if number >= len(self.roots):
            return self
        end = int(self.roots[number])
        nodes = ("feature", "threshold", "missing_left", "left", "right", "value")
        return replace(self, roots=self.roots[:number], **{name: getattr(self, name)[:end] for name in nodes})

    def predict(self, rows: Float32[np.ndarray, "row feature"]) -> Float[np.ndarray, " row"]:
        """The sum of all trees for each row, before any link function."""
        parts = [self._some(rows[at : at + ROWS_AT_ONCE]) for at in range(0, len(rows), ROWS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _some(self, rows: np.ndarray) -> np.ndarray:
        walk = _compiled()
        if walk is not None:
            nodes = (self.feature, self.threshold, self.missing_left, self.left, self.right, self.value)
            return walk(rows, self.roots, *nodes, self.base)
        total, each = np.full(len(rows), self.base), np.arange(len(rows))
        for root in self.roots:
            node = np.full(len(rows), root)
            for _ in range(self.depth):
                seen = rows[each, self.feature[node]]
                goes_left = np.where(np.isnan(seen), self.missing_left[node], seen <= self.threshold[node])
                node = np.where(goes_left, self.left[node], self.right[node])
            total += self.value[node]
        return total


def forest_of(model: Any, num_trees: int) -> Forest:
    """The first trees of a fitted HistGradientBoostingRegressor, all of whose features are numbers."""
    trees = [parts[0].nodes for parts in model._predictors[:num_trees]]
    sizes = np.array([len(nodes) for nodes in trees], np.int64)
    roots = np.cumsum(sizes) - sizes
    nodes: Any = np.concatenate(trees) if trees else np.zeros(0, model._predictors[0][0].nodes.dtype)
    own = np.repeat(roots, sizes)
    is_leaf = nodes["is_leaf"].astype(bool)
    place = np.arange(len(nodes))
    return Forest(
        roots=roots.astype(np.int32),
        feature=np.where(is_leaf, 0, nodes["feature_idx"]).astype(np.int32),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        left=np.where(is_leaf, place, own + nodes["left"]).astype(np.int32),
        right=np.where(is_leaf, place, own + nodes["right"]).astype(np.int32),
        value=np.where(is_leaf, nodes["value"], 0.0),
        base=float(np.ravel(model._baseline_prediction)[0]),
        depth=int(nodes["depth"].max(initial=0)),
    )


_WALKS: list[Any] = []


def _compiled() -> Any:
    """The walk in machine code where Numba is installed, else None."""
    if not _WALKS:
        try:
            import numba
        except ImportError:
            _WALKS.append(None)
        else:
            _WALKS.append(numba.njit(cache=True, nogil=True)(_walk))
    return _WALKS[0]


def _walk(rows, roots, feature, threshold, missing_left, left, right, value, base):  # type: ignore[no-untyped-def]
    total = np.full(len(rows), base)
    for root in roots:
        for row in range(len(rows)):
            node = root
            while left[node] != node:
                seen = rows[row, feature[node]]
                if np.isnan(seen):
                    node = left[node] if missing_left[node] else right[node]
                elif seen <= threshold[node]:
                    node = left[node]
                else:
                    node = right[node]
            total[row] += value[node]
    return total
