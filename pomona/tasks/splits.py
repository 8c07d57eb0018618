"""Which split an example is in: by a hash of its content, so that adding rows moves no other row."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int, Shaped, UInt64

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream_seed

RATIOS = {"train": 0.7, "valid": 0.15, "test": 0.15}


def split_by_hash(
    keys: UInt64[np.ndarray, " example"], *, seed: int = 0, ratios: Mapping[str, float] = RATIOS
) -> dict[str, Int[np.ndarray, " kept"]]:
    """Positions of the examples of each split, in order. Equal keys always share a split.

    The parts have the sizes of `ratios` only on average. A split that would be empty gets the example (with all
    its equals) whose hash is nearest to its share; of very few examples that is the only exception to the rule
    that adding rows moves no other row. Raises DataError when there are fewer different keys than splits.
    """
    position = mix(keys ^ np.uint64(stream_seed(seed, "split"))) / 2.0**64
    if len(np.unique(position)) < len(ratios):
        raise DataError(
            f"{len(np.unique(position))} different examples or groups are too few for {', '.join(ratios)}"
        )
    edges = np.cumsum([0.0, *ratios.values()]) / sum(ratios.values())
    part = np.clip(np.searchsorted(edges, position, side="right") - 1, 0, len(ratios) - 1)
    for index in range(len(ratios)):
        if not (part == index).any():
            middle = (edges[index] + edges[index + 1]) / 2
            _take_nearest(part, position, index, middle)
    return {name: np.flatnonzero(part == index) for index, name in enumerate(ratios)}


def content_keys(columns: Mapping[str, Shaped[np.ndarray, "example ..."]]) -> UInt64[np.ndarray, " example"]:
    """A key for each example from all its values; the order of columns does not matter."""
    keys = np.zeros(batch_length(columns), np.uint64)
    for name, values in columns.items():
        salt = np.uint64(stream_seed(0, "column", name))
        keys += mix(_value_keys(np.asarray(values)) ^ salt)
    return mix(keys)


def batch_length(columns: Mapping[str, np.ndarray]) -> int:
    """How many examples the columns hold."""
    return len(next(iter(columns.values())))


def mix(keys: UInt64[np.ndarray, " example"]) -> UInt64[np.ndarray, " example"]:
    """A bijection of 64 bits that spreads keys evenly (the finaliser of SplitMix64)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _value_keys(values: np.ndarray) -> UInt64[np.ndarray, " example"]:
    if values.dtype == object or values.dtype.kind in "US":
        known: dict[object, int] = {}
        return np.fromiter((_object_key(value, known) for value in values), np.uint64, len(values))
    if values.dtype.kind in "mM":
        values = values.astype(np.int64)
    # whole numbers are the same example whether a file stores them as integers or as floats; -0.0 + 0.0 is 0.0
    numbers = np.ascontiguousarray(values.reshape(len(values), -1).astype(np.float64) + 0.0)
    words = numbers.view(np.uint64)
    keys = np.zeros(len(values), np.uint64)
    for index in range(words.shape[1]):
        keys = mix(keys ^ words[:, index])
    return keys


def _object_key(value: object, known: dict[object, int]) -> int:
    if isinstance(value, np.ndarray):
        return stream_seed(0, "array", (value.shape, value.tobytes()))
    text = "" if value is None else str(value)
    if text not in known:
        known[text] = stream_seed(0, "value", text)
    return known[text]


def _take_nearest(part: np.ndarray, position: np.ndarray, index: int, middle: float) -> None:
    """Moves the key nearest to `middle` to split `index`, from a split that has other keys left."""
    for candidate in np.argsort(np.abs(position - middle), kind="stable"):
        same = position == position[candidate]
        owner = part[candidate]
        if (part[~same] == owner).any():
            part[same] = index
            return
