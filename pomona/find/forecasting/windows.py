"""Batches of windows, cut from a panel: a past, what is known of the future, and the truth to learn from.

A window at step t of a series reads values before t only; its truth are the values from t on, as far as they
lie before the series' cut. Nothing at or after the cut is ever touched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.problem import Panel
from pomona.find.forecasting.time_features import time_features
from pomona.tasks.batch import Batch
from pomona.tasks.feature import mask_key


@dataclass(frozen=True)
class WindowShape:
    """How windows are cut: steps of past, steps of future, and seasons whose earlier values are read."""

    context: int
    horizon: int
    lags: tuple[int, ...] = ()
    """Seasons in steps: each future step also reads the latest value a whole number of these before it."""
    knows_series: bool = False
    """Each series is a token of its own."""


@dataclass(frozen=True)
class Encoding:
    """How covariates become numbers and tokens; found in what lies before the cut, kept with the model."""

    known: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Column → mean and deviation."""
    tokens: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Static column, or "" for the series itself → the token of its code 0, and the number of its codes."""
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Static number → mean and deviation."""

    @property
    def num_tokens(self) -> int:
        """How many tokens there are, with 0 for whatever is unknown; 0 without any columns."""
        return 1 + sum(count for _, count in self.tokens.values()) if self.tokens else 0

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            name: {column: list(pair) for column, pair in getattr(self, name).items()}
            for name in ("known", "tokens", "numbers")
        }

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Encoding":
        """What `to_json` wrote."""
        return Encoding(*({c: tuple(p) for c, p in plain[n].items()} for n in ("known", "tokens", "numbers")))


def encoding_of(panel: Panel, cut: Int64[np.ndarray, " series"], *, knows_series: bool) -> Encoding:
    """The encoding of a panel's covariates, from what is before the cut."""
    tokens, first = {}, 1
    sizes = {name: len(panel.levels[name]) for name in panel.static if name in panel.levels}
    sizes |= {"": panel.num_series} if knows_series else {}
    for name, size in sizes.items():
        tokens[name] = (first, size)
        first += size
    known = {name: _moments(_before(panel, column, cut)) for name, column in panel.known.items()}
    numbers = {name: _moments(panel.static[name]) for name in panel.static if name not in panel.levels}
    return Encoding(known, tokens, numbers)


class Windows:
    """Windows of one panel in one shape. Making them is a gather: nothing of the panel is copied before."""

    def __init__(
        self, panel: Panel, cut: Int64[np.ndarray, " series"], shape: WindowShape, encoding: Encoding
    ):
        self.panel, self.shape, self.encoding = panel, shape, encoding
        self.limit = np.clip(cut, panel.start, panel.ends)
        self.cut = cut
        self._first = int(panel.start.min(initial=0)) - shape.context
        last = max(int(cut.max(initial=0)), int(panel.ends.max(initial=0))) + shape.horizon
        self._clock = time_features(panel, np.arange(self._first, last + 1))
        self._static = self._tokens()
        self._numbers = self._static_numbers()

    @property
    def num_features(self) -> int:
        """Covariates of a step."""
        return self._clock.shape[1] + len(self.encoding.known)

    def read(self, series: Int64[np.ndarray, " batch"], at: Int64[np.ndarray, " batch"]) -> Batch:
        """The windows of some series at some steps, none of them after the series' cut."""
        shape = self.shape
        assert (at <= self.cut[series]).all(), "a window would see beyond the cut"
        before = at[:, None] + np.arange(-shape.context, 0)
        ahead = at[:, None] + np.arange(shape.horizon)
        past = self._values(series, before, at)
        known = np.isfinite(past)
        batch = {
            "past": np.concatenate(
                [
                    np.where(known, past, 0.0)[:, :, None],
                    self._features(series, before),
                    known[:, :, None].astype(np.float32),
                ],
                2,
            ),
        }
        if self.num_features:
            batch["future"] = self._features(series, ahead)
        if shape.lags:
            batch["lags"] = self._lagged(series, at)
        if self.encoding.num_tokens:
            batch["static"] = self._static[series]
        if self.encoding.numbers:
            batch["numbers"] = self._numbers[series]
        truth = self._values(series, ahead, self.limit[series])
        is_known = np.isfinite(truth)
        batch["y"] = np.where(is_known, truth, 0.0)[:, :, None]
        batch[mask_key("y")] = is_known
        return batch

    def _values(self, series: np.ndarray, steps: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Values at (batch, step), NaN before the start of a series, from `end` on, and where missing."""
        panel = self.panel
        places = steps - panel.start[series][:, None]
        ends = np.minimum(end, self.limit[series]) - panel.start[series]
        inside = (places >= 0) & (places < ends[:, None])
        if not len(panel.values):
            return np.full(steps.shape, np.nan, np.float32)
        flat = np.where(inside, panel.offsets[series][:, None] + places, 0)
        return np.where(inside, panel.values[flat], np.float32(np.nan))

    def _features(self, series: np.ndarray, steps: np.ndarray) -> Float[np.ndarray, "batch step feature"]:
        parts = [self._clock[steps - self._first]]
        places = steps - self.panel.start[series][:, None]
        inside = (places >= 0) & (places < (self.panel.lengths[series] + self.panel.horizon)[:, None])
        flat = np.where(inside, self.panel.known_offsets[series][:, None] + places, 0)
        for name, (mean, deviation) in self.encoding.known.items():
            column = self.panel.known[name]
            found = np.where(inside, column[flat], np.nan) if len(column) else np.full(steps.shape, np.nan)
            scaled = (found - mean) / deviation
            parts.append(np.where(np.isfinite(scaled), scaled, 0.0).astype(np.float32)[:, :, None])
        return np.concatenate(parts, 2)

    def _lagged(self, series: np.ndarray, at: np.ndarray) -> Float[np.ndarray, "batch horizon lag"]:
        ahead = np.arange(self.shape.horizon)
        found = []
        for season in self.shape.lags:
            back = season * (ahead // season + 1)
            found.append(self._values(series, at[:, None] + ahead - back, at))
        values = np.stack(found, 2)
        known = np.isfinite(values)
        return np.concatenate([np.where(known, values, 0.0), known.astype(np.float32)], 2)

    def _tokens(self) -> Int64[np.ndarray, "series column"]:
        columns = []
        for name, (first, count) in self.encoding.tokens.items():
            codes = self.panel.static[name] if name else self.panel.fitted_as
            is_known = (codes >= 0) & (codes < count)
            columns.append(np.where(is_known, first + codes, 0).astype(np.int64))
        return np.stack(columns, 1) if columns else np.zeros((self.panel.num_series, 0), np.int64)

    def _static_numbers(self) -> Float[np.ndarray, "series value"]:
        pairs = self.encoding.numbers.items()
        columns = [(self.panel.static[name] - mean) / deviation for name, (mean, deviation) in pairs]
        stacked = np.stack(columns, 1) if columns else np.zeros((self.panel.num_series, 0))
        return np.nan_to_num(stacked).astype(np.float32)


class WindowSource:
    """An endless source of training windows.

    A series is drawn the more often the more windows it has, by the square root of their number; of its
    windows each is as likely. `recent` keeps to the last so many.
    """

    size = None

    def __init__(self, windows: Windows, *, recent: int | None = None):
        self.windows = windows
        self.first, self.count = trainable(windows)
        if recent is not None:
            kept = np.minimum(self.count, recent)
            self.first, self.count = self.first + self.count - kept, kept
        weights = np.sqrt(self.count.astype(np.float64))
        self._ladder = np.cumsum(weights) / max(weights.sum(), 1e-300)

    def draw(self, generator: np.random.Generator, num_examples: int) -> Batch:
        """Windows drawn at random."""
        series = np.searchsorted(self._ladder, generator.random(num_examples), side="right")
        series = np.minimum(series, len(self._ladder) - 1)
        shift = (generator.random(num_examples) * self.count[series]).astype(np.int64)
        return self.windows.read(series, self.first[series] + shift)


def trainable(windows: Windows) -> tuple[Int64[np.ndarray, " series"], Int64[np.ndarray, " series"]]:
    """For each series the first step at which a window to learn from stands, and how many there are.

    Such a window has some past, and as much truth as the horizon or, in a short series, as half of it allows.
    """
    panel, horizon = windows.panel, windows.shape.horizon
    length = windows.limit - panel.start
    wanted = np.minimum(horizon, length // 2)
    least = np.minimum(np.minimum(windows.shape.context, max(panel.freq.season, horizon)), length // 2)
    first = panel.start + least
    count = np.where(length >= 2, windows.limit - wanted - first + 1, 0)
    return first, np.maximum(count, 0)


def _before(panel: Panel, column: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """The values of a known column that belong to steps before the cuts."""
    steps = np.arange(len(column)) - np.repeat(panel.known_offsets[:-1], np.diff(panel.known_offsets))
    return column[steps < np.repeat(cut - panel.start, np.diff(panel.known_offsets))]


def _moments(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Mean and deviation of what is finite; a deviation of 1 where there is none."""
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    if not len(finite):
        return 0.0, 1.0
    return float(finite.mean()), float(finite.std()) or 1.0
