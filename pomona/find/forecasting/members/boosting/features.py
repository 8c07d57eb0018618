"""What a tree sees of a step ahead: lags, means, the season, the calendar, and columns that explain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from pomona.find.forecasting.calendar import calendar_columns, wall_times
from pomona.find.forecasting.problem import Panel

MOST_LAGS = 8
MOST_LEVELS = 300
"""Categories with more levels are left out: hardly any series would share one."""
SAME_PHASE = 4


@dataclass(frozen=True)
class Rows:
    """Pairs of a cut and a step ahead, by series."""

    series: Int64[np.ndarray, " row"]
    cut: Int64[np.ndarray, " row"]
    """Column of the grid that is the first unknown one."""
    ahead: Int64[np.ndarray, " row"]
    """0 is the cut itself."""


@dataclass(frozen=True)
class Grid:
    """The last steps of all series side by side, with running sums, so that a mean costs nothing."""

    panel: Panel
    values: Float32[np.ndarray, "series time"]
    sums: np.ndarray
    counts: np.ndarray
    squares: np.ndarray
    nonzero: np.ndarray
    since: np.ndarray
    """Steps since the last value that was not 0, at each column."""

    @property
    def width(self) -> int:
        """Columns of the grid; the last one is the last step of each series."""
        return self.values.shape[1]


def grid_of(history: Panel, values: Float32[np.ndarray, "series time"]) -> Grid:
    """The grid of right-aligned values."""
    real = ~np.isnan(values)
    plain = np.where(real, values, 0).astype(np.float64)
    before = np.zeros((len(values), 1))
    columns = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(real & (plain != 0), columns, -1), axis=1)
    return Grid(
        history,
        values,
        np.concatenate([before, np.cumsum(plain, axis=1)], axis=1),
        np.concatenate([before, np.cumsum(real, axis=1)], axis=1),
        np.concatenate([before, np.cumsum(plain**2, axis=1)], axis=1),
        np.concatenate([before, np.cumsum(real & (plain != 0), axis=1)], axis=1),
        np.concatenate([before, columns - last], axis=1),
    )


def windows_of(panel: Panel) -> tuple[int, ...]:
    """Lengths of the means: seasons and multiples of them."""
    short = panel.freq.season if panel.freq.season > 1 else 4
    long = max(panel.freq.seasons, default=short)
    return tuple(sorted({max(2, short // 2), short, 2 * short, 4 * short, long, 4 * long}))


def level_and_scale(grid: Grid, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the values before each cut, over two seasons; 0 and 1 where there are none."""
    window = 2 * max(grid.panel.freq.season, 4)
    mean = _mean(grid.sums, grid.counts, rows, window)
    square = _mean(grid.squares, grid.counts, rows, 2 * window)
    middle = _mean(grid.sums, grid.counts, rows, 2 * window)
    deviation = np.sqrt(np.maximum(square - middle**2, 0))
    level = np.where(np.isnan(mean), 0.0, mean)
    floor = 1e-3 * np.abs(level) + 1e-9
    return level, np.where(np.isnan(deviation) | (deviation < floor), np.maximum(floor, 1e-6), deviation)


def features(
    grid: Grid, rows: Rows, level: np.ndarray, scale: np.ndarray
) -> Float32[np.ndarray, "row feature"]:
    """The features of rows; values of the series are less `level` and by `scale`. NaN where there are none.

    Nothing of a column at or after the cut is read, but for what is known ahead.
    """
    panel, columns = grid.panel, []

    def scaled(values: np.ndarray) -> np.ndarray:
        return (values - level) / scale

    columns.append(rows.ahead)
    lags = min(MOST_LAGS, max(3, panel.freq.season))
    columns += [scaled(_value(grid, rows.series, rows.cut - lag)) for lag in range(1, lags + 1)]
    for season in panel.freq.seasons or (1,):
        columns += _same_phase(grid, rows, season, scaled)
    for window in windows_of(panel):
        columns.append(scaled(_mean(grid.sums, grid.counts, rows, window)))
    window = max(panel.freq.season, 4)
    last = _mean(grid.sums, grid.counts, rows, window)
    earlier = Rows(rows.series, rows.cut - window, rows.ahead)
    columns.append((last - _mean(grid.sums, grid.counts, earlier, window)) / scale)
    columns.append(_mean(grid.nonzero, grid.counts, rows, 4 * window))
    columns.append(np.where(rows.cut > 0, grid.since[rows.series, np.maximum(rows.cut, 0)], np.nan))
    columns.append(np.log1p(np.abs(level) / scale))
    length = panel.lengths[rows.series] - (grid.width - rows.cut)
    columns.append(np.log1p(np.maximum(length, 0)))
    columns += _explained(grid, rows)
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _same_phase(grid: Grid, rows: Rows, season: int, scaled) -> list[np.ndarray]:  # type: ignore[no-untyped-def]
    """Values a whole number of seasons before the step, and their mean."""
    back = (rows.ahead // season + 1) * season
    found = [
        _value(grid, rows.series, rows.cut + rows.ahead - back - number * season)
        for number in range(SAME_PHASE)
    ]
    stacked = np.stack(found)
    real = ~np.isnan(stacked)
    total = np.where(real, stacked, 0).sum(axis=0)
    mean = np.where(real.any(axis=0), total / np.maximum(real.sum(axis=0), 1), np.nan)
    return [scaled(one) for one in (*found[:3], mean)]


def _explained(grid: Grid, rows: Rows) -> list[np.ndarray]:
    panel = grid.panel
    step = panel.ends[rows.series] - grid.width + rows.cut + rows.ahead
    columns = list(calendar_columns(panel.freq, _times(panel, step)).values())
    for column in panel.known.values():
        now, before = _known(grid, column, rows, rows.ahead), _known(grid, column, rows, -1)
        columns += [now, now - before, now / np.where(before == 0, np.nan, before)]
    for name, column in panel.static.items():
        if len(panel.levels.get(name, ())) <= MOST_LEVELS:
            plain = column.astype(np.float32)
            columns.append(
                np.where(plain < 0, np.nan, plain)[rows.series]
                if name in panel.levels
                else plain[rows.series]
            )
    return columns


def _times(panel: Panel, steps: np.ndarray) -> np.ndarray:
    """Wall times, worked out once for each different step."""
    first = int(steps.min(initial=0))
    span = np.arange(first, int(steps.max(initial=0)) + 1)
    return wall_times(panel, span)[steps - first]


def _known(grid: Grid, column: np.ndarray, rows: Rows, ahead: np.ndarray | int) -> np.ndarray:
    panel = grid.panel
    place = panel.lengths[rows.series] - grid.width + rows.cut + ahead
    fits = (place >= 0) & (place < panel.lengths[rows.series] + panel.horizon)
    places = np.where(fits, panel.known_offsets[:-1][rows.series] + place, 0)
    return np.where(fits, column[places], np.nan)


def _value(grid: Grid, series: np.ndarray, column: np.ndarray) -> np.ndarray:
    inside = column >= 0
    return np.where(inside, grid.values[series, np.where(inside, column, 0)], np.nan)


def _mean(sums: np.ndarray, counts: np.ndarray, rows: Rows, window: int) -> np.ndarray:
    end, begin = np.maximum(rows.cut, 0), np.maximum(rows.cut - window, 0)
    number = counts[rows.series, end] - counts[rows.series, begin]
    total = sums[rows.series, end] - sums[rows.series, begin]
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
