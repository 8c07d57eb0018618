"""What counts in a rolling validation: all series, none too much, and sums of them where most are zeros."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow
from jaxtyping import Float, Int

from pomona.find.forecasting.ensemble import NUM_PICKS, MeanError, Selection, select
from pomona.find.forecasting.members import naive
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories, is_intermittent, tail
from pomona.find.forecasting.validation import Origins

ODD = 3.0
"""A series whose seasonal naive errors are so many times the usual ones by its scale counts accordingly less:
one that leapt from nothing would decide alone."""
SEASONS = 16
"""Last seasons whose changes are the scale of a sum."""
FEWEST_EACH = 3
"""Series of a group on average, without which sums say little that series do not."""


@dataclass(frozen=True)
class Judge:
    """Truths, sizes and weights of series, and after them of groups of series, whose sums count as much.

    A value that is missing is missing from the sums of truth and forecast.
    """

    truths: tuple[Float[np.ndarray, "row horizon"], ...]
    sizes: Float[np.ndarray, " row"]
    weights: Float[np.ndarray, " row"]
    groups: tuple[Int[np.ndarray, " series"], ...]
    by: MeanError

    def select(
        self,
        forecasts: Mapping[str, Sequence[Forecast]],
        *,
        num_picks: int = NUM_PICKS,
        reach: float = float("inf"),
    ) -> Selection:
        """The best weighted mean of members; see `ensemble.select`."""
        whole = {
            name: [self._with_sums(one, origin) for origin, one in enumerate(own)]
            for name, own in forecasts.items()
        }
        sizes = [self.sizes] * len(self.truths)
        return select(
            whole,
            self.truths,
            sizes,
            series_weights=self.weights,
            by=self.by,
            num_picks=num_picks,
            reach=reach,
        )

    def _with_sums(self, forecast: Forecast, origin: int) -> Forecast:
        """With the sums of each group as further rows; of a sum nothing but the mean is known."""
        if not self.groups:
            return forecast
        known = np.isfinite(self.truths[origin][: len(forecast.mean)])
        sums = np.concatenate([_sums(np.where(known, forecast.mean, 0.0), group) for group in self.groups])
        same = np.repeat(sums[..., None], forecast.quantiles.shape[-1], axis=2)
        mean = np.concatenate([forecast.mean, sums])
        return Forecast(mean, np.concatenate([forecast.quantiles, same]))


def judge_of(panel: Panel, origins: Origins) -> Judge:
    """The judge of forecasts made at these origins."""
    has_zeros = is_intermittent(panel)
    groups = groups_of(panel) if has_zeros else ()
    weights, sizes = _weights(panel, origins), origins.scale
    share = weights.sum() / max(1, len(groups))
    recent = np.nan_to_num(tail(histories(panel, origins.cuts[0]), SEASONS * max(panel.freq.season, 2)))
    for group in groups:
        total = _sums(recent, group)
        changes = np.abs(total[:, panel.freq.season :] - total[:, : -panel.freq.season]).mean(axis=1)
        sizes = np.concatenate([sizes, np.where(changes > 0, changes, np.nan)])
        weights = np.concatenate([weights, np.full(len(total), share / len(total))])
    truths = tuple(
        np.concatenate([true, *(_sums(np.nan_to_num(true), group) for group in groups)])
        for true in origins.truths
    )
    return Judge(truths, sizes, weights, groups, "squared" if has_zeros else "absolute")


def groups_of(panel: Panel) -> tuple[Int[np.ndarray, " series"], ...]:
    """A number for each series: all as one group, then by each column that names series or categories."""
    if panel.num_series < 2 * FEWEST_EACH:
        return ()
    columns = [np.zeros(panel.num_series, np.int64)]
    for name in panel.keys.column_names:
        column = panel.keys.column(name).cast(pyarrow.string()).combine_chunks()
        columns.append(np.asarray(column.dictionary_encode().indices))
    columns += [column for name, column in panel.static.items() if name in panel.levels]
    coded = [np.unique(column, return_inverse=True)[1] for column in columns]
    few = [code for code in coded if int(code.max()) + 1 <= panel.num_series // FEWEST_EACH]
    kept = {code.tobytes(): code for code in few}
    return tuple(kept.values())


def _weights(panel: Panel, origins: Origins) -> Float[np.ndarray, " series"]:
    """1 for most series, less for those that nothing could have forecast."""
    total, known = np.zeros(panel.num_series), np.zeros(panel.num_series)
    for cut, true in zip(origins.cuts, origins.truths, strict=True):
        said = naive.predict(Params({}), histories(panel, cut), cut).mean
        error = np.abs(said - true) / origins.scale[:, None]
        total += np.nan_to_num(error).sum(axis=1)
        known += np.isfinite(error).sum(axis=1)
    usual = total / np.maximum(known, 1)
    middle = float(np.median(usual[known > 0])) if known.any() else 0.0
    return np.minimum(1.0, ODD * middle / np.maximum(usual, 1e-12)) if middle > 0 else np.ones(len(usual))


def _sums(values: Float[np.ndarray, "series time"], group: Int[np.ndarray, " series"]) -> np.ndarray:
    """Sums over the series of each group."""
    total = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(total, group, values)
    return total
