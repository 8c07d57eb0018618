"""Nodes that pool and resize images as steps."""

import math

import numpy as np

from pomona.compile.sparse.network import Value
from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.constants import axes_of
from pomona.compile.sparse.reading.site import NodeReader, Site
from pomona.compile.sparse.reading.windows import windows_of
from pomona.foundation.errors import SpecError

MOST_PIXELS = 1 << 20
"""Along one axis of a resized image."""


def _max_pool(site: Site) -> Value:
    if len([name for name in site.node.outputs if name]) > 1:
        raise SpecError("it also gives the positions of what it takes")
    return _pooled(site, "max_pool", {})


def _average_pool(site: Site) -> Value:
    return _pooled(site, "average_pool", {"counts_padding": bool(site.attribute("count_include_pad", 0))})


def _pooled(site: Site, op: str, settings: dict[str, Setting]) -> Value:
    x = site.image()
    channels, height, width = site.shape(x)
    windows = windows_of(site, tuple(site.attribute("kernel_shape", ())), (height, width))
    if windows.dilation != (1, 1):
        raise SpecError("its windows have gaps")
    size = windows.size_after(height, width)
    all_settings: dict[str, Setting] = {
        "kernel": windows.kernel,
        "stride": windows.stride,
        "padding": windows.padding,
        **settings,
    }
    output = site.emit(op, x, (channels, *size), settings=all_settings)
    rank = len(site.value().shape)
    return Value(output, (1, channels, *(size if rank == 4 else size[1:])))


def _global_average(site: Site) -> Value:
    x = site.image()
    channels = site.shape(x)[0]
    rank = len(site.value().shape)
    output = site.emit("global_average_pool", x, (channels,))
    return Value(output, (1, channels, *(1,) * (rank - 2)))


def _global_max(site: Site) -> Value:
    x = site.image()
    channels, height, width = site.shape(x)
    settings: dict[str, Setting] = {"kernel": (height, width), "stride": (1, 1), "padding": (0, 0, 0, 0)}
    output = site.emit("max_pool", x, (channels, 1, 1), settings=settings)
    return Value(output, (1, channels, *(1,) * (len(site.value().shape) - 2)))


def _mean(site: Site) -> Value:
    return _over_pixels(site, _global_average)


def _largest(site: Site) -> Value:
    return _over_pixels(site, _global_max)


def _over_pixels(site: Site, pool: NodeReader) -> Value:
    """A reduction over all axes behind the channels."""
    shape = site.value().shape
    axes = axes_of(site.node, list(site.inputs))
    wanted = tuple(range(2, len(shape)))
    if axes is None or not wanted or tuple(sorted(axis % len(shape) for axis in axes)) != wanted:
        raise SpecError(f"it reduces the axes {axes} of {shape}, not just all pixels")
    value = pool(site)
    assert isinstance(value, Value)
    return value if site.attribute("keepdims", 1) else Value(value.tensor, shape[:2])


def _resize(site: Site) -> Value:
    value = site.value()
    x = site.image()
    mode = site.attribute("mode", "nearest")
    if mode not in ("nearest", "linear", "bilinear") or site.attribute("antialias", 0):
        raise SpecError(f"it resizes by {mode!r} or against aliasing")
    scales, sizes = _scales_and_sizes(site, value.shape)
    if sizes[:2] != value.shape[:2]:
        raise SpecError("it resizes other axes than height and width")
    channels, height, width = site.shape(x)
    new, factors = (1, 1, *sizes[2:])[-2:], (1.0, 1.0, *scales[2:])[-2:]
    is_nearest = mode == "nearest"
    weights = {}
    pairs = (("row", height, new[0], factors[0]), ("column", width, new[1], factors[1]))
    for word, old, size, factor in pairs:
        places = _places(site, old, size, factor)
        low, fraction = _nearest(site, places, factor) if is_nearest else _between(places)
        weights[f"{word}_low"] = np.clip(low, 0, old - 1).astype(np.int32)
        weights[f"{word}_high"] = np.clip(low + (not is_nearest), 0, old - 1).astype(np.int32)
        weights[f"{word}_fraction"] = fraction.astype(np.float32)
    shape = (channels, int(new[0]), int(new[1]))
    settings: dict[str, Setting] = {"mode": "nearest" if is_nearest else "linear"}
    return Value(site.emit("resize", x, shape, weights=weights, settings=settings), (1, channels, *sizes[2:]))


def _scales_and_sizes(site: Site, shape: tuple[int, ...]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Of every axis."""
    if (
        site.attribute("axes") is not None
        or site.attribute("keep_aspect_ratio_policy", "stretch") != "stretch"
    ):
        raise SpecError("it resizes some axes or keeps an aspect ratio")
    if site.node.op == "Upsample" or site.opset < 11:
        given, wanted = site.attribute("scales"), None
        given = np.asarray(given) if given is not None else site.constant(1)
    else:
        given, wanted = site.constant(2), site.constant(3)
    if wanted is not None and wanted.size:
        sizes = tuple(int(size) for size in wanted)
        if len(sizes) == len(shape) and min(sizes) > 0 and max(sizes) < MOST_PIXELS:
            return tuple(new / old for new, old in zip(sizes, shape, strict=True)), sizes
    elif given is not None and given.size == len(shape):
        scales = tuple(float(scale) for scale in given)
        sizes = tuple(math.floor(old * scale) for old, scale in zip(shape, scales, strict=True))
        if min(sizes) > 0 and max(sizes) < MOST_PIXELS:
            return scales, sizes
    raise SpecError("its scales or sizes are not known")


def _places(site: Site, old: int, new: int, factor: float) -> np.ndarray:
    """Where in the old image the new rows or columns lie."""
    index = np.arange(new, dtype=np.float64)
    default = "asymmetric" if site.opset < 11 else "half_pixel"
    rule = site.attribute("coordinate_transformation_mode", default)
    if rule == "asymmetric":
        return index / factor
    if rule == "half_pixel" or (rule == "pytorch_half_pixel" and new > 1):
        return (index + 0.5) / factor - 0.5
    if rule == "pytorch_half_pixel":
        return np.zeros(1)
    if rule == "align_corners":
        return index * ((old - 1) / (new - 1)) if new > 1 else np.zeros(1)
    if rule == "half_pixel_symmetric":
        adjusted = new / (factor * old)
        centre = old / 2
        return centre * (1 - adjusted) + (index + 0.5) / factor - 0.5
    raise SpecError(f"it resizes by the coordinates {rule!r}")


def _nearest(site: Site, places: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    rule = site.attribute("nearest_mode", "floor" if site.opset < 11 else "round_prefer_floor")
    rounded = {
        "round_prefer_floor": lambda: np.ceil(places - 0.5),
        "round_prefer_ceil": lambda: np.floor(places + 0.5),
        "floor": lambda: np.floor(places),
        "ceil": lambda: np.ceil(places),
    }
    if rule not in rounded:
        raise SpecError(f"it resizes to the nearest by {rule!r}")
    if site.opset < 11 and factor < 1:
        return np.ceil(places), np.zeros_like(places)  # what ONNX Runtime does for old files
    return rounded[rule](), np.zeros_like(places)


def _between(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.maximum(places, 0)
    low = np.floor(inside)
    return low, inside - low


POOLINGS: dict[str, NodeReader] = {
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_max,
    "ReduceMean": _mean,
    "ReduceMax": _largest,
    "Resize": _resize,
    "Upsample": _resize,
}
