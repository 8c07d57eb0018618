"""The nouns of forecasting: many series on one clock, and what is said of the steps beyond a cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow
from jaxtyping import Float, Float32, Int, Int64

from pomona.find.forecasting.frequency import Frequency

ZEROS = 1 / 3
"""Share of values above which series are intermittent."""

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Panel:
    """Series on one clock, each with its own beginning and end, one after the other in `values`.

    Step 0 is `origin`; a series s has the values of the steps start[s] … start[s] + length − 1, and is to be
    forecast for the `horizon` steps after them.
    """

    keys: pyarrow.Table
    """One row a series: the columns that name it."""
    offsets: Int64[np.ndarray, " series+1"]
    """Series s owns values[offsets[s]:offsets[s + 1]]; it may own none."""
    start: Int64[np.ndarray, " series"]
    """Number of the step of its first value."""
    values: Float32[np.ndarray, " step"]
    """NaN where a value is missing. May be memory-mapped."""
    freq: Frequency
    origin: np.datetime64
    """Time of step 0 in seconds: UTC where there is a `zone`, else as the clock on the wall shows it."""
    horizon: int
    zone: str | None = None
    """Name of the time zone whose wall clock shows the hour and the day of a step that is kept in UTC."""
    known: Mapping[str, Float32[np.ndarray, " known_step"]] = field(default_factory=dict)
    """Columns known ahead: series s has [known_offsets[s]:known_offsets[s + 1]], `horizon` steps more than it
    has values; the first belongs to the step start[s]. NaN where unknown."""
    static: Mapping[str, Int[np.ndarray, " series"] | Float32[np.ndarray, " series"]] = field(
        default_factory=dict
    )
    """Columns that do not change: codes of a category (int32, −1 unknown) or numbers (float32)."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the codes of a category mean; a static column that is not in here is one of numbers."""
    position: Int64[np.ndarray, " series"] | None = None
    """Where each series stood in the panel that members were fitted on, −1 for one they have not seen.
    None: this is that panel."""

    @property
    def num_series(self) -> int:
        """How many series there are."""
        return len(self.start)

    @property
    def lengths(self) -> Int64[np.ndarray, " series"]:
        """Steps of each series, those with missing values included."""
        return np.diff(self.offsets)

    @property
    def ends(self) -> Int64[np.ndarray, " series"]:
        """The first step after each series: the cut that leaves it whole."""
        return self.start + self.lengths

    @property
    def known_offsets(self) -> Int64[np.ndarray, " series+1"]:
        """Where the series begin in the columns of `known`."""
        return self.offsets + self.horizon * np.arange(len(self.offsets))

    @property
    def fitted_as(self) -> Int64[np.ndarray, " series"]:
        """`position`, filled in."""
        return np.arange(self.num_series) if self.position is None else self.position


@dataclass(frozen=True)
class Forecast:
    """What is said of the steps after a cut; step 0 is the cut itself."""

    mean: Float[np.ndarray, "series horizon"]
    quantiles: Float[np.ndarray, "series horizon quantile"]
    """Those of QUANTILES, never decreasing along the last axis."""
    nonzero: Float[np.ndarray, "series horizon"] | None = None
    """Probability that the value is not zero; None where a member does not say."""


@dataclass(frozen=True)
class Params:
    """A fitted member as data: arrays go to a safetensors file, the rest is plain JSON."""

    arrays: Mapping[str, np.ndarray]
    plain: Mapping[str, Any] = field(default_factory=dict)


def name_of(panel: Panel, series: int) -> str:
    """A series in words: its key, with / between the parts."""
    return "/".join(map(str, panel.keys.slice(series, 1).to_pylist()[0].values()))


def is_intermittent(panel: Panel) -> bool:
    """Whether more than a third of all values are 0."""
    return bool(len(panel.values)) and float(np.mean(panel.values == 0)) > ZEROS


def histories(panel: Panel, cut: Int64[np.ndarray, " series"]) -> Panel:
    """The same series without anything at or after their cuts, columns that are known ahead excepted.

    Those keep `horizon` steps after the cut. A cut beyond the end of a series appends missing values, one
    before its start leaves none.
    """
    ends = np.maximum(cut, panel.start)
    lengths = ends - panel.start
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = _cut(panel.values, panel.offsets, offsets)
    cut_panel = replace(panel, offsets=offsets, values=values)
    known = {
        name: _cut(column, panel.known_offsets, cut_panel.known_offsets)
        for name, column in panel.known.items()
    }
    return replace(cut_panel, known=known, position=panel.fitted_as)


def truth(panel: Panel, cut: Int64[np.ndarray, " series"]) -> Float32[np.ndarray, "series horizon"]:
    """The values of the `horizon` steps from the cut on; NaN where there are none."""
    steps = cut[:, None] + np.arange(panel.horizon) - panel.start[:, None]
    inside = (steps >= 0) & (steps < panel.lengths[:, None])
    places = np.where(inside, panel.offsets[:-1, None] + steps, 0)
    if not len(panel.values):
        return np.full(steps.shape, np.nan, np.float32)
    return np.where(inside, panel.values[places], np.float32(np.nan))


def select(panel: Panel, rows: Int64[np.ndarray, " chosen"]) -> Panel:
    """The panel of some of the series, in the order of `rows`."""
    lengths = panel.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    few = replace(
        panel,
        keys=panel.keys.take(pyarrow.array(rows)),
        offsets=offsets,
        start=panel.start[rows],
        values=_gather(panel.values, panel.offsets[:-1][rows], lengths),
        static={name: column[rows] for name, column in panel.static.items()},
        position=panel.fitted_as[rows],
    )
    first = panel.known_offsets[:-1][rows]
    known = {n: _gather(column, first, lengths + panel.horizon) for n, column in panel.known.items()}
    return replace(few, known=known)


def tail(panel: Panel, num_steps: int) -> Float32[np.ndarray, "series time"]:
    """The last `num_steps` values of each series, right-aligned; NaN where it has fewer."""
    steps = panel.lengths[:, None] - num_steps + np.arange(num_steps)
    if not len(panel.values):
        return np.full(steps.shape, np.nan, np.float32)
    places = np.where(steps >= 0, panel.offsets[:-1, None] + steps, 0)
    return np.where(steps >= 0, panel.values[places], np.float32(np.nan))


def _cut(column: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    kept = np.minimum(np.diff(old), np.diff(new))
    result = np.full(int(new[-1]), np.nan, np.float32)
    result[_places(new[:-1], kept)] = column[_places(old[:-1], kept)]
    return result


def _gather(column: np.ndarray, first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return np.asarray(column)[_places(first, lengths)]


def _places(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """first[0] … first[0] + lengths[0] − 1, then the same for each further piece."""
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(first - before, lengths)
