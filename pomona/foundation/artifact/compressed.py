"""Tensors in as few bytes as they need without losing a bit: those with many zeros as places and values.

A tensor NAME is stored as it is, or as NAME:values with, where zeros are left out, NAME:mask (a bit an
element, the first in the lowest bit) or NAME:gaps (how many zeros stand before each value, in bytes; 255
means 255 zeros and no value yet). Values that half precision holds exactly are stored in it. Metadata say,
as JSON, which tensors are stored how, with their shapes and types.
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

SMALLEST_BYTES = 1024
"""Tensors below that are stored as they are: their names would take as much."""

WORTH = 0.95
"""A tensor is compressed when it takes at most this share of its bytes."""

TYPES = ("float32", "float64", "float16")

Arrays = dict[str, Shaped[np.ndarray, "..."]]


def compress(tensors: Mapping[str, Shaped[np.ndarray, "..."]]) -> tuple[Arrays, dict[str, str]]:
    """What is to be stored, and its metadata, which is empty where nothing is compressed."""
    stored: Arrays = {}
    entries: dict[str, Any] = {}
    for name, tensor in tensors.items():
        parts, index = _parts(tensor)
        if index is None:
            stored[name] = tensor
            continue
        stored |= {f"{name}:{part}": array for part, array in parts.items()}
        entries[name] = {"index": index, "shape": list(tensor.shape), "dtype": str(tensor.dtype)}
    return stored, {KEY: json.dumps(entries, sort_keys=True)} if entries else {}


def decompress(stored: Mapping[str, Shaped[np.ndarray, "..."]], metadata: Mapping[str, str] | None) -> Arrays:
    """What `compress` was given, to the bit. Raises ArtifactError for parts that do not fit each other."""
    tensors = dict(stored)
    for name, entry in _entries(metadata or {}).items():
        try:
            tensors[name] = _whole(tensors, name, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactError(f"the compressed tensor {name!r} is damaged ({_reason(error)})") from error
    return tensors


def _parts(tensor: np.ndarray) -> tuple[Arrays, str | None]:
    """The parts of the smallest way to store a tensor, and its name; None for as it is."""
    if str(tensor.dtype) not in TYPES or tensor.nbytes < SMALLEST_BYTES:
        return {}, None
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
        return {}, None
    if index == "all":
        return {"values": all_values}, index
    return {"values": values, index: _mask(places, flat.size) if index == "mask" else _gaps(places)}, index


def _whole(stored: Arrays, name: str, entry: Mapping[str, Any]) -> np.ndarray:
    """A tensor from its parts, which are taken out of `stored`."""
    if entry["dtype"] not in TYPES:
        raise ValueError(f"no type {entry['dtype']!r}")
    shape = tuple(int(length) for length in entry["shape"])
    size = math.prod(shape)
    values = stored.pop(f"{name}:values")
    if entry["index"] == "all":
        return values.astype(entry["dtype"]).reshape(shape)
    part = stored.pop(f"{name}:{entry['index']}")
    places = _READERS[entry["index"]](part, size)
    if len(places) != values.size:
        raise ValueError(f"{values.size} values for {len(places)} places")
    flat = np.zeros(size, entry["dtype"])
    flat[places] = values
    return flat.reshape(shape)


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


def _entries(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        entries = json.loads(metadata.get(KEY, "{}"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"the metadata of the compressed tensors are no JSON ({error})") from error
    if not isinstance(entries, dict):
        raise ArtifactError("the metadata of the compressed tensors are no JSON object")
    return entries


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
