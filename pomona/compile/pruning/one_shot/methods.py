"""The ways to prune one layer of a finished model: one function each, in one table.

All see a weight as a matrix with a row an output, and know what the layer reads through its moments.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float

from pomona.compile.pruning.one_shot.moments import Moments
from pomona.compile.pruning.patterns import Pattern, kept

Matrix = Float[np.ndarray, "out in"]

DAMPING = 0.01
"""Pull towards the dense weights, by the mean square of an input."""

COLUMNS = 128
"""Inputs for which the zeros are decided together."""


def largest(weight: Matrix, moments: Moments, density: float, pattern: Pattern) -> Matrix:
    """The weight without all but its largest entries."""
    return weight * _kept(weight**2, density, pattern)


def reconstructed(weight: Matrix, moments: Moments, density: float, pattern: Pattern) -> Matrix:
    """The sparse weight whose outputs on pruned inputs are nearest to the dense weight's on dense ones.

    Which entries go is decided from the left to the right by what they cost, the others making up for it
    (Frantar and Alistarh 2023, SparseGPT, algorithm 1, on the weight that fits the pruned inputs best), or by
    magnitude times the size of the input (Sun et al. 2023, Wanda), whichever loses less in the end: entries
    that stay are the least squares solution. Time grows with in³ + out (density in)³.
    """
    damping = max(DAMPING * float(np.diag(moments.gram).mean()), 1e-10)
    more = damping * np.eye(len(moments.gram))
    gram, wanted = moments.gram + more, weight @ (moments.cross + more)
    best = np.linalg.solve(gram, wanted.T).T
    masks = (
        surgeon_mask(best, gram, density, pattern),
        _kept(weight**2 * np.diag(gram), density, pattern),
    )
    found = [least_squares(wanted, gram, mask) for mask in masks]
    return min(found, key=lambda one: moments.lost(weight, one))


METHODS: dict[str, Callable[[Matrix, Moments, float, Pattern], Matrix]] = {
    "magnitude": largest,
    "reconstruct": reconstructed,
}
"""Name → the pruned weight from weight, moments, share to keep and pattern."""


def surgeon_mask(
    weight: Matrix, gram: Float[np.ndarray, "in in"], density: float, pattern: Pattern
) -> Bool[np.ndarray, "out in"]:
    """The entries to keep: those whose removal would cost most after the later inputs made up for it."""
    # the upper factor of the inverse: row j holds how later inputs answer when input j changes
    factor = np.linalg.cholesky(np.linalg.inv(gram)).T
    left, mask = weight.copy(), np.zeros(weight.shape, bool)
    step = COLUMNS // (pattern.of or 1) * (pattern.of or 1)
    for start in range(0, weight.shape[1], step):
        stop = min(start + step, weight.shape[1])
        pivots = np.diag(factor)[start:stop]
        block = mask[:, start:stop] = _kept((left[:, start:stop] / pivots) ** 2, density, pattern)
        errors = np.zeros((len(weight), stop - start))
        for place, column in enumerate(range(start, stop)):
            errors[:, place] = np.where(block[:, place], 0.0, left[:, column]) / factor[column, column]
            left[:, column:stop] -= np.outer(errors[:, place], factor[column, column:stop])
        left[:, stop:] -= errors @ factor[start:stop, stop:]
    return mask


def least_squares(
    wanted: Matrix, gram: Float[np.ndarray, "in in"], mask: Bool[np.ndarray, "out in"]
) -> Matrix:
    """The weight with zeros outside the mask that solves weight · gram = wanted as nearly as it can.

    With gram = X Xᵀ and wanted = Y Xᵀ, row by row the least squares fit of Y by the inputs that stay.
    """
    found = np.zeros_like(wanted)
    for row, is_kept in enumerate(mask):
        places = np.flatnonzero(is_kept)
        if places.size:
            found[row, places] = np.linalg.solve(gram[np.ix_(places, places)], wanted[row, places])
    return found


def _kept(scores: Matrix, density: float, pattern: Pattern) -> Bool[np.ndarray, "out in"]:
    return kept(torch.from_numpy(np.ascontiguousarray(scores)), density, pattern).numpy()
