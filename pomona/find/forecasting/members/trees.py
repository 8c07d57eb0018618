"""One forest of boosted trees for all series, grown by scikit-learn, kept and asked as arrays.

It forecasts each step directly: the step ahead is a feature. Sizes of series are taken out, unless they are
sales with many zeros: those are forecast as they are, under a Poisson loss.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from pomona.find.forecasting.members.boosting.features import (
    Grid,
    Rows,
    features,
    grid_of,
    level_and_scale,
    windows_of,
)
from pomona.find.forecasting.members.boosting.forest import Forest, forest_of
from pomona.find.forecasting.members.boosting.ratios import (
    Ratios,
    fit_ratios,
    quantiles_around,
    ratio_quantiles,
)
from pomona.find.forecasting.members.spread import never_negative
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, is_intermittent, tail
from pomona.foundation.run import Run

MOST_ROWS = 60_000
MOST_ROWS_OF_SALES = 300_000
MOST_TREES = 200
FEWEST_CUTS, MOST_CUTS, MOST_CELLS = 400, 20_000, 2_500_000
"""Cuts to learn from: as many as series × steps allow."""
HELD = 30
"""Fewer series than this are held out for several horizons: one says little of how far off a forest is."""
MOST_SCALES = 8
"""Targets further from the level of their series than this are drawn in: a few must not rule the trees."""
EVERY = 20
"""Trees between two looks at the steps that were held out."""


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The forest and what its errors were on the last steps, which were held out to find them.

    How many trees there are is found on them too; then, but for sales, the forest is grown again on all.
    """
    history = histories(panel, cut)
    grid = grid_of(history, tail(history, _width(history)))
    is_sales, generator = is_intermittent(history), run.generator("trees")
    most = MOST_ROWS_OF_SALES if is_sales else MOST_ROWS
    width, horizon, num_held = grid.width, panel.horizon, _num_held(grid)
    first = max(2, width - _num_cuts(history) - horizon)
    learn = _drawn(grid, generator, first, width - (num_held + 1) * horizon, most)
    held = _drawn(grid, generator, width - num_held * horizon, width - horizon, most // 4)
    if len(learn.series) < 50 or len(held.series) < 10:
        return Params({}, {"is_empty": True})
    held_rows, held_target = _examples(grid, held, is_sales)
    seed = int(generator.integers(2**31))
    with run.progress("boosted trees", 1 if is_sales else 2, "forests") as progress:
        grown = _grown(*_examples(grid, learn, is_sales), MOST_TREES, is_sales, seed)
        progress.advance(1)
        number = _best_number(grown, held_rows, held_target, is_sales)
        forest = grown.first(number)
        said = _linked(forest.predict(held_rows), is_sales)
        if not is_sales:
            run.check_interrupt()
            everything = _drawn(grid, generator, first, width - 1, most)
            forest = _grown(*_examples(grid, everything, is_sales), number, is_sales, seed)
            progress.advance(1)
    ratios = fit_ratios(said, held_target, held.ahead, is_sales=is_sales)
    arrays = {f"forest/{name}": array for name, array in forest.arrays().items()}
    return Params({**arrays, **ratios.arrays()}, {"is_empty": False, "is_sales": is_sales})


def _grown(rows: np.ndarray, target: np.ndarray, number: int, is_sales: bool, seed: int) -> Forest:
    from sklearn.ensemble import HistGradientBoostingRegressor

    # scikit-learn cannot bin a column without any number; no tree will ask for it
    rows[:, np.isnan(rows).all(axis=0)] = 0
    is_large = len(rows) > MOST_ROWS - 10_000
    model = HistGradientBoostingRegressor(
        loss="poisson" if is_sales else "squared_error",
        learning_rate=0.05 if is_large else 0.07,
        max_iter=number,
        max_leaf_nodes=63 if is_sales else 15,
        min_samples_leaf=100 if is_large else 20,
        l2_regularization=1.0,
        early_stopping=False,  # type: ignore[arg-type]
        random_state=seed,
    )
    return forest_of(model.fit(rows, target), number)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """The forecast of every step of the horizon, and quantiles from the errors of the steps held out."""
    from pomona.find.forecasting.members import naive

    if params.plain["is_empty"]:
        return naive.predict(params, panel, cut)
    history = histories(panel, cut)
    is_sales = bool(params.plain["is_sales"])
    grid = grid_of(history, tail(history, _seen(history) + FEWEST_CUTS))
    shape = (panel.num_series, panel.horizon)
    series, ahead = (part.reshape(-1) for part in np.indices(shape))
    rows = Rows(series, np.full(len(series), grid.width), ahead)
    level, scale = _sizes(grid, rows, is_sales)
    forest = Forest.from_arrays(_part(params.arrays, "forest/"))
    said = _linked(forest.predict(features(grid, rows, level, scale)), is_sales)
    ratios = Ratios.from_arrays(params.arrays)
    floor = np.where(never_negative(history), 0.0, -np.inf)[:, None]
    mean = np.maximum((level + scale * said).reshape(shape), floor)
    if is_sales:
        quantiles, nonzero = ratio_quantiles(ratios, said)
        return Forecast(mean, quantiles.reshape(*shape, -1), nonzero.reshape(shape))
    moved = quantiles_around(ratios, said, ahead)
    quantiles = (level[:, None] + scale[:, None] * moved).reshape(*shape, -1)
    return Forecast(mean, np.maximum(quantiles, floor[..., None]))


def _width(history: Panel) -> int:
    return min(int(history.lengths.max(initial=1)), _seen(history) + _num_cuts(history))


def _seen(history: Panel) -> int:
    """Steps that a row looks back, and what is held out beside."""
    return max(windows_of(history)) + 2 * history.horizon


def _num_cuts(history: Panel) -> int:
    return int(np.clip(MOST_CELLS // max(1, history.num_series), FEWEST_CUTS, MOST_CUTS))


def _num_held(grid: Grid) -> int:
    """Horizons that are held out: one of many series, more of few that are long."""
    wanted = -(-HELD // max(1, grid.panel.num_series))
    return int(np.clip(grid.width // (5 * grid.panel.horizon), 1, wanted))


def _drawn(grid: Grid, generator: np.random.Generator, first: int, last: int, most: int) -> Rows:
    """Cuts from `first` to `last`, which counts, and steps ahead of them that have a value."""
    horizon, width = grid.panel.horizon, grid.width
    first = max(1, last) if last < first else first
    size = grid.panel.num_series * max(0, last - first + 1) * horizon
    if size <= 0 or last < 1:
        return Rows(*[np.zeros(0, np.int64)] * 3)
    flat = np.arange(size) if size <= most else generator.integers(0, size, most)
    series, rest = np.divmod(flat, size // grid.panel.num_series)
    cut, ahead = np.divmod(rest, horizon)
    rows = Rows(series, first + cut, ahead)
    true = grid.values[rows.series, np.minimum(rows.cut + rows.ahead, width - 1)]
    began = rows.cut > width - grid.panel.lengths[rows.series] + 1
    keep = ~np.isnan(true) & began & (rows.cut + rows.ahead < width)
    return Rows(rows.series[keep], rows.cut[keep], rows.ahead[keep])


def _sizes(grid: Grid, rows: Rows, is_sales: bool) -> tuple[np.ndarray, np.ndarray]:
    if is_sales:
        return np.zeros(len(rows.series)), np.ones(len(rows.series))
    return level_and_scale(grid, rows)


def _examples(grid: Grid, rows: Rows, is_sales: bool) -> tuple[np.ndarray, np.ndarray]:
    level, scale = _sizes(grid, rows, is_sales)
    true = grid.values[rows.series, rows.cut + rows.ahead].astype(np.float64)
    seen = features(grid, rows, level, scale)
    if is_sales:
        return seen, np.maximum(true, 0)
    return seen, np.clip((true - level) / scale, -MOST_SCALES, MOST_SCALES)


def _best_number(forest: Forest, rows: np.ndarray, true: np.ndarray, is_sales: bool) -> int:
    """How many trees forecast best what was held out."""
    total, losses = np.full(len(rows), forest.base), {}
    for number in range(EVERY, len(forest.roots) + 1, EVERY):
        total += forest.part(number - EVERY, number).predict(rows)
        error = _linked(total, is_sales) - true
        losses[number] = float((error**2).mean() if is_sales else np.abs(error).mean())
    return min(losses, key=lambda number: losses[number])


def _linked(raw: Float[np.ndarray, " row"], is_sales: bool) -> Float[np.ndarray, " row"]:
    return np.exp(np.minimum(raw, 50)) if is_sales else raw


def _part(arrays: Any, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
