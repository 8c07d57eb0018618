"""Nodes that move values about as steps: reshapes, transpositions, joins, parts, paddings."""

import numpy as np

from pomona.compile.sparse.network import Value, image_shape
from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.constants import axes_of, reshaped, shape_part, slices_of, split_ends
from pomona.compile.sparse.reading.site import NodeReader, Site
from pomona.foundation.errors import SpecError


def _reshape(site: Site) -> Value:
    wanted = site.attribute("shape") or site.constant(1)
    if wanted is None:
        raise SpecError("its shape is not known")
    value = site.value()
    keeps_zero = bool(site.attribute("allowzero", 0))
    shape = reshaped(value.shape, tuple(int(axis) for axis in wanted), keeps_zero=keeps_zero)
    return _viewed(value, shape)


def _flatten(site: Site) -> Value:
    value, axis = site.value(), site.attribute("axis", 1)
    axis = axis % len(value.shape) if axis < 0 else axis
    outer = int(np.prod(value.shape[:axis], dtype=np.int64))
    return _viewed(value, (outer, int(np.prod(value.shape[axis:], dtype=np.int64))))


def _squeeze(site: Site) -> Value:
    value = site.value()
    axes = axes_of(site.node, list(site.inputs))
    rank = len(value.shape)
    gone = {i for i in range(rank) if value.shape[i] == 1} if axes is None else {axis % rank for axis in axes}
    if any(value.shape[axis] != 1 for axis in gone):
        raise SpecError(f"it leaves out the axes {sorted(gone)} of {value.shape}")
    return _viewed(value, tuple(size for i, size in enumerate(value.shape) if i not in gone))


def _unsqueeze(site: Site) -> Value:
    value = site.value()
    axes = axes_of(site.node, list(site.inputs)) or []
    rank = len(value.shape) + len(axes)
    new = {axis % rank for axis in axes}
    old = iter(value.shape)
    return _viewed(value, tuple(1 if index in new else next(old) for index in range(rank)))


def _viewed(value: Value, shape: tuple[int, ...]) -> Value:
    if not shape or shape[0] != 1:
        raise SpecError(f"it gives the shape {shape}, whose first axis is not the batch")
    return Value(value.tensor, shape)


def _transpose(site: Site) -> Value:
    value = site.value()
    rank = len(value.shape)
    order = tuple(site.attribute("perm", tuple(reversed(range(rank)))))
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise SpecError(f"it reorders the axes as {order}, with the batch not first")
    shape = tuple(value.shape[axis] for axis in order)
    joined, new_order = _joined_axes(value.shape, order)
    if new_order == tuple(range(len(joined))):
        return Value(value.tensor, shape)
    if len(joined) > 3:
        raise SpecError(f"it reorders the axes of {value.shape} as {order}")
    while len(joined) < 3:
        joined, new_order = (1, *joined), (0, *(axis + 1 for axis in new_order))
    x = site.builder.shaped(value, joined, name=site.name)
    moved = tuple(joined[axis] for axis in new_order)
    return Value(site.emit("transpose", x, moved, settings={"order": new_order}), shape)


def _joined_axes(shape: tuple[int, ...], order: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The same transposition with axes of size 1 left out and axes that stay together joined."""
    kept = [axis for axis in order if shape[axis] != 1]
    runs: list[list[int]] = []
    for axis in kept:
        alone = [i for i in range(runs[-1][-1] + 1, axis) if shape[i] != 1] if runs else [0]
        if runs and axis > runs[-1][-1] and not alone:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    by_place = sorted(range(len(runs)), key=lambda index: runs[index][0])
    sizes = tuple(int(np.prod([shape[axis] for axis in runs[index]])) for index in by_place)
    return sizes, tuple(by_place.index(index) for index in range(len(runs)))


def _to_space(site: Site) -> Value:
    """Channels become blocks of pixels: (row, column, channel) in the order DCR, channel first in CRD."""
    value, side = site.value(), int(site.attribute("blocksize", 0))
    _, channels, height, width = value.shape
    if side < 1 or channels % side**2:
        raise SpecError(f"it makes blocks of {side} of {channels} channels")
    few = channels // side**2
    x = site.tensor()
    if site.attribute("mode", "DCR") == "CRD":
        rest = side * height * width
        x = _turned(site, x, (few, side, rest), (1, 0, 2))
        x = _turned(site, x, (side * few, side, height * width), (0, 2, 1))
    else:
        x = _turned(site, x, (side, side, few * height * width), (0, 2, 1))
    x = _turned(site, x, (side, few * height, width * side), (1, 0, 2))
    return Value(x, (1, few, height * side, width * side))


def _to_depth(site: Site) -> Value:
    """Blocks of pixels become channels: (row, column, channel)."""
    value, side = site.value(), int(site.attribute("blocksize", 0))
    _, channels, height, width = value.shape
    if side < 1 or height % side or width % side:
        raise SpecError(f"it takes blocks of {side} from {height} × {width}")
    few_rows, few_columns = height // side, width // side
    x = _turned(site, site.tensor(), (channels * few_rows, side, width), (1, 0, 2))
    x = _turned(site, x, (side, channels * few_rows * few_columns, side), (0, 2, 1))
    return Value(x, (1, side * side * channels, few_rows, few_columns))


def _turned(site: Site, x: str, shape: tuple[int, ...], order: tuple[int, ...]) -> str:
    """The tensor seen in this shape, its three axes in another order."""
    if site.shape(x) != shape:
        x = site.emit("reshape", x, shape)
    moved = tuple(shape[axis] for axis in order)
    return site.emit("transpose", x, moved, settings={"order": order})


def _concatenate(site: Site) -> Value:
    values = [site.value(index) for index in range(len(site.inputs))]
    first = values[0].shape
    axis = site.attribute("axis", 1) % len(first)
    if axis != 1 or any(v.shape[2:] != first[2:] or len(v.shape) != len(first) for v in values):
        raise SpecError(f"it joins values along axis {axis}, not along channels")
    width = sum(value.shape[1] for value in values)
    tensors = tuple(site.tensor(index) for index in range(len(values)))
    shape = (1, width, *first[2:])
    return Value(site.emit("concat", tensors, image_shape(shape)), shape)


def _slice(site: Site) -> Value:
    value = site.value()
    parts = slices_of(site.node, list(site.inputs), len(value.shape))
    ranges = [range(size)[part] for part, size in zip(parts, value.shape, strict=True)]
    if any(
        len(r) != size for axis, (r, size) in enumerate(zip(ranges, value.shape, strict=True)) if axis != 1
    ):
        raise SpecError("it takes a part of other axes than the channels")
    return _selected(site, value, np.arange(value.shape[1])[parts[1]])


def _split(site: Site) -> tuple[Value, ...]:
    value = site.value()
    if site.attribute("axis", 0) % len(value.shape) != 1:
        raise SpecError("it splits another axis than the channels")
    ends = split_ends(site.node, list(site.inputs), value.shape[1])
    starts = [0, *ends[:-1]]
    return tuple(
        _selected(site, value, np.arange(start, end)) for start, end in zip(starts, ends, strict=True)
    )


def _gather(site: Site) -> Value:
    value, indices = site.value(), site.constant(1)
    if site.attribute("axis", 0) % len(value.shape) != 1 or indices is None or indices.ndim != 1:
        raise SpecError("it takes parts of another axis than the channels")
    return _selected(site, value, np.where(indices < 0, indices + value.shape[1], indices))


def _selected(site: Site, value: Value, channels: np.ndarray) -> Value:
    if not channels.size or channels.min() < 0 or channels.max() >= value.shape[1]:
        raise SpecError(f"it takes channels that are not among {value.shape[1]}")
    x = site.builder.shaped(value, image_shape(value.shape), name=site.name)
    shape = (1, len(channels), *value.shape[2:])
    weights = {"channels": channels.astype(np.int64)}
    return Value(site.emit("select", x, image_shape(shape), weights=weights), shape)


def _pad(site: Site) -> Value:
    value = site.value()
    rank = len(value.shape)
    given = site.attribute("pads")
    pads = [int(n) for n in (given if given is not None else _numbers(site.constant(1)))]
    axes = site.constant(3) if len(site.inputs) > 3 else None
    if axes is not None:
        places = [int(axis) % rank for axis in axes]
        before, after = [0] * rank, [0] * rank
        for place, low, high in zip(places, pads[: len(places)], pads[len(places) :], strict=True):
            before[place], after[place] = low, high
        pads = before + after
    if len(pads) != 2 * rank or min(pads) < 0 or pads[0] or pads[rank]:
        raise SpecError(f"its pads are {pads}")
    if site.attribute("mode", "constant") != "constant" and any(pads):
        raise SpecError(f"it pads by {site.attribute('mode')!r}")
    return _padded(site, value, pads)


def _padded(site: Site, value: Value, pads: list[int]) -> Value:
    rank = len(value.shape)
    if rank > 4:
        raise SpecError(f"it pads a value of {rank} axes")
    new = tuple(size + pads[i] + pads[rank + i] for i, size in enumerate(value.shape))
    if new == value.shape:
        return value
    before, after = pads[1:rank], pads[rank + 1 :]
    low, high = ((*part[1:], 0, 0)[:2] if rank == 4 else (0, *part[1:], 0)[:2] for part in (before, after))
    settings: dict[str, Setting] = {
        "padding": (low[0], low[1], high[0], high[1]),
        "channels": (before[0], after[0]),
        "value": site.number(2, "value", 0.0),
    }
    x = site.builder.shaped(value, _three(image_shape(value.shape)), name=site.name)
    output = site.emit("pad", x, _three(image_shape(new)), settings=settings)
    return Value(output, new)


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape if len(shape) == 3 else (*shape, 1, 1)


def _numbers(array: np.ndarray | None) -> np.ndarray:
    if array is None:
        raise SpecError("its pads are not known")
    return array


def _shape(site: Site) -> np.ndarray:
    return shape_part(site.node, site.value().shape)


SHAPES: dict[str, NodeReader] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "DepthToSpace": _to_space,
    "SpaceToDepth": _to_depth,
    "Concat": _concatenate,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Pad": _pad,
    "Shape": _shape,
}
