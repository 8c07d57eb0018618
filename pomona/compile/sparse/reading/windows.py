"""Windows over images as nodes describe them: kernels, strides, paddings, and how large the result is."""

from dataclasses import dataclass
from typing import Any

from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.site import Site
from pomona.foundation.errors import SpecError

Padding = tuple[int, int, int, int]


@dataclass(frozen=True)
class Windows:
    """Windows (down, across) with a padding (top, left, bottom, right)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Padding
    rounds_up: bool = False
    """Whether a last window may reach beyond the padding."""

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns from a window's first cell to behind its last one."""
        down, across = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        return down, across

    def size_after(self, height: int, width: int) -> tuple[int, int]:
        """How many windows there are (down, across). Raises SpecError where there are none."""
        sizes = []
        for axis, size in enumerate((height, width)):
            padded = size + self.padding[axis] + self.padding[axis + 2]
            steps = padded - self.reach[axis]
            count = (-(-steps // self.stride[axis]) if self.rounds_up else steps // self.stride[axis]) + 1
            if self.rounds_up and (count - 1) * self.stride[axis] >= size + self.padding[axis]:
                count -= 1  # a window that starts in the padding behind the image does not count
            sizes.append(count)
        if min(sizes) < 1:
            raise SpecError(f"its windows of {self.kernel} do not fit into {height} × {width}")
        return sizes[0], sizes[1]

    def settings(self) -> dict[str, Setting]:
        """The settings of a step with these windows and a weight."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}


def windows_of(site: Site, kernel: tuple[int, ...], size: tuple[int, ...]) -> Windows:
    """The windows of a node over an image of this size (height, width); a row for a node of one axis.

    Raises SpecError for windows of three axes, or of negative sizes.
    """
    num_axes = len(kernel)
    if num_axes not in (1, 2):
        raise SpecError(f"its windows have {num_axes} axes")
    stride = _pair(site.attribute("strides", (1,) * num_axes), num_axes)
    dilation = _pair(site.attribute("dilations", (1,) * num_axes), num_axes)
    rounds_up = bool(site.attribute("ceil_mode", 0))
    both = _pair(kernel, num_axes)
    if min(*stride, *dilation, *both) < 1:
        raise SpecError(f"its kernel {both}, strides {stride} or dilations {dilation} are not positive")
    padding = _padding(site, both, stride, dilation, size, num_axes)
    if min(padding) < 0:
        raise SpecError(f"its padding {padding} is negative")
    return Windows(both, stride, dilation, padding, rounds_up)


def _padding(
    site: Site,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    size: tuple[int, ...],
    num_axes: int,
) -> Padding:
    mode = site.attribute("auto_pad", "NOTSET")
    if mode == "VALID":
        return (0, 0, 0, 0)
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        before, after = [], []
        for axis in (0, 1):
            count = -(-size[axis] // stride[axis])
            reach = (kernel[axis] - 1) * dilation[axis] + 1
            total = max(0, (count - 1) * stride[axis] + reach - size[axis])
            small, large = total // 2, total - total // 2
            before.append(small if mode == "SAME_UPPER" else large)
            after.append(large if mode == "SAME_UPPER" else small)
        return (before[0], before[1], after[0], after[1])
    pads = tuple(site.attribute("pads", (0,) * 2 * num_axes))
    if len(pads) != 2 * num_axes:
        raise SpecError(f"its pads {pads} are not two for every axis")
    return (0, pads[0], 0, pads[1]) if num_axes == 1 else (pads[0], pads[1], pads[2], pads[3])


def _pair(values: Any, num_axes: int) -> tuple[int, int]:
    values = tuple(int(value) for value in values)
    if len(values) != num_axes:
        raise SpecError(f"{values} are not numbers for {num_axes} axes")
    return (1, values[0]) if num_axes == 1 else (values[0], values[1])
