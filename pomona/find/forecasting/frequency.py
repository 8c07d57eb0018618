"""How far apart the steps of a series are, and what comes round in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pomona.foundation.errors import unknown_name

Unit = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year", "step"]

UNITS: tuple[Unit, ...] = get_args(Unit)

SECONDS: dict[str, int] = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "step": 1}
MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}

HORIZONS: dict[str, int] = {
    "hour": 48,
    "day": 28,
    "week": 13,
    "month": 12,
    "quarter": 8,
    "year": 6,
    "step": 12,
}
"""Steps that are forecast when nobody says how many, by unit."""

MOST_SEASON = 24
"""Longer seasons are not fitted by exponential smoothing: it would take long and say little."""


@dataclass(frozen=True)
class Frequency:
    """`multiple` units from one step to the next: (minute, 30) is half-hourly. Steps are mere numbers."""

    unit: Unit
    multiple: int = 1
    seasons: tuple[int, ...] = ()
    """Steps after which something may come round, shortest first: (24, 168) of hours."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise unknown_name("unit of time", self.unit, UNITS)

    @property
    def season(self) -> int:
        """The season that simple methods use: the shortest, 1 where there is none."""
        return self.seasons[0] if self.seasons else 1

    @property
    def step_months(self) -> int:
        """Months from step to step; 0 where a step is a fixed time."""
        return MONTHS.get(self.unit, 0) * self.multiple

    @property
    def step_seconds(self) -> int:
        """Seconds from step to step; 0 where a step is a number of months."""
        return SECONDS.get(self.unit, 0) * self.multiple

    @property
    def name(self) -> str:
        """In words: "daily", "30 minutes"."""
        plain = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
        plain |= {"quarter": "quarterly", "year": "yearly", "step": "numbered"}
        if self.multiple == 1 and self.unit in plain:
            return plain[self.unit]
        return f"{self.multiple} {self.unit}s" if self.multiple > 1 else f"every {self.unit}"

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"unit": self.unit, "multiple": self.multiple, "seasons": list(self.seasons)}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Frequency":
        """What `to_json` wrote."""
        return Frequency(plain["unit"], int(plain["multiple"]), tuple(map(int, plain["seasons"])))


def usual_seasons(unit: str, multiple: int = 1) -> tuple[int, ...]:
    """Numbers of steps after which such series usually come round; whole numbers of steps alone.

    >>> usual_seasons("minute", 30), usual_seasons("day"), usual_seasons("month")
    ((48, 336), (7,), (12,))
    """
    if unit in MONTHS:
        whole = [12 / (MONTHS[unit] * multiple)]
    elif unit == "week":
        whole = [52 / multiple]
    elif unit == "step":
        whole = []
    else:
        step = SECONDS[unit] * multiple
        whole = [86400 / step, 604800 / step]
    return tuple(int(length) for length in whole if length >= 2 and length == int(length))


def usual_horizon(freq: Frequency) -> int:
    """Steps to forecast when nobody says how many: 28 days, 48 hours, 12 months and so on."""
    if freq.unit in ("second", "minute"):
        return max(1, min(96, 86400 // freq.step_seconds))
    return max(1, HORIZONS[freq.unit] // freq.multiple)
