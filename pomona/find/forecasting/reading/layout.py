"""What must be known to read a further table like the first: its columns, its clock and its levels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow
from jaxtyping import Int64

from pomona.find.forecasting.calendar import times_of, to_utc, to_wall
from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.reading.roles import Roles
from pomona.find.forecasting.reading.times import TimeForm

Conversion = Literal["none", "to wall", "to UTC"]


@dataclass(frozen=True)
class Layout:
    """How a table becomes a Panel; an artifact keeps it."""

    roles: Roles
    freq: Frequency
    origin: np.datetime64
    horizon: int
    form: TimeForm
    zone: str | None = None
    conversion: Conversion = "none"
    """What is done to the table's times: days are kept as the zone's wall clock shows them, hours as UTC."""
    is_resampled: bool = False
    combine: str = "sum"
    """What is made of several values of a step."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Levels of the columns of text, static and known ahead."""

    def on_clock(self, seconds: Int64[np.ndarray, " row"]) -> Int64[np.ndarray, " row"]:
        """Times of the table on the panel's clock."""
        return converted(seconds, self.conversion, self.zone)

    def shown(self, steps: Int64[np.ndarray, " row"]) -> pyarrow.Array:
        """The times of steps as the table writes them."""
        times = times_of(steps, self.freq, self.origin)
        if self.form.kind == "number":
            return pyarrow.array(times.astype("datetime64[s]").astype(np.int64))
        if self.form.kind == "year":
            return pyarrow.array(times.astype("datetime64[Y]").astype(np.int64) + 1970)
        if self.zone is not None and self.conversion != "none":
            back = to_utc if self.conversion == "to wall" else to_wall
            times = back(times, self.zone)
        stamps = pyarrow.array(times.astype("datetime64[s]"))
        if self.form.is_utc:
            return stamps.cast(pyarrow.timestamp("us", self.form.zone or "UTC"))
        if self.form.kind == "date" and (self.freq.step_months or self.freq.step_seconds % 86400 == 0):
            return stamps.cast(pyarrow.date32())
        return stamps.cast(pyarrow.timestamp("us"))

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "roles": self.roles.to_json(),
            "freq": self.freq.to_json(),
            "origin": int(self.origin.astype("datetime64[s]").astype(np.int64)),
            "horizon": self.horizon,
            "form": self.form.to_json(),
            "zone": self.zone,
            "conversion": self.conversion,
            "is_resampled": self.is_resampled,
            "combine": self.combine,
            "levels": {name: list(own) for name, own in self.levels.items()},
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Layout":
        """What `to_json` wrote."""
        parts = {
            "roles": Roles.from_json(plain["roles"]),
            "freq": Frequency.from_json(plain["freq"]),
            "origin": np.datetime64(int(plain["origin"]), "s"),
            "form": TimeForm(**plain["form"]),
            "levels": {name: tuple(own) for name, own in plain["levels"].items()},
        }
        return Layout(**{**plain, **parts})


def converted(
    seconds: Int64[np.ndarray, " row"], conversion: Conversion, zone: str | None
) -> Int64[np.ndarray, " row"]:
    """Seconds after a conversion, made once for each different time."""
    if conversion == "none" or zone is None:
        return seconds
    different, places = np.unique(seconds, return_inverse=True)
    convert = to_wall if conversion == "to wall" else to_utc
    return convert(different.astype("datetime64[s]"), zone).astype("datetime64[s]").astype(np.int64)[places]
