"""A table as a Panel: two passes, the first to find series and clock, the second to put values in place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pomona.find.forecasting.calendar import check_zone, is_month_end, steps_of, times_of
from pomona.find.forecasting.frequency import Frequency, usual_horizon
from pomona.find.forecasting.problem import Panel
from pomona.find.forecasting.reading.categories import Coder, coders_of
from pomona.find.forecasting.reading.clock import frequency_of, named_frequency
from pomona.find.forecasting.reading.fill import Filling
from pomona.find.forecasting.reading.findings import check_filling, findings
from pomona.find.forecasting.reading.layout import Conversion, Layout, converted
from pomona.find.forecasting.reading.roles import find_roles
from pomona.find.forecasting.reading.survey import Survey, survey
from pomona.find.forecasting.reading.table import Table, open_table
from pomona.find.forecasting.reading.times import MISSING, TimeForm
from pomona.find.forecasting.reading.wide import as_long
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.errors import DataError, SettingError

MOST_STEPS_A_ROW = 50


@dataclass(frozen=True)
class Reading:
    """A table that was read: the panel, how, and what a reader of the report should know of it."""

    panel: Panel
    layout: Layout
    notes: tuple[str, ...]


def read_panel(data: Any, columns: ColumnOptions, settings: ForecastSettings) -> Reading:
    """The panel of a table in long or wide form. Raises DataError, in one line, for what cannot be read."""
    table, columns, notes = as_long(open_table(data), columns)
    roles = find_roles(
        table,
        time=columns.time,
        value=columns.value,
        series=columns.series,
        known=columns.known_future,
        static=columns.static,
    )
    found = survey(table, roles)
    assert found.form is not None
    zone = check_zone(columns.timezone) if columns.timezone else found.form.zone
    freq, conversion = _clock(found, settings.freq, zone)
    times = np.unique(converted(found.times, conversion, zone))
    first = times[0].astype("datetime64[s]")
    layout = Layout(
        roles,
        freq,
        _origin(times, freq, found.form) if settings.freq else first,
        horizon=1,
        form=found.form,
        zone=zone,
        conversion=conversion,
        is_resampled=settings.freq is not None,
        combine=settings.resample if settings.freq else _duplicates(settings.duplicates),
    )
    asked, layout = _asked(found, layout, settings.horizon)
    filled = _fill(table, layout, found, asked)
    check_filling(filled, settings.duplicates)
    panel, layout = _finished(filled, layout, found)
    return Reading(panel, layout, (*notes, *findings(panel, layout, filled, asked)))


def read_like(data: Any, layout: Layout, end: int) -> Reading:
    """The panel of a further table, on the clock and with the columns and levels of the first.

    Series that have rows of missing value at the end are forecast from the last value of the table on; from
    the step `end` on, where it has no values at all.
    """
    roles, table, notes = layout.roles, open_table(data), []
    if roles.value not in table.names:
        # the first table may have been wide, which left no trace but the names that a long form has
        time = roles.time if roles.time in table.names else None
        keys = tuple(name for name in roles.series if name in table.names)
        columns = ColumnOptions(time, None, keys or None, roles.known, roles.static)
        table, _, notes = as_long(table, columns)
    missing = [name for name in roles.columns if name not in table.names]
    if missing:
        raise DataError(f"{table.label} lacks the column {missing[0]!r}, which the model was made with")
    found = survey(table, roles, is_empty_well=True)
    assert found.form is not None
    if {found.form.kind, layout.form.kind} & {"number", "year"} and found.form.kind != layout.form.kind:
        raise DataError(f"the times of {table.label} are written unlike those that the model was made with")
    asked, _ = _asked(found, layout, layout.horizon, end - 1)
    filled = _fill(table, layout, found, asked)
    check_filling(filled, "refuse" if layout.combine == "sum" else layout.combine)
    panel, layout = _finished(filled, replace(layout), found)
    return Reading(panel, layout, tuple(notes))


def _duplicates(how: str) -> str:
    return "mean" if how == "refuse" else how


def _clock(found: Survey, named: str | None, zone: str | None) -> tuple[Frequency, Conversion]:
    """The frequency and what has to be done to the times to be on its clock."""
    assert found.form is not None
    is_plain = zone is None or found.form.kind in ("number", "year")
    if named is not None:
        freq = named_frequency(named)
        _check_unit(freq, found.form)
        if is_plain:
            return freq, "none"
        is_whole = bool(freq.step_months) or freq.step_seconds % 86400 == 0
        return freq, _conversion(is_whole, found.form)
    if is_plain:
        return frequency_of(found.times, found.form), "none"
    wall = np.unique(converted(found.times, "to wall", zone)) if found.form.is_utc else found.times
    is_whole = bool((wall % 86400 == wall[0] % 86400).all())
    conversion = _conversion(is_whole, found.form)
    return frequency_of(np.unique(converted(found.times, conversion, zone)), found.form), conversion


def _conversion(is_whole: bool, form: TimeForm) -> Conversion:
    if is_whole:
        return "to wall" if form.is_utc else "none"
    return "none" if form.is_utc else "to UTC"


def _check_unit(freq: Frequency, form: TimeForm) -> None:
    if (form.kind == "number") != (freq.unit == "step"):
        raise SettingError(
            f"freq {freq.name} does not fit times that are {form.kind}s: "
            + ("write a number of steps" if form.kind == "number" else "write a unit of time, such as day")
        )


def _origin(times: np.ndarray, freq: Frequency, form: TimeForm) -> np.datetime64:
    """Where the clock that a user named begins: at a whole day, week (Monday), month or quarter."""
    first = times[0].astype("datetime64[s]")
    if form.kind == "number":
        return first
    if freq.step_months:
        month = int(first.astype("datetime64[M]").astype(np.int64))
        whole = freq.step_months if 12 % freq.step_months == 0 else 1
        begin = np.datetime64(month // whole * whole, "M").astype("datetime64[s]")
        alike = (times.astype("datetime64[s]") == times.astype("datetime64[s]").astype("datetime64[M]")).all()
        return begin if alike or not is_month_end(first) or freq.step_months > 1 else first
    if freq.unit == "week":
        thursday = int(first.astype("datetime64[D]").astype(np.int64))
        monday = thursday - (thursday + 3) % 7
        if len(times) > 1 and (np.diff(times) % 604800 == 0).all():
            return first
        return np.datetime64(monday, "D").astype("datetime64[s]")
    size = freq.step_seconds
    return np.datetime64(int(times[0]) // size * size, "s") if 86400 % size == 0 else first


@dataclass(frozen=True)
class Asked:
    """First and last step of each series, and which rows ask for a forecast."""

    start: np.ndarray
    lengths: np.ndarray
    num_future: int
    """Steps with rows, but without any value, at the end of the table."""


def _asked(
    found: Survey, layout: Layout, horizon: int | None, otherwise: int | None = None
) -> tuple[Asked, Layout]:
    """The steps of each series that are history, and the horizon; `otherwise` ends a table without values."""

    def steps(seconds: np.ndarray) -> np.ndarray:
        return steps_of(layout.on_clock(seconds), layout.freq, layout.origin)[0]

    has_value = found.last_value != MISSING
    first, last = steps(found.first), steps(found.last)
    end = int(steps(found.last_value[has_value]).max()) if otherwise is None or has_value.any() else otherwise
    num_future = max(0, int(last.max()) - end)
    if num_future:
        # rows beyond the last value of the whole table are what is to be forecast: all series end there
        start = np.minimum(first, end + 1)
        lengths = end + 1 - start
        lengths[~has_value] = 0
        start[~has_value] = end + 1
    else:
        start, lengths = first, last + 1 - first
        start[~has_value], lengths[~has_value] = end + 1, 0
    chosen = horizon or num_future or usual_horizon(layout.freq)
    total = int(lengths.sum())
    if total > MOST_STEPS_A_ROW * found.num_rows + 1_000_000:
        raise DataError(
            f"{found.num_rows} rows lie on {total} steps of {layout.freq.name} data: the clock is too fine, "
            "give a coarser one with --freq"
        )
    return Asked(start, lengths, num_future), replace(layout, horizon=chosen)


def _fill(table: Table, layout: Layout, found: Survey, asked: Asked) -> Filling:
    roles = layout.roles
    offsets = np.concatenate([[0], np.cumsum(asked.lengths)]).astype(np.int64)
    num_series = len(asked.start)
    size = int(offsets[-1]) + layout.horizon * num_series
    coders = coders_of(layout.levels)
    for name in (*roles.known, *roles.static):
        if not found.are_numbers[name]:
            coders.setdefault(name, Coder(name))
    panel = Panel(
        keys=found.keys.table(),
        offsets=offsets,
        start=asked.start.astype(np.int64),
        values=np.full(int(offsets[-1]), np.nan, np.float32),
        freq=layout.freq,
        origin=layout.origin,
        horizon=layout.horizon,
        zone=layout.zone if layout.conversion != "to wall" and not layout.freq.step_months else None,
        known={name: np.full(size, np.nan, np.float32) for name in roles.known},
        static={name: np.full(num_series, np.nan, np.float32) for name in roles.static},
    )
    filling = Filling(panel, layout, found.keys, np.zeros(len(panel.values), np.uint32), coders)
    for batch in table.read(roles.columns):
        if batch.num_rows:
            filling.add(batch)
    if layout.combine == "mean":
        np.divide(panel.values, filling.counts, out=panel.values, where=filling.counts > 0)
    return filling


def _finished(filling: Filling, layout: Layout, found: Survey) -> tuple[Panel, Layout]:
    """The panel with codes for its categories, keys that group series among them."""
    panel, levels = filling.panel, {name: tuple(coder.levels) for name, coder in filling.coders.items()}
    static: dict[str, np.ndarray] = {}
    columns = list(zip(*found.keys.known, strict=True)) if len(layout.roles.series) > 1 else []
    for name, column in zip(layout.roles.series, columns, strict=False):
        own = dict.fromkeys(layout.levels.get(name, column))
        codes = {text: code for code, text in enumerate(own)}
        levels[name] = tuple(own)
        static[name] = np.array([codes.get(text, -1) for text in column], np.int32)
    for name, column in panel.static.items():
        is_code = name in levels
        static[name] = np.where(np.isnan(column), -1, column).astype(np.int32) if is_code else column
    own_levels = {name: levels[name] for name in static if name in levels}
    return replace(panel, static=static, levels=own_levels), replace(layout, levels=levels)


def shown_times(panel: Panel, layout: Layout, steps: Sequence[int]) -> list[str]:
    """Times of steps for a reader."""
    return [str(time) for time in times_of(np.array(steps), panel.freq, panel.origin)]
