"""Axes: where a value lies between the ends of a plot, and which round values are marked on the way."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pomona.foundation.report.formats import THIN_SPACE, show
from pomona.foundation.report.items import Format


@dataclass(frozen=True)
class Axis:
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Share of the way from `low` to `high`, 0 to 1 inside."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def make_axis(
    values: Iterable[float | None],
    *,
    is_log: bool = False,
    format: Format = "auto",
    reach_ticks: bool = False,
    margin: float = 0.0,
    num_ticks: int = 5,
) -> Axis:
    """An axis over all `values`, with about `num_ticks` round ticks.

    Its ends are those of the values, moved out by the share `margin`, or to the next tick for `reach_ticks`.
    """
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if is_log:
        return _log_axis(low, high, format, margin, num_ticks)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) / 10 or 0.5
        low, high = low - half, high + half
    space = margin * (high - low)
    low, high = low - space, high + space
    step = nice_step(high - low, num_ticks)
    if reach_ticks:
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    ticks = round_ticks(low, high, step)
    return Axis(low, high, ticks, tick_labels(ticks, step, format))


def nice_step(span: float, num_ticks: int) -> float:
    """The one of 1, 2, 2.5, 5 times a power of ten that comes nearest to `num_ticks` steps over `span`."""
    rough = span / num_ticks
    power = 10.0 ** math.floor(math.log10(rough))
    return min(
        (factor * power for factor in (1, 2, 2.5, 5, 10)), key=lambda step: abs(math.log(step / rough))
    )


def round_ticks(low: float, high: float, step: float) -> tuple[float, ...]:
    """The multiples of `step` from `low` to `high`."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))


def tick_labels(ticks: tuple[float, ...], step: float, format: Format) -> tuple[str, ...]:
    """A label a tick, with as many digits as tell neighbours apart."""
    if format == "percent":
        decimals = _decimals(100 * step)
        return tuple(show(tick, "percent", decimals=decimals) for tick in ticks)
    if format in ("seconds", "bytes"):
        return tuple(show(tick, format) for tick in ticks)
    largest = max(map(abs, ticks), default=0.0)
    for scale, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if largest >= 10 * scale or (largest >= scale and step >= scale):
            digits = _decimals(step / scale)
            return tuple(show(t / scale, decimals=digits) + (THIN_SPACE + suffix if t else "") for t in ticks)
    if 0 < largest < 1e-3:
        return tuple(show(tick) for tick in ticks)
    return tuple(show(tick, decimals=_decimals(step)) for tick in ticks)


def _log_axis(low: float, high: float, format: Format, margin: float, num_ticks: int) -> Axis:
    if high <= low * 1.001:
        low, high = low / 1.5, high * 1.5
    space = (high / low) ** margin
    low, high = low / space, high * space
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        ticks = [factor * 10.0**power for power in powers for factor in factors]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) >= 3:
            break
    if len(ticks) < 3:
        ticks = list(round_ticks(low, high, nice_step(high - low, num_ticks)))
    thinned = tuple(ticks[:: math.ceil(len(ticks) / (num_ticks + 2))])
    labels = tuple(tick_labels((tick,), tick, format)[0] for tick in thinned)
    return Axis(low, high, thinned, labels, is_log=True)


def _decimals(step: float) -> int:
    for decimals in range(12):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6:
            return decimals
    return 12
