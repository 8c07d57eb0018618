"""Tensors in as few bytes as they need without losing a bit: those with many zeros as places and values.

The values of all compressed tensors stand in a row, one tensor after another, in `:float32` and the like, and
where they belong in `:places`: for each tensor either a bit an element, the first in the lowest bit ("mask"),
or how many zeros stand before each value, in bytes, 255 meaning 255 zeros and no value yet ("gaps"). Values
that half precision holds exactly are stored in it. Metadata tell, as JSON, one list a tensor: name, shape,
type, "mask", "gaps" or "all", type of its values, and how many values and bytes of places it has.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from pomona.foundation.errors import ArtifactError

KEY = "pomona_compressed"
"""Of the metadata."""

SMALLEST_BYTES = 512
"""Tensors below that are stored as they are: what is told of them would take as much."""

WORTH = 0.95
"""A tensor is compressed when it takes at most this share of its bytes."""

TYPES = ("float32", "float64", "float16")

PLACES = ":places"

Arrays = dict[str, Shaped[np.ndarray, "..."]]


def compress(tensors: Mapping[str, Shaped[np.ndarray, "..."]]) -> tuple[Arrays, dict[str, str]]:
    """What is to be stored, and its metadata, which is empty where nothing is compressed."""
    stored: Arrays = {}
    rows: list[list[Any]] = []
    pools: dict[str, list[np.ndarray]] = {}
    for name, tensor in tensors.items():
        index, values, places = _parts(tensor)
        if not index:
            stored[name] = tensor
            continue
        kind = str(values.dtype)
        rows.append([name, list(tensor.shape), str(tensor.dtype), index, kind, values.size, places.size])
        pools.setdefault(f":{kind}", []).append(values)
        pools.setdefault(PLACES, []).append(places)
    stored |= {name: np.concatenate(parts) for name, parts in pools.items()}
    return stored, {KEY: json.dumps(rows, separators=(",", ":"))} if rows else {}


def decompress(stored: Mapping[str, Shaped[np.ndarray, "..."]], metadata: Mapping[str, str] | None) -> Arrays:
    """What `compress` was given, to the bit. Raises ArtifactError for parts that do not fit each other."""
    tensors, used = dict(stored), {}
    rows = _rows(metadata or {})
    for row in rows:
        try:
            name, shape, dtype, index, kind, num_values, num_bytes = row
            values = _next(stored, f":{kind}", num_values, used)
            places = _next(stored, PLACES, num_bytes, used)
            tensors[name] = _whole(tuple(map(int, shape)), dtype, index, values, places)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ArtifactError(f"a compressed tensor is damaged ({reason}): {str(row)[:80]}") from error
    for pool, end in used.items():
        if len(stored[pool]) != end:
            raise ArtifactError(f"{len(stored[pool])} entries in {pool}, {end} belong to a tensor")
        del tensors[pool]
    return tensors


def _parts(tensor: np.ndarray) -> tuple[str, np.ndarray, np.ndarray]:
    """The smallest way to store a tensor, "" for as it is, its values, and its places as bytes."""
    nothing = np.zeros(0, np.uint8)
    if str(tensor.dtype) not in TYPES or tensor.nbytes < SMALLEST_BYTES:
        return "", tensor, nothing
    flat = np.ascontiguousarray(tensor).reshape(-1)
    # -0.0 is no zero here: it would come back as another one
    places = np.flatnonzero(_bits(flat))
    values, all_values = _narrow(flat[places]), _narrow(flat)
    gap_bytes = int(((np.diff(places, prepend=-1) - 1) // 255 + 1).sum())
    sizes = {
        "all": all_values.nbytes,
        "mask": values.nbytes + math.ceil(flat.size / 8),
        "gaps": values.nbytes + gap_bytes,
    }
    index = min(sizes, key=lambda kind: sizes[kind])
    if sizes[index] > WORTH * tensor.nbytes:
        return "", tensor, nothing
    if index == "all":
        return index, all_values, nothing
    return index, values, _mask(places, flat.size) if index == "mask" else _gaps(places)


def _whole(
    shape: tuple[int, ...], dtype: str, index: str, values: np.ndarray, parts: np.ndarray
) -> np.ndarray:
    """A tensor from its values and places."""
    if dtype not in TYPES:
        raise ValueError(f"no type {dtype!r}")
    if index == "all":
        return values.astype(dtype).reshape(shape)
    size = math.prod(shape)
    places = _READERS[index](parts, size)
    if len(places) != values.size:
        raise ValueError(f"{values.size} values for {len(places)} places")
    flat = np.zeros(size, dtype)
    flat[places] = values
    return flat.reshape(shape)


def _next(stored: Mapping[str, np.ndarray], pool: str, count: int, used: dict[str, int]) -> np.ndarray:
    """The next entries of a pool; `used` says how many were taken before."""
    start = used.get(pool, 0)
    if not isinstance(count, int) or count < 0 or stored[pool].ndim != 1:
        raise ValueError(f"no {count} entries can be had of {pool}")
    found = stored[pool][start : start + count]
    if len(found) < count:
        raise ValueError(f"{pool} ends too early")
    used[pool] = start + count
    return found


def _mask(places: Int[np.ndarray, " value"], size: int) -> UInt8[np.ndarray, " byte"]:
    is_there = np.zeros(size, bool)
    is_there[places] = True
    return np.packbits(is_there, bitorder="little")


def _read_mask(packed: np.ndarray, size: int) -> Int[np.ndarray, " value"]:
    if packed.dtype != np.uint8 or packed.shape != (math.ceil(size / 8),):
        raise ValueError(f"a mask of {size} elements has {math.ceil(size / 8)} bytes, got {packed.shape}")
    return np.flatnonzero(np.unpackbits(packed, count=size, bitorder="little"))


def _gaps(places: Int[np.ndarray, " value"]) -> UInt8[np.ndarray, " byte"]:
    zeros = np.diff(places, prepend=-1) - 1
    ends = np.cumsum(zeros // 255 + 1)
    gaps = np.full(int(ends[-1]) if ends.size else 0, 255, np.uint8)
    gaps[ends - 1] = zeros % 255
    return gaps


def _read_gaps(gaps: np.ndarray, size: int) -> Int[np.ndarray, " value"]:
    if gaps.dtype != np.uint8 or gaps.ndim != 1:
        raise ValueError(f"gaps are bytes in a row, got {gaps.dtype} of shape {gaps.shape}")
    has_value = gaps < 255
    places = (np.cumsum(gaps.astype(np.int64) + has_value) - 1)[has_value]
    if places.size and places[-1] >= size:
        raise ValueError(f"a value at place {places[-1]} of {size}")
    return places


_READERS = {"mask": _read_mask, "gaps": _read_gaps}


def _narrow(values: np.ndarray) -> np.ndarray:
    """The values in half precision where that holds them to the bit, else as they are."""
    if values.dtype == np.float16:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        half = values.astype(np.float16)
        same = np.array_equal(_bits(half.astype(values.dtype)), _bits(values))
    return half if same else values


def _bits(values: np.ndarray) -> np.ndarray:
    return values.view(f"u{values.dtype.itemsize}")


def _rows(metadata: Mapping[str, str]) -> list[Any]:
    try:
        rows = json.loads(metadata.get(KEY, "[]"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"the metadata of the compressed tensors are no JSON ({error})") from error
    if not isinstance(rows, list):
        raise ArtifactError("the metadata of the compressed tensors are no list")
    return rows
