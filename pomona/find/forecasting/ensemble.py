"""Which members forecast together, and with what weight: greedy selection on rolling validation.

Caruana et al. 2004 with replacement; a pick that says something new is preferred to one that says the same
again (Partalas et al. 2010 on why that helps).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from pomona.find.forecasting.problem import QUANTILES, Forecast
from pomona.foundation.errors import DataError

MeanError = Literal["absolute", "squared"]

NUM_PICKS = 20
DIVERSITY = 0.05
"""How much of a member's distance to the ensemble, in units of loss, counts in its favour."""

ADVANTAGE = 0.002
"""An ensemble replaces its best single member only when its loss is lower by this share at least."""


@dataclass(frozen=True)
class Selection:
    """Weights of the chosen members, which add up to 1, the largest first, and what they reach."""

    weights: Mapping[str, float]
    loss: float
    """Mean scaled loss of the weighted forecast; see `losses`."""
    alone: Mapping[str, float]
    """The same of every member by itself."""

    @property
    def is_single(self) -> bool:
        """Whether one member is better alone."""
        return len(self.weights) == 1


def select(
    forecasts: Mapping[str, Sequence[Forecast]],
    truths: Sequence[Float[np.ndarray, "series horizon"]],
    sizes: Sequence[Float[np.ndarray, " series"]],
    *,
    series_weights: Float[np.ndarray, " series"] | None = None,
    by: MeanError = "absolute",
    num_picks: int = NUM_PICKS,
    diversity: float = DIVERSITY,
    reach: float = float("inf"),
) -> Selection:
    """The weighted mean of members with the lowest loss on the origins of a rolling validation.

    `forecasts` has one forecast of each member for each origin, `truths` the values with NaN where there are
    none, `sizes` what errors of a series are divided by, such as its mean seasonal difference; NaN leaves a
    series out. `by` is the error of the mean that counts beside the quantiles: squared where sums of series
    matter, as in sales of which most are zero.

    Picks are made one at a time, with replacement; the best of all means on the way is kept, and one member
    alone where no mean beats it. Members with forecasts that are not finite are never picked, nor are those
    whose loss is more than `reach` times the lowest: what they say is rarely worth a share.
    """
    if not forecasts:
        raise DataError("an ensemble needs at least one member")
    evidence = _evidence(forecasts, truths, sizes, series_weights, by)
    names = [name for name in forecasts if np.isfinite(evidence.stacked[name]).all()]
    if not names:
        raise DataError(f"no member gave finite forecasts: {', '.join(forecasts)}")
    alone = {name: evidence.loss(evidence.stacked[name]) for name in names}
    best_alone = min(names, key=lambda name: alone[name])
    near = [name for name in names if not alone[name] > reach * alone[best_alone]]
    picks, loss = _picked(near, evidence, num_picks, diversity)
    if loss > alone[best_alone] * (1 - ADVANTAGE):
        return Selection({best_alone: 1.0}, alone[best_alone], alone)
    weights = {name: picks.count(name) / len(picks) for name in dict.fromkeys(picks)}
    ranked = dict(sorted(weights.items(), key=lambda item: -item[1]))
    return Selection(ranked, loss, alone)


def steadied(found: Selection, *, reach: float) -> dict[str, float]:
    """Weights half way from those selected to those by the losses of single members, the largest first.

    Few origins say little about small differences, and means of several members err less. Those count whose
    loss is at most `reach` times the lowest, by the inverse of its fourth power; shares below FEWEST_SHARE
    are given to the others. A member that is better alone by more than a tenth stays alone.
    """
    least = min(found.alone.values())
    others = [loss for name, loss in found.alone.items() if name not in found.weights]
    if found.is_single and least < CLEARLY * min(others, default=float("inf")):
        return dict(found.weights)
    prior = {
        n: (least / loss) ** 4 if least > 0 else 1.0
        for n, loss in found.alone.items()
        if loss <= reach * least
    }
    total = sum(prior.values())
    mixed = {n: 0.5 * found.weights.get(n, 0.0) + 0.5 * prior.get(n, 0.0) / total for n in found.alone}
    kept = {name: weight for name, weight in mixed.items() if weight >= FEWEST_SHARE} or mixed
    total = sum(kept.values())
    return {n: weight / total for n, weight in sorted(kept.items(), key=lambda item: -item[1])}


FEWEST_SHARE, CLEARLY = 0.03, 0.9


def combine(forecasts: Mapping[str, Forecast], weights: Mapping[str, float]) -> Forecast:
    """The weighted mean of members' forecasts; the probability not to be zero from those that say it."""
    told = {name: weight for name, weight in weights.items() if forecasts[name].nonzero is not None}
    mean = _weighted({name: forecasts[name].mean for name in weights}, weights)
    quantiles = _weighted({name: forecasts[name].quantiles for name in weights}, weights)
    if not told:
        return Forecast(mean, quantiles)
    return Forecast(mean, quantiles, _weighted({name: forecasts[name].nonzero for name in told}, told))


def _weighted(
    arrays: Mapping[str, np.ndarray | None], weights: Mapping[str, float]
) -> Float[np.ndarray, "series ..."]:
    """The mean of arrays that count as their weights say."""
    parts = [weight * np.asarray(arrays[name], np.float64) for name, weight in weights.items()]
    return np.sum(parts, axis=0) / sum(weights.values())


def losses(
    values: Float[np.ndarray, "step column"],
    truth: Float[np.ndarray, " step"],
    by: MeanError = "absolute",
) -> Float[np.ndarray, " step"]:
    """Loss of each step, given its mean and quantiles as columns, all divided by the size of the series.

    Half the error of the mean, absolute or squared, and the pinball loss, averaged over all levels.
    """
    levels = np.array(QUANTILES)
    error = truth[:, None] - values[:, 1:]
    pinball = 2 * np.maximum(levels * error, (levels - 1) * error).mean(1)
    own = truth - values[:, 0]
    return 0.5 * (np.abs(own) if by == "absolute" else own**2) + 0.5 * pinball


@dataclass(frozen=True)
class _Evidence:
    """All known validation steps of all origins as rows: the mean and quantiles of members, and the truth."""

    stacked: Mapping[str, Float[np.ndarray, "step column"]]
    truth: Float[np.ndarray, " step"]
    weights: Float[np.ndarray, " step"]
    by: MeanError

    def loss(self, values: Float[np.ndarray, "step column"]) -> float:
        return float(self.weights @ losses(values, self.truth, self.by))

    def distance(self, values: Float[np.ndarray, "step column"], others: np.ndarray) -> float:
        return float(self.weights @ np.abs(values - others).mean(1))


def _picked(
    names: Sequence[str], evidence: _Evidence, num_picks: int, diversity: float
) -> tuple[list[str], float]:
    """The picks of the best mean on the way, and its loss."""
    total = np.zeros_like(evidence.stacked[names[0]])
    picks: list[str] = []
    best: tuple[list[str], float] = ([], float("inf"))
    for _ in range(num_picks):
        count = len(picks) + 1
        scores, plain = {}, {}
        for name in names:
            own = evidence.stacked[name]
            plain[name] = evidence.loss((total + own) / count)
            far = evidence.distance(own, total / len(picks)) if picks else 0.0
            scores[name] = plain[name] - diversity * far / count
        chosen = min(names, key=lambda name: scores[name])
        total = total + evidence.stacked[chosen]
        picks = [*picks, chosen]
        if plain[chosen] < best[1]:
            best = (picks, plain[chosen])
    return best


def _evidence(
    forecasts: Mapping[str, Sequence[Forecast]],
    truths: Sequence[np.ndarray],
    sizes: Sequence[np.ndarray],
    series_weights: np.ndarray | None,
    by: MeanError,
) -> _Evidence:
    known = [_known(truth, size) for truth, size in zip(truths, sizes, strict=True)]
    if not any(part.any() for part in known):
        raise DataError("the rolling validation has no step with a known value: use fewer or earlier origins")
    truth = [_rows(t / s[:, None], k) for t, s, k in zip(truths, sizes, known, strict=True)]
    weights = [np.broadcast_to(_row_weights(k, series_weights)[:, None], k.shape)[k] for k in known]
    stacked = {}
    for name, parts in forecasts.items():
        rows = []
        for forecast, size, is_known in zip(parts, sizes, known, strict=True):
            both = np.concatenate([forecast.mean[:, :, None], forecast.quantiles], 2)
            rows.append((both / size[:, None, None])[is_known])
        stacked[name] = np.concatenate(rows).astype(np.float64)
    flat = np.concatenate(weights)
    return _Evidence(stacked, np.concatenate(truth), flat / flat.sum(), by)


def _known(truth: np.ndarray, size: np.ndarray) -> Bool[np.ndarray, "series horizon"]:
    return np.isfinite(truth) & (np.isfinite(size) & (size > 0))[:, None]


def _rows(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    return values[known].astype(np.float64)


def _row_weights(known: np.ndarray, series_weights: np.ndarray | None) -> np.ndarray:
    """Each series counts as its weight says, however many of its steps are known."""
    weights = np.ones(len(known)) if series_weights is None else series_weights
    return weights / np.maximum(known.sum(1), 1)
