"""The first look at a table, in pieces: its series, their first and last times, and all times there are."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow
from jaxtyping import Int64

from pomona.find.forecasting.reading.categories import first_text, numbers_of
from pomona.find.forecasting.reading.roles import Roles
from pomona.find.forecasting.reading.table import Table
from pomona.find.forecasting.reading.times import MISSING, TimeForm, seconds_of
from pomona.foundation.errors import DataError

MOST_TIMES = 5_000_000


@dataclass
class KeyCoder:
    """Numbers for the series of a table, in the order in which they appear; keys are compared as text."""

    names: tuple[str, ...]
    known: dict[tuple[str, ...], int] = field(default_factory=dict)
    types: tuple[pyarrow.DataType, ...] = ()

    def codes(self, batch: pyarrow.RecordBatch) -> Int64[np.ndarray, " row"]:
        """The number of each row's series. Raises DataError for a row without a key."""
        if not self.names:
            self.known.setdefault((), 0)
            return np.zeros(batch.num_rows, np.int64)
        self.types = self.types or tuple(_plain(batch.column(name).type) for name in self.names)
        combined, texts = np.zeros(batch.num_rows, np.int64), []
        for name in self.names:
            coded = _as_text(batch.column(name), name).dictionary_encode()
            levels = coded.dictionary.to_pylist()
            combined = combined * len(levels) + coded.indices.to_numpy(zero_copy_only=False)
            texts.append(levels)
        found, places = np.unique(combined, return_inverse=True)
        numbers = np.empty(len(found), np.int64)
        for index, one in enumerate(found.tolist()):
            key: tuple[str, ...] = ()
            for levels in reversed(texts):
                one, place = divmod(one, len(levels))
                key = (levels[place], *key)
            numbers[index] = self.known.setdefault(key, len(self.known))
        return numbers[places]

    def table(self) -> pyarrow.Table:
        """The keys, one row a series, in the types of the table."""
        if not self.names:
            return pyarrow.table({"series": ["the series"]})
        columns = zip(*self.known, strict=True)
        arrays = [pyarrow.array(own).cast(kind) for own, kind in zip(columns, self.types, strict=True)]
        return pyarrow.table(dict(zip(self.names, arrays, strict=True)))


@dataclass
class Survey:
    """What a first pass over a table found; seconds are as the table has them."""

    keys: KeyCoder
    first: Int64[np.ndarray, " series"] = field(default_factory=lambda: np.zeros(0, np.int64))
    last: Int64[np.ndarray, " series"] = field(default_factory=lambda: np.zeros(0, np.int64))
    last_value: Int64[np.ndarray, " series"] = field(default_factory=lambda: np.zeros(0, np.int64))
    """MISSING for a series without any value."""
    times: Int64[np.ndarray, " time"] = field(default_factory=lambda: np.zeros(0, np.int64))
    form: TimeForm | None = None
    num_rows: int = 0
    are_numbers: dict[str, bool] = field(default_factory=dict)
    """Column that explains → whether all its cells are numbers or empty."""

    def add(self, batch: pyarrow.RecordBatch, roles: Roles) -> None:
        """Takes note of a batch."""
        codes = self.keys.codes(batch)
        seconds, form = seconds_of(batch.column(roles.time), roles.time)
        self._check_form(form, roles.time)
        self._grow()
        np.minimum.at(self.first, codes, seconds)
        np.maximum.at(self.last, codes, seconds)
        is_there = ~np.isnan(value_of(batch, roles.value))
        np.maximum.at(self.last_value, codes[is_there], seconds[is_there])
        self.times = np.union1d(self.times, seconds)
        if len(self.times) > MOST_TIMES:
            raise DataError(f"the table has more than {MOST_TIMES} different times: resample it first")
        self.num_rows += batch.num_rows
        for name in (*roles.known, *roles.static):
            if self.are_numbers.get(name, True):
                self.are_numbers[name] = numbers_of(batch.column(name)) is not None

    def _grow(self) -> None:
        more = len(self.keys.known) - len(self.first)
        if more:
            biggest = np.iinfo(np.int64).max
            self.first = np.concatenate([self.first, np.full(more, biggest)])
            self.last = np.concatenate([self.last, np.full(more, MISSING)])
            self.last_value = np.concatenate([self.last_value, np.full(more, MISSING)])

    def _check_form(self, form: TimeForm, name: str) -> None:
        if self.form is None:
            self.form = form
        elif {self.form.kind, form.kind} == {"date", "stamp"} and self.form.is_utc == form.is_utc:
            self.form = TimeForm("stamp", form.is_utc, form.zone)
        elif self.form != form:
            raise DataError(f"the time column {name!r} is written in two ways: write all times alike")


def survey(table: Table, roles: Roles, *, is_empty_well: bool = False) -> Survey:
    """The first pass over a table. Raises DataError for one without rows, and for cells that are wrong.

    A table without any value is wrong too, unless `is_empty_well`.
    """
    found = Survey(KeyCoder(roles.series))
    for batch in table.read(roles.columns):
        if batch.num_rows:
            found.add(batch, roles)
    if not found.num_rows:
        raise DataError(f"{table.label} has no rows")
    if (found.last_value == MISSING).all() and not is_empty_well:
        raise DataError(f"{table.label} has no value in the column {roles.value!r}: nothing to go by")
    return found


def value_of(batch: pyarrow.RecordBatch, name: str) -> np.ndarray:
    """The values of a batch, NaN where they are missing. Raises DataError for cells that are no numbers."""
    values = numbers_of(batch.column(name))
    if values is None:
        raise DataError(
            f"the value column {name!r} has {first_text(batch.column(name))}: "
            "give numbers, empty where missing"
        )
    return values


def _as_text(column: pyarrow.Array, name: str) -> pyarrow.Array:
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.null_count:
        raise DataError(f"the series column {name!r} has {column.null_count} empty cells: name every series")
    return column.cast(pyarrow.string())


def _plain(kind: pyarrow.DataType) -> pyarrow.DataType:
    # a column of codes is shown as what the codes mean, and a polars string view as text
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    return kind if pyarrow.types.is_integer(kind) or pyarrow.types.is_date(kind) else pyarrow.string()
