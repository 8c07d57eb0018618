"""Wide tables, with a column for each series or for each time, read as long ones."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow

from pomona.find.forecasting.reading.categories import numbers_of
from pomona.find.forecasting.reading.roles import USUAL_TIME, USUAL_VALUE
from pomona.find.forecasting.reading.table import Table
from pomona.find.forecasting.settings import ColumnOptions
from pomona.foundation.errors import DataError

FEWEST_TIMES = 3
SAMPLE_ROWS = 200
ROWS_AT_ONCE = 256
_TIME_NAME = re.compile(
    r"\d{4}([-/]?\d{2}([-/]?\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?)?)?|\d{4}[\s-]*Q[1-4]|\d{4}[\s-]*[A-Za-z]{3}"
)
_NUMBERED = re.compile(r"([A-Za-z]+_?)(\d+)")
Names = tuple[str, ...]


def as_long(table: Table, columns: ColumnOptions) -> tuple[Table, ColumnOptions, list[str]]:
    """The table in long form, the columns of that, and what a reader should know of the change.

    A table without a column of values is wide: its other columns are times (2024-01, d_1, d_2, …), or it has
    a column of times, and the others are numbers, a series each. Any other table is left as it is.
    """
    lower = {name.lower() for name in table.names}
    if columns.value is not None or lower & set(USUAL_VALUE):
        return table, columns, []
    times = _time_columns(table.names)
    if len(times) >= FEWEST_TIMES and columns.time is None:
        return _times_across(table, columns, times)
    time = columns.time or next((n for n in table.names if n.lower() in USUAL_TIME), None)
    if time in table.names and columns.series is None:
        others = tuple(
            n for n in table.names if n != time and n not in (*columns.known_future, *columns.static)
        )
        if others and _are_numbers(table, others):
            return _series_across(table, columns, str(time), others)
    return table, columns, []


def _time_columns(names: Names) -> Names:
    """The columns named after times, or after numbers in a row such as d_1, d_2, d_3."""
    times = tuple(name for name in names if _TIME_NAME.fullmatch(name.strip()))
    if len(times) >= FEWEST_TIMES:
        return times
    by_stem: dict[str, list[str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match:
            by_stem.setdefault(match[1], []).append(name)
    longest = max(by_stem.values(), key=len, default=[])
    return tuple(longest) if len(longest) > max(FEWEST_TIMES, len(names) // 2) else ()


def _are_numbers(table: Table, names: Names) -> bool:
    first = next(iter(table.read(names)), None)
    if first is None:
        return False
    return all(numbers_of(first.column(name)[:SAMPLE_ROWS]) is not None for name in names)


def _series_across(
    table: Table, columns: ColumnOptions, time: str, others: Names
) -> tuple[Table, ColumnOptions, list[str]]:
    """A column of times and a column for each series: rows of one series after those of the other."""
    if columns.known_future or columns.static:
        raise DataError(
            f"{table.label} has a column for each series: columns that explain them need a long table, with "
            "a row for each series and time"
        )

    def read(wanted: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
        for batch in table.read((time, *others)):
            for name in others:
                parts = {
                    "unique_id": pyarrow.array([name] * batch.num_rows, pyarrow.string()),
                    time: batch.column(time),
                    "y": batch.column(name),
                }
                yield pyarrow.record_batch({one: parts[one] for one in wanted})

    long = Table(table.label, ("unique_id", time, "y"), table.is_text, read, None, table.size_bytes)
    note = f"The table is wide: each of its {len(others)} columns beside {time!r} is a series."
    return long, replace(columns, time=time, value="y", series=("unique_id",)), [note]


def _times_across(
    table: Table, columns: ColumnOptions, times: Names
) -> tuple[Table, ColumnOptions, list[str]]:
    """A row for each series, its keys first, and a column for each time."""
    others = tuple(n for n in table.names if n not in times and not n.startswith("Unnamed"))
    keys = columns.series if columns.series is not None else others
    kept = tuple(dict.fromkeys((*keys, *columns.static)))
    if not keys:
        raise DataError(f"{table.label} has columns of times but none that names its series: add one")
    numbered = not _TIME_NAME.fullmatch(times[0].strip())
    plain = [_number(name) for name in times] if numbered else [name.strip() for name in times]
    labels = pyarrow.array(plain)

    def read(wanted: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
        for whole in table.read((*kept, *times)):
            for first in range(0, whole.num_rows, ROWS_AT_ONCE):
                batch = whole.slice(first, ROWS_AT_ONCE)
                values = np.stack([_values(batch, name, table.label) for name in times], axis=1)
                rows = pyarrow.array(np.repeat(np.arange(batch.num_rows), len(times)))
                parts = {name: batch.column(name).take(rows) for name in kept}
                parts["ds"] = labels.take(pyarrow.array(np.tile(np.arange(len(times)), batch.num_rows)))
                parts["y"] = pyarrow.array(values.reshape(-1))
                yield pyarrow.record_batch({one: parts[one] for one in wanted})

    long = Table(table.label, (*kept, "ds", "y"), False, read, None, table.size_bytes)
    note = f"The table is wide: each of its {len(times)} columns from {times[0]!r} on is a time."
    return long, replace(columns, time="ds", value="y", series=tuple(keys)), [note]


def _values(batch: pyarrow.RecordBatch, name: str, label: str) -> np.ndarray:
    values = numbers_of(batch.column(name))
    if values is None:
        raise DataError(f"{label}: the column {name!r} is a time and holds text: give numbers")
    return values


def _number(name: str) -> int:
    match = _NUMBERED.fullmatch(name)
    assert match is not None
    return int(match[2])
