"""Hierarchies: sums of series as series of their own, and forecasts of all that add up.

Minimum trace (Wickramasuriya, Athanasopoulos, Hyndman 2019): of all forecasts that add up, those nearest to
the given ones, where a difference counts the less the larger the errors of a series were. Their covariance
comes from the validation windows, shrunk towards its diagonal (Schäfer, Strimmer 2005).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.linalg import spsolve

from pomona.find.forecasting.problem import Forecast, Panel
from pomona.foundation.errors import DataError, SettingError, unknown_name

ALL = "(all)"
"""What stands in a key column over which a series is a sum."""
MOST_DENSE = 1500
"""More series than this are reconciled by their variances alone."""


@dataclass(frozen=True)
class Hierarchy:
    """The rows of `sums` are nodes, single series first; each column is a single series."""

    sums: Any
    """Sparse: 1 where a node holds a series."""
    keys: pyarrow.Table

    @property
    def num_single(self) -> int:
        """How many series are no sums."""
        return self.sums.shape[1]


def hierarchy_columns(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a/b/c. Raises SettingError unless they are key columns, each once, and all of them."""
    columns = tuple(part.strip() for part in text.split("/") if part.strip())
    for column in columns:
        if column not in names:
            raise unknown_name("series column for the hierarchy", column, names)
    missing = [name for name in names if name not in columns]
    if missing or len(set(columns)) < len(columns):
        raise SettingError(
            f"--hierarchy {text} must name each series column once, widest first; "
            + (f"it lacks {missing[0]!r}" if missing else "one stands there twice")
        )
    return columns


def hierarchy_of(keys: pyarrow.Table, columns: tuple[str, ...]) -> Hierarchy:
    """The single series, then the sums of each level, from the narrowest to the total."""
    texts = {name: keys.column(name).cast(pyarrow.string()).to_pylist() for name in keys.column_names}
    rows = [sparse.identity(keys.num_rows, format="csr")]
    nodes = {name: list(own) for name, own in texts.items()}
    seen = {tuple(range(keys.num_rows))}
    for depth in range(len(columns) - 1, -1, -1):
        groups: dict[tuple[str, ...], list[int]] = {}
        for series in range(keys.num_rows):
            groups.setdefault(tuple(texts[name][series] for name in columns[:depth]), []).append(series)
        for group, members in groups.items():
            if len(members) == 1 or (tuple(members) in seen and depth):
                continue
            seen.add(tuple(members))
            row = sparse.csr_matrix(
                (np.ones(len(members)), ([0] * len(members), members)), (1, keys.num_rows)
            )
            rows.append(row)
            named = dict(zip(columns, group, strict=False))
            for name in texts:
                nodes[name].append(named.get(name, ALL))
    return Hierarchy(sparse.vstack(rows, format="csr"), pyarrow.table(nodes))


def with_sums(panel: Panel, hierarchy: Hierarchy) -> Panel:
    """The panel with the sums as further series; all end where the last one does.

    A sum counts the series that have begun; it is missing where none of its series has a value.
    """
    if not panel.num_series:
        raise DataError("a hierarchy needs series")
    end, first = int(panel.ends.max()), int(panel.start.min())
    single = _dense(panel, first, end)
    real = (~np.isnan(single)).astype(np.float64)
    total = hierarchy.sums @ np.where(real > 0, single, 0)
    count = hierarchy.sums @ real
    values = np.where(count > 0, total, np.nan)
    member_start = np.where(panel.lengths > 0, panel.start, end)
    start = np.array([int(member_start[row.indices].min()) for row in _rows(hierarchy)], np.int64)
    lengths = end - start
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    flat = np.concatenate([values[node, at - first :] for node, at in enumerate(start)])
    whole = replace(
        panel,
        keys=hierarchy.keys,
        start=start,
        offsets=offsets,
        values=flat.astype(np.float32),
        static={name: _static(panel, name, hierarchy) for name in panel.static},
        known={},
        position=None,
    )
    return replace(whole, known={name: _known(panel, whole, name, hierarchy) for name in panel.known})


def covariance(errors: Float[np.ndarray, "node sample"]) -> Float[np.ndarray, "node ..."]:
    """The shrunk covariance of errors, NaN as 0; their variances alone where there are many nodes."""
    filled = np.nan_to_num(errors.astype(np.float64))
    variance = (filled**2).mean(axis=1)
    variance = np.maximum(variance, 1e-6 * max(float(variance.mean()), 1e-12))
    if len(filled) > MOST_DENSE or filled.shape[1] < 3:
        return variance
    scaled = filled / np.sqrt(variance)[:, None]
    number = scaled.shape[1]
    correlation = scaled @ scaled.T / number
    spread = (scaled**2) @ (scaled**2).T / number - correlation**2
    off = ~np.eye(len(filled), dtype=bool)
    share = float(
        np.clip(spread[off].sum() / number / max(float((correlation[off] ** 2).sum()), 1e-12), 0.02, 1)
    )
    shrunk = (1 - share) * correlation
    np.fill_diagonal(shrunk, 1.0)
    return shrunk * np.sqrt(variance[:, None] * variance[None])


def reconciled(
    forecast: Forecast,
    hierarchy: Hierarchy,
    errors: Float[np.ndarray, "node ..."],
    *,
    is_nonnegative: bool,
) -> Forecast:
    """The forecast whose means add up; quantiles move with their means. `errors` is what `covariance` gave.

    Where nothing is below 0, single series are kept from it, and sums are theirs.
    """
    single = _single(forecast.mean, hierarchy, errors)
    if is_nonnegative:
        single = np.maximum(single, 0)
    mean = hierarchy.sums @ single
    quantiles = forecast.quantiles + (mean - forecast.mean)[..., None]
    return replace(forecast, mean=mean, quantiles=np.maximum(quantiles, 0) if is_nonnegative else quantiles)


def _single(
    mean: Float[np.ndarray, "node horizon"], hierarchy: Hierarchy, errors: np.ndarray
) -> Float[np.ndarray, "single horizon"]:
    """The single series that, summed, are nearest to all forecasts."""
    sums = hierarchy.sums
    if errors.ndim == 1:
        weighted = sums.T @ sparse.diags(1 / errors)
        found = spsolve((weighted @ sums).tocsc(), weighted @ mean)
        return np.asarray(found).reshape(hierarchy.num_single, -1)
    weighted = np.linalg.solve(errors, sums.toarray()).T
    return np.linalg.solve(weighted @ sums.toarray(), weighted @ mean)


def _dense(panel: Panel, first: int, end: int) -> Float[np.ndarray, "series time"]:
    grid = np.full((panel.num_series, end - first), np.nan)
    series = np.repeat(np.arange(panel.num_series), panel.lengths)
    within = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths)
    grid[series, within + (panel.start - first)[series]] = panel.values
    return grid


def _rows(hierarchy: Hierarchy) -> list[Any]:
    return [hierarchy.sums.getrow(node) for node in range(hierarchy.sums.shape[0])]


def _static(panel: Panel, name: str, hierarchy: Hierarchy) -> Int[np.ndarray, " node"] | np.ndarray:
    """A column of the nodes: the value that all series of a node share, else unknown."""
    column = panel.static[name]
    unknown = -1 if name in panel.levels else np.nan
    shared = [column[row.indices] for row in _rows(hierarchy)]
    found = [own[0] if (own == own[0]).all() else unknown for own in shared]
    return np.array(found, column.dtype)


def _known(panel: Panel, whole: Panel, name: str, hierarchy: Hierarchy) -> np.ndarray:
    """A column known ahead: as it is for single series, for sums the mean of the series that have a value."""
    first, end = int(panel.start.min()), int(whole.ends.max()) + panel.horizon
    grid = np.full((panel.num_series, end - first), np.nan)
    for series in range(panel.num_series):
        own = panel.known[name][panel.known_offsets[series] : panel.known_offsets[series + 1]]
        at = int(panel.start[series]) - first
        grid[series, at : at + len(own)] = own[: end - first - at]
    real = ~np.isnan(grid)
    number = hierarchy.sums @ real.astype(np.float64)
    mean = np.where(number > 0, hierarchy.sums @ np.where(real, grid, 0) / np.maximum(number, 1), np.nan)
    rows = [mean[node, at - first :] for node, at in enumerate(whole.start)]
    return np.concatenate(rows).astype(np.float32)


def errors_of(errors: np.ndarray, position: Int[np.ndarray, " node"]) -> np.ndarray:
    """The errors of some nodes out of those of all; the mean for one that was not there (position −1)."""
    rows = np.maximum(position, 0)
    if errors.ndim == 2 and (position >= 0).all():
        return errors[np.ix_(rows, rows)]
    variance = errors if errors.ndim == 1 else np.diag(errors)
    return np.where(position >= 0, variance[rows], variance.mean())
