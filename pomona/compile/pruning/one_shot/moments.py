"""What layer-wise pruning needs to know of a layer's inputs: their means and products, dense and pruned."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over all columns that a layer's weight was multiplied with.

    `dense` columns are those of the model as it was, `pruned` those of the same places behind the layers that
    are pruned already.
    """

    count: int
    dense_sum: Float[np.ndarray, " in"]
    pruned_sum: Float[np.ndarray, " in"]
    gram: Float[np.ndarray, "in in"]
    """pruned · prunedᵀ."""
    cross: Float[np.ndarray, "in in"]
    """dense · prunedᵀ."""
    dense_gram: Float[np.ndarray, "in in"]
    """dense · denseᵀ."""

    @staticmethod
    def of(dense: Float[np.ndarray, "in column"], pruned: Float[np.ndarray, "in column"]) -> "Moments":
        """The sums over some columns."""
        dense, pruned = dense.astype(np.float64), pruned.astype(np.float64)
        return Moments(
            dense.shape[1],
            dense.sum(axis=1),
            pruned.sum(axis=1),
            pruned @ pruned.T,
            dense @ pruned.T,
            dense @ dense.T,
        )

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.count + other.count,
            self.dense_sum + other.dense_sum,
            self.pruned_sum + other.pruned_sum,
            self.gram + other.gram,
            self.cross + other.cross,
            self.dense_gram + other.dense_gram,
        )

    @property
    def dense_mean(self) -> Float[np.ndarray, " in"]:
        """The mean column of the model as it was."""
        return self.dense_sum / self.count

    @property
    def pruned_mean(self) -> Float[np.ndarray, " in"]:
        """The mean column behind pruned layers."""
        return self.pruned_sum / self.count

    def centred(self) -> Self:
        """The same of columns less their means: what a layer with a bias has to care for."""
        gram = self.gram - np.outer(self.pruned_sum, self.pruned_mean)
        cross = self.cross - np.outer(self.dense_sum, self.pruned_mean)
        dense_gram = self.dense_gram - np.outer(self.dense_sum, self.dense_mean)
        return type(self)(self.count, 0 * self.dense_sum, 0 * self.pruned_sum, gram, cross, dense_gram)

    def lost(self, dense: Float[np.ndarray, "out in"], pruned: Float[np.ndarray, "out in"]) -> float:
        """The mean square of (dense weight · dense − pruned weight · pruned) by that of the first of them."""
        total = np.einsum("oi,ij,oj->", dense, self.dense_gram, dense, optimize=True)
        both = np.einsum("oi,ij,oj->", dense, self.cross, pruned, optimize=True)
        rest = np.einsum("oi,ij,oj->", pruned, self.gram, pruned, optimize=True)
        return float(max(total - 2 * both + rest, 0.0) / max(total, 1e-30))
