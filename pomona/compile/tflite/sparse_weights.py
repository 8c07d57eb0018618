"""Weights that a TFLite file stores without their zeros, as dense arrays.

A tensor's axes, and those of blocks within them, are walked in some order; each is dense or a list of the
places that hold something (TACO's format, `SparsityParameters` in TFLite's schema).
"""

from typing import Any

import numpy as np

DENSE = 0


def with_zeros(values: np.ndarray, sparsity: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The tensor of this shape. Raises ValueError or IndexError where the parameters do not fit."""
    coordinates, places = _places(sparsity, shape)
    dense = np.zeros(shape, values.dtype)
    dense[tuple(coordinates)] = values[places]
    return dense


def _places(sparsity: Any, shape: tuple[int, ...]) -> tuple[list[np.ndarray], np.ndarray]:
    """The coordinates of every stored value, an array for each axis, and its place in the list of values."""
    order = [int(axis) for axis in sparsity.traversalOrder]
    blocks = [] if sparsity.blockMap is None else [int(axis) for axis in sparsity.blockMap]
    levels = dict(zip(order, sparsity.dimMetadata, strict=True))
    block_sizes = {axis: int(levels[len(shape) + index].denseSize) for index, axis in enumerate(blocks)}
    places, found = np.zeros(1, np.int64), {}
    for axis in order:
        level = levels[axis]
        if level.format == DENSE:
            size = (
                block_sizes[blocks[axis - len(shape)]]
                if axis >= len(shape)
                else (shape[axis] // block_sizes.get(axis, 1))
            )
            parents, inside = np.repeat(np.arange(len(places)), size), np.tile(np.arange(size), len(places))
            places = places[parents] * size + inside
        else:
            segments = np.asarray(level.arraySegments.values, np.int64)
            counts = segments[places + 1] - segments[places]
            parents = np.repeat(np.arange(len(places)), counts)
            first = np.repeat(segments[places] - np.cumsum(counts) + counts, counts)
            places = first + np.arange(len(parents))
            inside = np.asarray(level.arrayIndices.values, np.int64)[places]
        found = {known: coordinates[parents] for known, coordinates in found.items()} | {axis: inside}
    for index, axis in enumerate(blocks):
        found[axis] = found[axis] * block_sizes[axis] + found[len(shape) + index]
    return [found[axis] for axis in range(len(shape))], places
