"""What a search for forecasting networks may choose, and what it starts from."""

from dataclasses import dataclass

import numpy as np

from pomona.find.forecasting.problem import ZEROS, Panel
from pomona.fit.trials.space import Choice, Float, Point, Space
from pomona.networks.forecaster import DECODERS, ENCODERS, SHORTCUTS

CONTEXTS = ("short", "medium", "long")
"""Lengths of past by name, so that a network chosen on a part of the history reads more of a longer one."""

LONGEST_CONTEXT = 720
YEARLY_LAGS = {"day": 364}
"""Whole weeks nearest to a year, so that weekdays stand below weekdays."""


@dataclass(frozen=True)
class Sight:
    """What there is to see in a panel: it decides which choices make sense."""

    contexts: tuple[int, ...]
    """Lengths of past to choose from, short to long."""
    horizon: int
    season: int
    """The shortest season, 1 where there is none."""
    lags: tuple[int, ...]
    """Seasons whose earlier values networks may read."""
    is_count: bool
    """Whole numbers from 0 on."""
    is_nonnegative: bool
    share_zero: float
    """Share of known values that are 0."""
    num_series: int
    has_static: bool

    def context(self, name: str) -> int:
        """Steps of a past that is short, medium or long for these series."""
        place = {"short": 0, "medium": len(self.contexts) // 2, "long": -1}[name]
        return self.contexts[place]

    @property
    def is_intermittent(self) -> bool:
        """Whether many values are zero and none is below: then sums of series are what matters."""
        return self.is_nonnegative and self.share_zero > ZEROS


def sight_of(panel: Panel, cut: np.ndarray) -> Sight:
    """What there is to see before the cut."""
    kept = np.clip(cut, panel.start, panel.ends) - panel.start
    values = _sample(panel, kept)
    known = values[np.isfinite(values)]
    is_nonnegative = bool(len(known) > 0 and known.min() >= 0)
    is_whole = bool(len(known) > 0 and (known == np.round(known)).all())
    share = float((known == 0).mean()) if len(known) else 0.0
    usual = int(np.quantile(kept, 0.75)) if len(kept) else 0
    return Sight(
        _contexts(panel, usual),
        panel.horizon,
        panel.freq.season,
        _lags(panel, usual),
        is_nonnegative and is_whole and float(np.median(known)) < 100,
        is_nonnegative,
        share,
        panel.num_series,
        bool(panel.static),
    )


def forecasting_space(sight: Sight) -> Space:
    """All points that a search may try for what it sees."""
    laws = ("quantile", "huber", "squared")
    if sight.is_nonnegative:
        laws += ("tweedie",)
    if sight.is_count:
        laws += ("negative-binomial",)
    if sight.is_nonnegative and sight.share_zero > 0.02:
        laws += ("zero-inflated",)
    has_season = sight.season > 1
    seasonal = has_season and sight.contexts[0] > 2 * sight.season
    scalings = ("mean", "standard", "robust") + (("difference",) if seasonal else ())
    return Space(
        {
            "encoder": Choice(ENCODERS),
            "decoder": Choice(DECODERS),
            "width": Choice((32, 64, 128)),
            "depth": Choice((1, 2, 3)),
            "dropout": Choice((0.0, 0.1, 0.2)),
            "shortcut": Choice(SHORTCUTS if has_season else ("none", "linear")),
            "gated": Choice((False, True)),
            "context": Choice(CONTEXTS),
            "lags": Choice((False, True) if sight.lags else (False,)),
            "scaling": Choice(scalings),
            "logarithm": Choice((False, True)),
            "law": Choice(laws),
            "knows_series": Choice((False, True) if sight.num_series > 1 else (False,)),
            "tells_level": Choice((False, True) if sight.is_nonnegative else (False,)),
            "weighting": Choice(("even", "root", "size")),
            "learning_rate": Float(3e-4, 1e-2, log=True),
            "weight_decay": Choice((0.0, 1e-3, 1e-2)),
            "batch_size": Choice((128, 256, 512)),
            "length": Choice((0.5, 1.0, 2.0)),
        }
    )


def starting_points(sight: Sight) -> list[Point]:
    """Points of the space that are good on many panels, quick ones first; no two alike."""
    space = forecasting_space(sight)
    usual: Point = {
        "encoder": "dense",
        "decoder": "dense",
        "width": 64,
        "depth": 1,
        "dropout": 0.1,
        "shortcut": "linear",
        "gated": False,
        "context": "medium",
        "lags": bool(sight.lags),
        "scaling": "mean" if sight.is_nonnegative else "standard",
        "logarithm": False,
        "law": "quantile",
        "knows_series": False,
        "tells_level": False,
        "weighting": "even",
        "learning_rate": 2e-3,
        "weight_decay": 1e-3,
        "batch_size": 256,
        "length": 1.0,
    }
    if sight.is_intermittent:
        usual |= {"law": "zero-inflated", "tells_level": True, "weighting": "root"}
        changes = [{**change, **({"context": "long"} if "encoder" in change else {})} for change in OF_SALES]
    else:
        changes = [{**change, **({"context": "long"} if "scaling" in change else {})} for change in OF_VALUES]
    points = [{**usual, **change} for change in changes]
    return [point for point in _distinct(points, space) if space.contains(point)]


OF_VALUES: tuple[Point, ...] = (
    {},
    {"encoder": "multi-rate", "scaling": "standard"},
    {"scaling": "difference"},
    {"encoder": "multi-rate", "length": 0.5},
    {"encoder": "none", "shortcut": "both", "scaling": "standard"},
    {"scaling": "robust", "law": "huber"},
    {"encoder": "dilated", "width": 32},
    {"encoder": "attention", "scaling": "standard"},
    {"encoder": "gru", "decoder": "gru", "width": 32},
    {"encoder": "multi-rate", "decoder": "attention", "scaling": "standard"},
)
"""Starts where values are seldom zero, as changes of the usual one."""

OF_SALES: tuple[Point, ...] = (
    {},
    {"law": "squared", "weighting": "size"},
    {"encoder": "multi-rate"},
    {"law": "tweedie", "width": 128},
    {"law": "negative-binomial", "logarithm": True},
    {"encoder": "dilated", "width": 32},
    {"encoder": "gru", "decoder": "gru", "width": 32},
    {"decoder": "attention", "weighting": "even"},
)
"""The same where many values are zero."""


def _distinct(points: list[Point], space: Space) -> list[Point]:
    return list({space.key(point): point for point in points}.values())


def _contexts(panel: Panel, usual: int) -> tuple[int, ...]:
    """Three lengths of past, each about twice the one before, whole seasons long where there are seasons."""
    season, horizon = panel.freq.season, panel.horizon
    longest = max((s for s in panel.freq.seasons if s <= LONGEST_CONTEXT // 2), default=season)
    short = max(3 * season, horizon, 8)
    wanted = (short, max(2 * short, longest), max(4 * short, 2 * longest))
    most = max(min(LONGEST_CONTEXT, usual - horizon // 2), min(short, 8))
    lengths = [_whole(min(length, most), season) for length in wanted]
    return tuple(sorted(set(lengths)))


def _whole(length: int, season: int) -> int:
    return max(season * (length // season), min(length, 8), 2)


def _lags(panel: Panel, usual: int) -> tuple[int, ...]:
    seasons = [*panel.freq.seasons]
    if panel.freq.multiple == 1 and panel.freq.unit in YEARLY_LAGS:
        seasons.append(YEARLY_LAGS[panel.freq.unit])
    return tuple(season for season in seasons if usual >= 1.5 * season)


def _sample(panel: Panel, kept: np.ndarray) -> np.ndarray:
    """Some values before the cut: at most 200 of each of 500 series, the latest ones."""
    series = np.linspace(0, panel.num_series - 1, min(panel.num_series, 500)).astype(int)
    parts = []
    for index in np.unique(series) if panel.num_series else []:
        end = panel.offsets[index] + kept[index]
        parts.append(panel.values[max(panel.offsets[index], end - 200) : end])
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
