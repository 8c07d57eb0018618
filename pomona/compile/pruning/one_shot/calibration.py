"""Calibration inputs: what a finished model is fed with while its layers are fitted, and judged by."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pomona.compile.pruning.settings import PruneSettings
from pomona.compile.sparse.reading.graph import GraphInput, OnnxGraph
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.randomness import stream
from pomona.tasks.preprocessing.resize import resize
from pomona.tasks.readers.files import SUFFIXES
from pomona.tasks.readers.image_files import read_image
from pomona.tasks.readers.npz_task import read_arrays

HELD_EVERY = 4
"""Every so many inputs one is held out."""

NUM_RANDOM = 64
MOST_IMAGES = 512

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Inputs by name: those that layers are fitted to, and those that the result is judged by."""

    fitted: Arrays
    held: Arrays
    batch_size: int
    is_random: bool = False

    @property
    def fingerprint(self) -> str:
        """Equal for equal inputs."""
        hashed = hashlib.blake2b(digest_size=16)
        for part in (self.fitted, self.held):
            for name, array in sorted(part.items()):
                hashed.update(f"{name} {array.shape}".encode())
                hashed.update(np.ascontiguousarray(array).tobytes())
        return hashed.hexdigest()


def calibration_of(graph: OnnxGraph, settings: PruneSettings, *, seed: int) -> Calibration:
    """The inputs that the settings name. Raises SettingError for none, DataError for unfit ones."""
    if settings.calibration is not None:
        arrays = _read(Path(settings.calibration), graph, settings.pixel_range())
    elif settings.random_calibration:
        arrays = {one.name: _random(one, seed) for one in graph.inputs}
    else:
        raise SettingError(
            "layers are fitted to real inputs: give --calibration an npz file or a folder of images, or go "
            "without with --random-calibration, which may end poorly"
        )
    checked = {one.name: _checked(one, arrays) for one in graph.inputs}
    sizes = {name: len(array) for name, array in checked.items()}
    if len(set(sizes.values())) != 1 or min(sizes.values()) < HELD_EVERY:
        raise DataError(f"at least {HELD_EVERY} inputs are wanted, as many of each name; got {sizes}")
    is_held = np.arange(min(sizes.values())) % HELD_EVERY == HELD_EVERY - 1
    return Calibration(
        {name: array[~is_held] for name, array in checked.items()},
        {name: array[is_held] for name, array in checked.items()},
        _batch_size(graph),
        is_random=settings.calibration is None,
    )


def _read(path: Path, graph: OnnxGraph, pixels: tuple[float, float]) -> Arrays:
    if path.is_dir():
        return _images(path, graph, pixels)
    if path.suffix != ".npz" or not path.is_file():
        raise DataError(f"{path} is no npz file and no folder of images: give one that is there")
    arrays = read_arrays(path)
    if len(graph.inputs) == 1 and len(arrays) == 1:
        return {graph.inputs[0].name: next(iter(arrays.values()))}
    return arrays


def _images(folder: Path, graph: OnnxGraph, pixels: tuple[float, float]) -> Arrays:
    """The pictures of a folder at the size and with the channels that the model reads."""
    suffixes = {suffix for suffix, form in SUFFIXES.items() if form == "image"}
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)[:MOST_IMAGES]
    if not paths:
        raise DataError(f"{folder} holds no images")
    axes = graph.inputs[0].axes or ()
    if len(graph.inputs) != 1 or len(axes) != 4 or not all(isinstance(axis, int) for axis in axes[1:]):
        raise DataError(
            f"images fit a model of one input (batch, channels, height, width) of known size; this one reads "
            f"{', '.join(_described(one) for one in graph.inputs)}: give an npz file"
        )
    is_first = axes[1] in (1, 3)
    channels, height, width = axes[1:] if is_first else (axes[3], axes[1], axes[2])
    if channels not in (1, 3):
        raise DataError(f"images have 1 or 3 channels, {_described(graph.inputs[0])} has {channels}")
    found = np.concatenate([_image(path, int(channels), int(height), int(width)) for path in paths])
    found = pixels[0] + (pixels[1] - pixels[0]) * found
    return {graph.inputs[0].name: np.moveaxis(found, 3, 1) if is_first else found}


def _image(path: Path, channels: int, height: int, width: int) -> np.ndarray:
    pixels = read_image(path)
    share = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    share = share[..., None] if share.ndim == 2 else share[..., : 3 if share.shape[2] >= 3 else 1]
    if channels == 1:
        share = share.mean(axis=2, keepdims=True)
    return resize(np.broadcast_to(share, (*share.shape[:2], channels))[None], height, width)


def _random(one: GraphInput, seed: int) -> np.ndarray:
    axes = one.axes or ()
    if not axes or not all(isinstance(axis, int) for axis in axes[1:]):
        raise SettingError(f"{_described(one)} has axes of no fixed size: give --calibration")
    shape = tuple(int(axis) for axis in axes[1:])
    return stream(seed, "calibration", one.name).random((NUM_RANDOM, *shape), np.float32)


def _checked(one: GraphInput, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if one.name not in arrays:
        raise DataError(f"the model reads {one.name!r}; the calibration inputs have {', '.join(arrays)}")
    array = arrays[one.name]
    axes = one.axes
    is_fitting = axes is None or (
        array.ndim == len(axes)
        and all(not isinstance(a, int) or a == n for a, n in zip(axes[1:], array.shape[1:], strict=True))
    )
    if not is_fitting:
        raise DataError(f"the model reads {_described(one)}, the calibration input is of shape {array.shape}")
    if array.dtype.kind not in "biuf" or one.dtype is None:
        raise DataError(f"the model reads {_described(one)}, the calibration input is of {array.dtype}")
    if not np.isfinite(array).all():
        raise DataError(f"the calibration input {one.name!r} has entries that are not finite")
    return array.astype(one.dtype)


def _batch_size(graph: OnnxGraph) -> int:
    sizes = {one.axes[0] for one in graph.inputs if one.axes and isinstance(one.axes[0], int)}
    if len(sizes) > 1 or any(int(size) != 1 for size in sizes):
        raise DataError(
            f"the model reads batches of {', '.join(map(str, sizes))}: export it with one of 1 or any size"
        )
    largest = max((math.prod(int(a) for a in one.axes[1:] if isinstance(a, int)) for one in graph.inputs
                   if one.axes), default=1)  # fmt: skip
    return 1 if sizes else max(1, min(32, 2**21 // max(largest, 1)))


def _described(one: GraphInput) -> str:
    shape = "unknown shape" if one.axes is None else "×".join(map(str, one.axes))
    return f"{one.name!r} ({one.dtype or 'no numbers'}, {shape})"
