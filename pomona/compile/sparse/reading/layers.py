"""Nodes with weights as steps: convolutions, dense layers, normalisations."""

import numpy as np

from pomona.compile.sparse.network import Value
from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.site import NodeReader, Site
from pomona.compile.sparse.reading.windows import Windows, windows_of
from pomona.foundation.errors import SpecError


def _convolution(site: Site) -> Value:
    x, weight = site.image(), site.weight(1)
    channels, height, width = site.shape(x)
    groups = int(site.attribute("group", 1))
    num_out = weight.shape[0]
    if weight.ndim != len(site.value().shape) or groups < 1 or num_out % groups:
        raise SpecError(f"its weights have the shape {weight.shape} for {groups} groups")
    if weight.shape[1] * groups != channels:
        raise SpecError(f"it reads {weight.shape[1] * groups} channels, there are {channels}")
    bias = _bias(site, 2, num_out)
    windows = windows_of(site, weight.shape[2:], (height, width))
    size = windows.size_after(height, width)
    kernels = weight.reshape(num_out, -1, *windows.kernel)
    output = _by_kind(site, x, kernels, bias, windows, size, groups)
    return Value(output, (1, num_out, *_axes(size, site.value())))


def _by_kind(
    site: Site,
    x: str,
    kernels: np.ndarray,
    bias: np.ndarray,
    windows: Windows,
    size: tuple[int, int],
    groups: int,
) -> str:
    num_out, shape = len(kernels), (len(kernels), *size)
    if windows.kernel == (1, 1) and groups == 1:
        x = _sampled(site, x, windows, size)
        weights = {"weight": np.ascontiguousarray(kernels[:, :, 0, 0]), "bias": bias}
        return site.emit("pointwise", x, shape, weights=weights)
    if groups == num_out == site.shape(x)[0]:
        weights = {"weight": np.ascontiguousarray(kernels[:, 0]), "bias": bias}
        return site.emit("depthwise", x, shape, weights=weights, settings=windows.settings())
    settings: dict[str, Setting] = {**windows.settings(), "groups": groups}
    return site.emit("convolution", x, shape, weights={"weight": kernels, "bias": bias}, settings=settings)


def _sampled(site: Site, x: str, windows: Windows, size: tuple[int, int]) -> str:
    """The pixels that a 1×1 convolution reads: strides are left out and zeros put around before it."""
    channels, height, width = site.shape(x)
    top, left, bottom, right = windows.padding
    if any(windows.padding):
        padded = (channels, height + top + bottom, width + left + right)
        x = site.emit(
            "pad", x, padded, settings={"padding": windows.padding, "channels": (0, 0), "value": 0.0}
        )
    if windows.stride == (1, 1):
        return x
    settings: dict[str, Setting] = {"kernel": (1, 1), "stride": windows.stride, "padding": (0, 0, 0, 0)}
    return site.emit("max_pool", x, (channels, *size), settings=settings)


def _transposed(site: Site) -> Value:
    x, weight = site.image(), site.weight(1)
    channels, height, width = site.shape(x)
    groups = int(site.attribute("group", 1))
    if weight.ndim != len(site.value().shape) or weight.shape[0] != channels or channels % max(groups, 1):
        raise SpecError(f"its weights have the shape {weight.shape} for {channels} channels")
    num_out = weight.shape[1] * groups
    windows = windows_of(site, weight.shape[2:], (height, width))
    extra = tuple(site.attribute("output_padding", (0,) * (weight.ndim - 2)))
    extra = (0, *extra)[-2:]
    full = [
        (count - 1) * stride + reach + more
        for count, stride, reach, more in zip(
            (height, width), windows.stride, windows.reach, extra, strict=True
        )
    ]
    padding = _transposed_padding(site, windows, (height, width), full)
    size = (full[0] - padding[0] - padding[2], full[1] - padding[1] - padding[3])
    if min(*size, *padding[:2]) < 0 or 0 in size:
        raise SpecError(f"its output would have the size {size}")
    settings: dict[str, Setting] = {**windows.settings(), "padding": padding, "groups": groups}
    weights = {
        "weight": weight.reshape(channels, -1, *windows.kernel),
        "bias": _bias(site, 2, num_out),
    }
    output = site.emit("transposed_convolution", x, (num_out, *size), weights=weights, settings=settings)
    return Value(output, (1, num_out, *_axes(size, site.value())))


def _transposed_padding(
    site: Site, windows: Windows, size: tuple[int, int], full: list[int]
) -> tuple[int, int, int, int]:
    mode = site.attribute("auto_pad", "NOTSET")
    wanted = site.attribute("output_shape")
    if wanted is None and mode not in ("SAME_UPPER", "SAME_LOWER"):
        return windows.padding
    sizes = [n * s for n, s in zip(size, windows.stride, strict=True)]
    if wanted is not None:
        sizes = [1, *wanted][-2:] if len(site.value().shape) == 3 else list(wanted)[-2:]
    totals = [have - want for have, want in zip(full, sizes, strict=True)]
    small = [total // 2 for total in totals]
    large = [total - half for total, half in zip(totals, small, strict=True)]
    # the specification puts the larger half in front but for SAME_UPPER
    first, last = (small, large) if mode == "SAME_UPPER" else (large, small)
    return (first[0], first[1], last[0], last[1])


def _gemm(site: Site) -> Value:
    x, weight = site.tensor(), site.weight(1)
    if site.attribute("transA", 0) or len(site.value().shape) != 2 or weight.ndim != 2:
        raise SpecError("it multiplies other than vectors by a matrix")
    weight = weight * np.float32(site.attribute("alpha", 1.0))
    weight = weight if site.attribute("transB", 0) else weight.T
    bias = np.zeros(len(weight), np.float32)
    if site.constant(2) is not None:
        added = site.weight(2) * np.float32(site.attribute("beta", 1.0))
        bias = np.array(np.broadcast_to(added, (1, len(weight))).reshape(-1))
    return _linear(site, x, weight, bias)


def _matmul(site: Site) -> Value:
    x, weight = site.tensor(), site.weight(1)
    if len(site.value().shape) != 2 or weight.ndim != 2:
        raise SpecError("it multiplies other than vectors by a matrix")
    return _linear(site, x, weight.T, np.zeros(weight.shape[1], np.float32))


def _linear(site: Site, x: str, weight: np.ndarray, bias: np.ndarray) -> Value:
    if weight.shape[1] != site.shape(x)[0]:
        raise SpecError(f"it reads {weight.shape[1]} values, there are {site.shape(x)[0]}")
    weights = {"weight": np.ascontiguousarray(weight), "bias": bias}
    return Value(site.emit("linear", x, (len(weight),), weights=weights), (1, len(weight)))


def _batch_normalisation(site: Site) -> Value:
    if site.attribute("training_mode", 0):
        raise SpecError("it normalises as in training")
    x = site.tensor()
    scale, shift, mean, variance = (site.weight(index) for index in (1, 2, 3, 4))
    if {array.shape for array in (scale, shift, mean, variance)} != {site.shape(x)[:1]}:
        raise SpecError(f"its weights are not one for each of {site.shape(x)[0]} channels")
    factor = scale / np.sqrt(variance + np.float32(site.attribute("epsilon", 1e-5)))
    return Value(site.scaled(x, factor, shift - mean * factor), site.value().shape)


def _instance_normalisation(site: Site) -> Value:
    return _normalised(site, site.shape(site.image())[0])


def _group_normalisation(site: Site) -> Value:
    return _normalised(site, int(site.attribute("num_groups")))


def _normalised(site: Site, groups: int) -> Value:
    x = site.image()
    channels = site.shape(x)[0]
    scale, bias = site.weight(1), site.weight(2)
    if channels % groups or len(scale) not in (channels, groups) or scale.shape != bias.shape:
        raise SpecError(f"it normalises {channels} channels in {groups} groups with {scale.shape} factors")
    weights = {
        "scale": np.repeat(scale, channels // len(scale)),
        "bias": np.repeat(bias, channels // len(scale)),
    }
    settings: dict[str, Setting] = {"groups": groups, "epsilon": float(site.attribute("epsilon", 1e-5))}
    output = site.emit("group_normalisation", x, site.shape(x), weights=weights, settings=settings)
    return Value(output, site.value().shape)


def _bias(site: Site, index: int, size: int) -> np.ndarray:
    if site.constant(index) is None:
        return np.zeros(size, np.float32)
    bias = site.weight(index)
    if bias.shape != (size,):
        raise SpecError(f"its bias has the shape {bias.shape}, not {(size,)}")
    return bias


def _axes(size: tuple[int, int], value: Value) -> tuple[int, ...]:
    return size if len(value.shape) == 4 else size[1:]


LAYERS: dict[str, NodeReader] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_normalisation,
    "InstanceNormalization": _instance_normalisation,
    "GroupNormalization": _group_normalisation,
}
