"""Weights stored without zeros come out as they were, whatever the order of their axes and blocks."""

from types import SimpleNamespace

import numpy as np
import pytest

from pomona.compile.tflite.sparse_weights import with_zeros

DENSE, LISTED = 0, 1


def stored(dense: np.ndarray, order: tuple[int, ...], kinds: tuple[int, ...], blocks: dict[int, int]):
    """What a file holds of an array: the values and the parameters, by walking it in the plainest way."""
    expanded = dense
    for axis in sorted(blocks, reverse=True):
        size = blocks[axis]
        shape = (*expanded.shape[:axis], expanded.shape[axis] // size, size, *expanded.shape[axis + 1 :])
        expanded = np.moveaxis(expanded.reshape(shape), axis + 1, dense.ndim)
    expanded = expanded.transpose(order)
    levels = [
        SimpleNamespace(
            format=kind,
            denseSize=size if kind == DENSE else 0,
            arraySegments=SimpleNamespace(values=[0]),
            arrayIndices=SimpleNamespace(values=[]),
        )
        for kind, size in zip(kinds, expanded.shape, strict=True)
    ]
    values: list[float] = []

    def walk(part, level):
        if level == len(levels):
            values.append(float(part))
            return
        here = levels[level]
        for place in range(len(part)):
            if here.format == LISTED:
                if not np.any(part[place]):
                    continue
                here.arrayIndices.values.append(place)
            walk(part[place], level + 1)
        if here.format == LISTED:
            here.arraySegments.values.append(len(here.arrayIndices.values))

    walk(expanded, 0)
    block_map = sorted(blocks) or None
    parameters = SimpleNamespace(traversalOrder=list(order), blockMap=block_map, dimMetadata=levels)
    return np.array(values), parameters


@pytest.mark.parametrize(
    ("shape", "order", "kinds", "blocks"),
    [
        ((6, 5), (0, 1), (DENSE, LISTED), {}),
        ((6, 5), (1, 0), (DENSE, LISTED), {}),
        ((6, 5), (0, 1), (LISTED, LISTED), {}),
        ((8, 1, 1, 5), (0, 1, 2, 3), (DENSE, DENSE, DENSE, LISTED), {}),
        ((8, 6), (0, 1, 2), (DENSE, LISTED, DENSE), {0: 4}),
        ((8, 6), (0, 1, 2, 3), (DENSE, LISTED, DENSE, DENSE), {0: 2, 1: 3}),
    ],
)
def test_the_dense_array_comes_back(shape, order, kinds, blocks):
    generator = np.random.default_rng(len(order))
    dense = generator.standard_normal(shape) * (generator.random(shape) < 0.15)
    values, parameters = stored(dense, order, kinds, blocks)
    assert len(values) < dense.size
    np.testing.assert_array_equal(with_zeros(values, parameters, shape), dense)
