"""The clock of a table: the frequency that its times have, or that the user names."""

import re

import numpy as np
from jaxtyping import Int64

from pomona.find.forecasting.frequency import UNITS, Frequency, Unit, usual_seasons
from pomona.find.forecasting.reading.times import TimeForm
from pomona.foundation.errors import DataError, SettingError

DAY = 86400
FIXED: tuple[tuple[Unit, int], ...] = (
    ("week", 7 * DAY),
    ("day", DAY),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
BY_MONTHS: tuple[tuple[Unit, int], ...] = (("year", 12), ("quarter", 3), ("month", 1))
FEWEST_FILLED = 0.2
"""A clock on which fewer of the steps have any value at all is none."""

_SPELLINGS: dict[str, tuple[Unit, int]] = {
    **{unit: (unit, 1) for unit in UNITS},
    "s": ("second", 1),
    "sec": ("second", 1),
    "t": ("minute", 1),
    "min": ("minute", 1),
    "h": ("hour", 1),
    "hourly": ("hour", 1),
    "d": ("day", 1),
    "b": ("day", 1),
    "daily": ("day", 1),
    "w": ("week", 1),
    "weekly": ("week", 1),
    "m": ("month", 1),
    "ms": ("month", 1),
    "me": ("month", 1),
    "monthly": ("month", 1),
    "q": ("quarter", 1),
    "qs": ("quarter", 1),
    "qe": ("quarter", 1),
    "quarterly": ("quarter", 1),
    "y": ("year", 1),
    "a": ("year", 1),
    "ys": ("year", 1),
    "ye": ("year", 1),
    "yearly": ("year", 1),
    "halfhourly": ("minute", 30),
}


def named_frequency(text: str) -> Frequency:
    """The frequency that a user names: day, 30min, 2h, W-SUN, MS. Raises SettingError for anything else.

    >>> named_frequency("30min")
    Frequency(unit='minute', multiple=30, seasons=(48, 336))
    """
    found = re.fullmatch(r"(\d*)\s*([a-z]+?)s?(-[a-z]{3})?", text.strip().lower().replace("half-", "half"))
    name = found[2] if found else ""
    known = _SPELLINGS.get(name) or _SPELLINGS.get(name + "s")
    if found is None or known is None:
        raise SettingError(
            f"freq {text!r} is unknown: write a number and a unit, such as 30min, hour, day or month"
        )
    unit, multiple = known[0], known[1] * int(found[1] or 1)
    if multiple < 1:
        raise SettingError(f"freq {text!r} must be at least one unit")
    return Frequency(unit, multiple, usual_seasons(unit, multiple))


def frequency_of(times: Int64[np.ndarray, " time"], form: TimeForm) -> Frequency:
    """The frequency of the sorted, different times of a table. Raises DataError where they have none."""
    if len(times) < 2:
        raise DataError(
            f"the table has {len(times)} different time{'s' * (len(times) != 1)}, which show no frequency: "
            "name it with --freq"
        )
    gaps = np.diff(times)
    if form.kind == "number":
        return _checked(Frequency("step", int(np.gcd.reduce(gaps))), times)
    if form.kind == "year":
        years = np.diff(times.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64))
        return Frequency("year", int(np.gcd.reduce(years)))
    if gaps.min() >= 28 * DAY and np.unique(gaps).size > 1:
        return _of_months(times)
    if gaps.min() == gaps.max() and gaps[0] >= 28 * DAY and _same_day(times):
        return _of_months(times)
    step = int(np.gcd.reduce(gaps))
    for unit, seconds in FIXED:
        if step % seconds == 0:
            multiple = step // seconds
            return _checked(Frequency(unit, multiple, usual_seasons(unit, multiple)), times)
    raise AssertionError("every number of seconds is a multiple of one")


def _same_day(times: np.ndarray) -> bool:
    days = times.astype("datetime64[s]").astype("datetime64[D]")
    into = days - days.astype("datetime64[M]").astype("datetime64[D]")
    return bool((into == into[0]).all())


def _of_months(times: np.ndarray) -> Frequency:
    months = np.diff(times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64))
    step = int(np.gcd.reduce(months))
    if step == 0:
        raise _irregular(times)
    for unit, length in BY_MONTHS:
        if step % length == 0:
            multiple = step // length
            return Frequency(unit, multiple, usual_seasons(unit, multiple))
    raise AssertionError("every number of months is a multiple of one")


def _checked(freq: Frequency, times: np.ndarray) -> Frequency:
    step = freq.step_seconds
    num_steps = (int(times[-1]) - int(times[0])) // step + 1
    if len(times) < FEWEST_FILLED * num_steps and len(times) > 2:
        raise _irregular(times)
    return freq


def _irregular(times: np.ndarray) -> DataError:
    usual = int(np.median(np.diff(times)))
    names = ((7 * DAY, "week"), (DAY, "day"), (3600, "hour"), (60, "min"), (1, "s"))
    seconds, unit = next(pair for pair in names if usual >= pair[0] or pair[0] == 1)
    number = max(1, round(usual / seconds))
    return DataError(
        f"the times are irregular (about {number} {unit} apart): resample them with a clock of your choice, "
        f"say --freq {number if number > 1 else ''}{unit}; for days that begin at a zone's midnight, "
        "name the zone with --timezone"
    )
