"""The second pass: values and columns that explain are put in their places, in any order of rows."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow
from jaxtyping import Float32, Int64

from pomona.find.forecasting.calendar import steps_of
from pomona.find.forecasting.problem import Panel, name_of
from pomona.find.forecasting.reading.categories import Coder, numbers_of
from pomona.find.forecasting.reading.layout import Layout
from pomona.find.forecasting.reading.survey import KeyCoder, value_of
from pomona.find.forecasting.reading.times import seconds_of
from pomona.foundation.errors import DataError


@dataclass
class Filling:
    """A panel while it is filled. `panel` has the places; its arrays are written to."""

    panel: Panel
    layout: Layout
    keys: KeyCoder
    counts: np.ndarray
    """Values that each step got."""
    coders: dict[str, Coder]
    off_clock: int = 0
    twice: int = 0
    first_twice: tuple[int, int] | None = None
    """Series and step of the first row that came twice."""
    twice_steps: set[int] = field(default_factory=set)

    def add(self, batch: pyarrow.RecordBatch) -> None:
        """Puts a batch in its places."""
        roles = self.layout.roles
        codes = self.keys.codes(batch)
        seconds = self.layout.on_clock(seconds_of(batch.column(roles.time), roles.time)[0])
        steps, is_on = steps_of(seconds, self.panel.freq, self.panel.origin)
        self.off_clock += int((~is_on).sum())
        inside = steps - self.panel.start[codes]
        values = value_of(batch, roles.value)
        self._values(codes, inside, values)
        for name in roles.known:
            within = (inside >= 0) & (inside < self.panel.lengths[codes] + self.panel.horizon)
            places = (self.panel.known_offsets[:-1][codes] + inside)[within]
            column = self._numbers(batch.column(name), name)[within]
            # a later row without a value does not wipe out an earlier one
            is_there = ~np.isnan(column)
            self.panel.known[name][places[is_there]] = column[is_there]
        for name in roles.static:
            self._static(name, codes, self._numbers(batch.column(name), name))

    def _values(self, codes: np.ndarray, inside: np.ndarray, values: np.ndarray) -> None:
        within = (inside >= 0) & (inside < self.panel.lengths[codes]) & ~np.isnan(values)
        places = (self.panel.offsets[:-1][codes] + inside)[within]
        values, codes, inside = values[within], codes[within], inside[within]
        different, first, number = np.unique(places, return_index=True, return_counts=True)
        if not self.layout.is_resampled:
            is_repeat = np.ones(len(places), bool)
            is_repeat[first] = self.counts[different] > 0
            if is_repeat.any():
                self._note_twice(codes[is_repeat], (self.panel.start[codes] + inside)[is_repeat])
        combine(self.panel.values, places, values, self.layout.combine)
        self.counts[different] += number.astype(self.counts.dtype)

    def _note_twice(self, codes: np.ndarray, steps: np.ndarray) -> None:
        self.twice += len(codes)
        self.first_twice = self.first_twice or (int(codes[0]), int(steps[0]))
        if len(self.twice_steps) < 1000:
            self.twice_steps.update(np.unique(steps)[:1000].tolist())

    def _numbers(self, column: pyarrow.Array, name: str) -> Float32[np.ndarray, " row"]:
        if name in self.coders:
            return self.coders[name].codes(column)
        values = numbers_of(column)
        if values is None:
            raise DataError(f"the column {name!r} holds text; it held numbers when the model was made")
        return values

    def _static(self, name: str, codes: Int64[np.ndarray, " row"], column: np.ndarray) -> None:
        kept = self.panel.static[name]
        is_there = ~np.isnan(column)
        codes, column = codes[is_there], column[is_there]
        new = np.isnan(kept[codes])
        kept[codes[new]] = column[new]
        if (kept[codes] != column).any():
            key = name_of(self.panel, int(codes[kept[codes] != column][0]))
            raise DataError(
                f"the static column {name!r} changes within the series {key}: name it with --known-future, "
                "if it is known ahead, or leave it out"
            )


def combine(into: np.ndarray, places: np.ndarray, values: np.ndarray, how: str) -> None:
    """Writes values into their places, where NaN is; several of one place are combined.

    A mean is taken as a sum here: the caller divides by the number of values.
    """
    if how in ("sum", "mean"):
        fresh = places[np.isnan(into[places])]
        into[fresh] = 0
        np.add.at(into, places, values)
    elif how in ("min", "max"):
        fresh = places[np.isnan(into[places])]
        into[fresh] = np.inf if how == "min" else -np.inf
        (np.minimum if how == "min" else np.maximum).at(into, places, values)
    elif how == "last":
        into[places] = values
    else:
        first = places[::-1]
        empty = np.isnan(into[first])
        into[first[empty]] = values[::-1][empty]
