"""Steps and times: where a time lies on the clock of a panel, and what the calendar says of a step."""

from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from jaxtyping import Bool, Float32, Int64

from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.problem import Panel
from pomona.foundation.errors import SettingError

_compute: Any = pyarrow.compute
"""Its functions are made when it is imported, unseen by checkers of types."""

Seconds = Int64[np.ndarray, " row"]


def steps_of(
    seconds: Seconds, freq: Frequency, origin: np.datetime64
) -> tuple[Seconds, Bool[np.ndarray, " row"]]:
    """The step in which each time lies, and whether it lies where the steps begin.

    Steps of months are whole months: any day of one is on the clock.
    """
    zero = int(origin.astype("datetime64[s]").astype(np.int64))
    if not freq.step_months:
        passed = seconds - zero
        steps = passed // freq.step_seconds
        return steps, passed == steps * freq.step_seconds
    months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    passed = months - int(origin.astype("datetime64[M]").astype(np.int64))
    steps = passed // freq.step_months
    return steps, passed == steps * freq.step_months


def times_of(steps: Int64[np.ndarray, " *row"], freq: Frequency, origin: np.datetime64) -> np.ndarray:
    """datetime64[s] of the beginning of steps; the last day of a month stays the last one."""
    origin = origin.astype("datetime64[s]")
    if not freq.step_months:
        return origin + (steps * freq.step_seconds).astype("timedelta64[s]")
    month = origin.astype("datetime64[M]") + (steps * freq.step_months).astype("timedelta64[M]")
    into = origin - origin.astype("datetime64[M]").astype("datetime64[s]")
    last = (month + np.timedelta64(1, "M")).astype("datetime64[D]").astype("datetime64[s]") - np.timedelta64(
        1, "D"
    )
    if is_month_end(origin):
        return last + into % np.timedelta64(1, "D")
    # the 31st of a month that has none is its last day
    return np.minimum(month.astype("datetime64[s]") + into, last + into % np.timedelta64(1, "D"))


def is_month_end(time: np.datetime64) -> bool:
    """Whether a time is on the last day of its month."""
    day = time.astype("datetime64[D]")
    return (day + np.timedelta64(1, "D")).astype("datetime64[M]") != day.astype("datetime64[M]")


def wall_times(panel: Panel, steps: Int64[np.ndarray, " *row"]) -> np.ndarray:
    """datetime64[s] of steps as the clock on the wall shows them, daylight saving included."""
    times = times_of(steps, panel.freq, panel.origin)
    return times if panel.zone is None else to_wall(times, panel.zone)


def to_wall(times: np.ndarray, zone: str) -> np.ndarray:
    """UTC times as a zone's clock shows them."""
    flat = pyarrow.array(times.reshape(-1).astype("datetime64[s]"), pyarrow.timestamp("s", "UTC"))
    local = _compute.local_timestamp(flat.cast(pyarrow.timestamp("s", check_zone(zone))))
    return local.to_numpy(zero_copy_only=False).astype("datetime64[s]").reshape(times.shape)


def to_utc(times: np.ndarray, zone: str) -> np.ndarray:
    """What a zone's clock shows, as UTC; an hour that comes twice is the first, one left out the next."""
    flat = pyarrow.array(times.reshape(-1).astype("datetime64[s]"), pyarrow.timestamp("s"))
    aware = _compute.assume_timezone(flat, check_zone(zone), ambiguous="earliest", nonexistent="latest")
    return aware.cast(pyarrow.timestamp("s", "UTC")).to_numpy(zero_copy_only=False).reshape(times.shape)


def check_zone(zone: str) -> str:
    """The name of a time zone. Raises SettingError for one that is unknown."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(f"no time zone {zone!r}: give a name such as Europe/Vienna or UTC") from None
    return zone


def calendar_columns(freq: Frequency, times: np.ndarray) -> dict[str, Float32[np.ndarray, " *row"]]:
    """What the calendar says of wall-clock times, as plain numbers, as far as steps differ in it."""
    if freq.unit == "step":
        return {}
    months = times.astype("datetime64[M]").astype(np.int64) % 12
    columns: dict[str, np.ndarray] = {}
    if freq.unit != "year":
        columns["month"] = months
    if freq.step_seconds:
        days = times.astype("datetime64[D]")
        columns["day of month"] = (days - times.astype("datetime64[M]").astype("datetime64[D]")).astype(
            np.int64
        )
        columns["day of year"] = (days - times.astype("datetime64[Y]").astype("datetime64[D]")).astype(
            np.int64
        )
    if freq.step_seconds and freq.step_seconds % 604800:
        # 1970 began on a Thursday
        columns["day of week"] = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    if freq.step_seconds and freq.step_seconds % 86400:
        columns["minute of day"] = times.astype(np.int64) // 60 % 1440
    return {name: column.astype(np.float32) for name, column in columns.items()}
