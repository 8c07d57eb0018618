"""Which split an example is in: by a hash of its content, so that adding rows moves no other row."""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int, Shaped, UInt64

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream_seed

RATIOS = {"train": 0.7, "valid": 0.15, "test": 0.15}
WIDE = 64
"""Examples of more numbers than this are hashed one by one rather than column by column."""


def split_by_hash(
    keys: UInt64[np.ndarray, " example"], *, seed: int = 0, ratios: Mapping[str, float] = RATIOS
) -> dict[str, Int[np.ndarray, " kept"]]:
    """Positions of the examples of each split, in order. Equal keys always share a split.

    The parts have the sizes of `ratios` only on average. A split with less than half its share of the
    different keys, which happens with few examples, takes those whose hashes are nearest to its range; that
    is the only exception to the rule that adding rows moves no other row. Raises DataError when there are
    fewer different keys than splits.
    """
    unique, place = np.unique(mix(keys ^ np.uint64(stream_seed(seed, "split"))), return_inverse=True)
    if len(unique) < len(ratios):
        raise DataError(f"{len(unique)} different examples or groups are too few for {', '.join(ratios)}")
    shares = np.array(list(ratios.values())) / sum(ratios.values())
    edges = np.cumsum(shares)
    part = np.minimum(np.searchsorted(edges, unique / 2.0**64, side="right"), len(shares) - 1)
    least = np.ceil(shares * len(unique) / 2) if len(unique) >= 2 * len(shares) else np.ones(len(shares))
    _fill_up(part, unique / 2.0**64, edges - shares / 2, least)
    return {name: np.flatnonzero(part[place] == index) for index, name in enumerate(ratios)}


def content_keys(columns: Mapping[str, Shaped[np.ndarray, "example ..."]]) -> UInt64[np.ndarray, " example"]:
    """A key for each example from all its values; the order of columns does not matter."""
    length = len(next(iter(columns.values())))
    keys = np.zeros(length, np.uint64)
    for name, values in columns.items():
        if values.dtype.kind not in "OUS":
            keys += mix(_number_keys(values) ^ np.uint64(stream_seed(0, "column", name)))
    objects = [columns[name].tolist() for name in sorted(columns) if columns[name].dtype.kind in "OUS"]
    if objects:
        rows = (_row_text(row).encode("utf-8", "replace") for row in zip(*objects, strict=True))
        keys ^= np.fromiter((_bytes_key(row) for row in rows), np.uint64, length)
    return mix(keys)


def mix(keys: UInt64[np.ndarray, " example"]) -> UInt64[np.ndarray, " example"]:
    """A bijection of 64 bits that spreads keys evenly (the finaliser of SplitMix64)."""
    keys = keys + np.uint64(0x9E3779B97F4A7C15)
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _number_keys(values: np.ndarray) -> UInt64[np.ndarray, " example"]:
    if values.dtype.kind in "mM":
        values = values.astype(np.int64)
    values = values.reshape(len(values), -1)
    # whole numbers are the same example whether stored as integers or as floats; -0.0 + 0.0 is 0.0
    if values.shape[1] > WIDE:
        rows = ((row.astype(np.float64) + 0.0).tobytes() for row in values)
        return np.fromiter((_bytes_key(row) for row in rows), np.uint64, len(values))
    numbers = np.ascontiguousarray(values.astype(np.float64) + 0.0)
    words = numbers.view(np.uint64)
    keys = np.zeros(len(values), np.uint64)
    for index in range(words.shape[1]):
        keys = mix(keys ^ words[:, index])
    return keys


def _row_text(row: tuple[object, ...]) -> str:
    try:
        return "\x1f".join(row)  # type: ignore[arg-type]
    except TypeError:  # not all are text
        return "\x1f".join(map(_written, row))


def _written(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.shape}{hashlib.blake2b(value.tobytes()).hexdigest()}"
    return "" if value is None else str(value)


def _bytes_key(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _fill_up(part: np.ndarray, position: np.ndarray, middles: np.ndarray, least: np.ndarray) -> None:
    """Moves the keys nearest to the middle of a split that has too few, from splits that have enough."""
    for index, middle in enumerate(middles):
        for candidate in np.argsort(np.abs(position - middle), kind="stable"):
            counts = np.bincount(part, minlength=len(middles))
            if counts[index] >= least[index]:
                break
            if counts[part[candidate]] > least[part[candidate]]:
                part[candidate] = index
