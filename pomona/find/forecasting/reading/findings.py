"""What is odd in a table: refused in one line where a forecast would be wrong, told of where it is not."""

from typing import TYPE_CHECKING

import numpy as np

from pomona.find.forecasting.calendar import times_of
from pomona.find.forecasting.problem import Panel, name_of
from pomona.find.forecasting.reading.fill import Filling
from pomona.find.forecasting.reading.layout import Layout
from pomona.foundation.errors import DataError

if TYPE_CHECKING:
    from pomona.find.forecasting.reading.panel import Asked

FEWEST_FOR_MIXED = 4
MOST_UNKNOWN = 0.5


def check_filling(filling: Filling, duplicates: str) -> None:
    """Raises DataError for rows that are there twice, off the clock, or on another clock than the rest."""
    panel = filling.panel
    if filling.off_clock and not filling.layout.is_resampled:
        raise DataError(
            f"{filling.off_clock} rows lie between the steps of {panel.freq.name} data: "
            "resample them with --freq"
        )
    if filling.twice and duplicates == "refuse" and not is_daylight_saving(filling):
        assert filling.first_twice is not None
        series, step = filling.first_twice
        (time,) = times_of(np.array([step]), panel.freq, panel.origin)
        raise DataError(
            f"{filling.twice} rows are there twice, the first of series {name_of(panel, series)} at {time}: "
            "name all columns that tell series apart with --series, or say what to make of them with "
            "--duplicates sum, mean, last or first"
        )
    if not filling.layout.is_resampled:
        _check_mixed(panel)


def check_known(panel: Panel) -> None:
    """Raises DataError when a column that is known ahead is not known for the steps that are forecast."""
    for name, column in panel.known.items():
        last = panel.known_offsets[1:, None] - panel.horizon + np.arange(panel.horizon)
        missing = float(np.isnan(column[last]).mean()) if panel.num_series else 0.0
        if missing > MOST_UNKNOWN:
            raise DataError(
                f"the column {name!r} is to be known ahead, but {missing:.0%} of the {panel.horizon} steps "
                "after the history have none: add rows for them, without a value"
            )


def is_daylight_saving(filling: Filling) -> bool:
    """Whether the rows that are there twice are the hour of autumn that a clock on the wall shows twice."""
    freq = filling.panel.freq
    if freq.step_months or freq.step_seconds >= 86400 or not filling.twice_steps:
        return False
    times = times_of(np.array(sorted(filling.twice_steps)), freq, filling.panel.origin)
    days = times.astype("datetime64[D]").astype(np.int64)
    hours = times.astype(np.int64) // 3600 % 24
    months = times.astype("datetime64[M]").astype(np.int64) % 12 + 1
    is_sunday = (days + 3) % 7 == 6
    return bool((is_sunday & (hours <= 3) & np.isin(months, (3, 4, 9, 10, 11))).all())


def findings(panel: Panel, layout: Layout, filling: Filling, asked: "Asked") -> list[str]:
    """What a reader should know, a sentence each."""
    lengths, found = panel.lengths, []
    last = int(panel.ends.max()) if len(lengths) else 0
    cold = int((lengths == 0).sum())
    missing = int(np.isnan(panel.values).sum())
    early = int(((panel.ends < last) & (lengths > 0)).sum())
    short = int(((lengths > 0) & (lengths < panel.horizon)).sum())
    constant = int(is_constant(panel).sum())
    if asked.num_future:
        found.append(f"The table has {asked.num_future} steps without a value at its end: they are forecast.")
    if asked.num_future and asked.num_future != panel.horizon:
        found.append(f"The horizon was asked to be {panel.horizon} steps.")
    if cold:
        found.append(f"{cold} series have no history: they are forecast from series that are like them.")
    if missing:
        found.append(f"{missing} steps have no value ({missing / max(1, len(panel.values)):.1%}).")
    if early:
        found.append(
            f"{early} series end before the last time of the table: each is forecast from its own end."
        )
    if short:
        found.append(f"{short} series have fewer steps than the horizon of {panel.horizon}.")
    if constant:
        found.append(f"{constant} series never change.")
    if filling.twice:
        what = (
            "an hour that daylight saving repeats; its mean is taken"
            if is_daylight_saving(filling)
            else "combined"
        )
        found.append(f"{filling.twice} rows were there twice: {what}.")
    if layout.is_resampled:
        found.append(f"Values were resampled to {panel.freq.name} steps by {layout.combine}.")
    if layout.form.is_utc and layout.zone is None and panel.freq.step_seconds % 86400:
        found.append("Times are UTC: the hour of the day is that of UTC. --timezone gives another clock.")
    return found


def is_constant(panel: Panel) -> np.ndarray:
    """Which series with at least two values have no two different ones."""
    if not len(panel.values):
        return np.zeros(panel.num_series, bool)
    has = panel.lengths > 0
    result = np.zeros(panel.num_series, bool)
    filled = np.where(np.isnan(panel.values), -np.inf, panel.values)
    begins = panel.offsets[:-1][has]
    high = np.maximum.reduceat(filled, begins)
    low = np.minimum.reduceat(np.where(np.isnan(panel.values), np.inf, panel.values), begins)
    count = np.add.reduceat((~np.isnan(panel.values)).astype(np.int64), begins)
    result[has] = (high == low) & (count >= 2)
    return result


def _check_mixed(panel: Panel) -> None:
    """Raises DataError when some series have values at every k-th step only, and others at all."""
    places = np.flatnonzero(~np.isnan(panel.values))
    if len(places) < FEWEST_FOR_MIXED:
        return
    series = np.searchsorted(panel.offsets, places, side="right") - 1
    gaps = np.diff(places)
    within = np.diff(series) == 0
    owner, gaps = series[1:][within], gaps[within]
    if not len(gaps) or gaps.min() == gaps.max():
        return
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    common = np.gcd.reduceat(gaps, begins)
    number = np.diff(np.append(begins, len(gaps)))
    is_coarse = (common > 1) & (number >= FEWEST_FOR_MIXED)
    if is_coarse.any():
        slow = int(owner[begins[np.flatnonzero(is_coarse)[0]]])
        raise DataError(
            f"{int(is_coarse.sum())} series have a value at every {int(common[is_coarse].min())}th step of "
            f"{panel.freq.name} data only, such as {name_of(panel, slow)}: forecast the kinds apart, or "
            "resample all with --freq"
        )
