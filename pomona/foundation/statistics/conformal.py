"""Split conformal prediction: sets and intervals that hold the truth as often as they say.

The guarantee: where calibration examples and a new one are exchangeable (same source, independent of each
other and of training), the new truth is inside with chance >= coverage, and <= coverage + 1 / (n + 1) when no
two scores are equal (Vovk et al. 2005; Angelopoulos and Bates 2023, theorem 1). It holds on average over
examples, not for each class or region. Examples that chose the weights (early stopping, search) weaken it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from pomona.foundation.errors import DataError, SettingError, unknown_name
from pomona.foundation.statistics.interval import check_level

Score = Literal["least-ambiguous", "adaptive", "residual", "normalised"]


@dataclass(frozen=True)
class Conformal:
    """What calibration examples said: enough for `prediction_set` or `prediction_interval`.

    score            for      a truth is strange by
    least-ambiguous  classes  1 - its probability: the smallest sets on average (Sadinle et al. 2019)
    adaptive         classes  the probability of all likelier classes, plus by lot a part of its own: larger
                              sets where it is harder (Romano et al. 2020)
    residual         numbers  its distance from the prediction
    normalised       numbers  that distance by a given difficulty: wider intervals where it is harder
    """

    score: Score
    coverage: float
    quantiles: tuple[float, ...]
    """The largest strangeness that is inside: one for classes, one for each number of a target, which is
    covered by itself. Infinite where the examples are too few for the coverage: all is inside then."""
    num_examples: int
    is_randomised: bool = False
    """Adaptive only: by lot, which makes the coverage exact; without, it is higher and no set is empty."""

    def __post_init__(self) -> None:
        if self.score not in get_args(Score):
            raise unknown_name("conformal score", self.score, get_args(Score))

    def to_json(self) -> dict[str, Any]:
        """As plain data; an infinite quantile is null."""
        return {**asdict(self), "quantiles": [q if math.isfinite(q) else None for q in self.quantiles]}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Conformal":
        """What `to_json` wrote."""
        quantiles = tuple(math.inf if q is None else float(q) for q in plain["quantiles"])
        return Conformal(**{**plain, "quantiles": quantiles})


def conformal_classes(
    probabilities: Float[np.ndarray, "batch classes"],
    target: Int[np.ndarray, " batch"],
    *,
    coverage: float = 0.9,
    score: Literal["least-ambiguous", "adaptive"] = "least-ambiguous",
    generator: np.random.Generator | None = None,
) -> Conformal:
    """What held-out examples say of the probabilities of classes.

    With a `generator` adaptive sets are randomised.
    """
    if score not in ("least-ambiguous", "adaptive"):
        raise SettingError(f"classes have the scores 'least-ambiguous' and 'adaptive', got {score!r}")
    if generator is not None and score != "adaptive":
        raise SettingError("only the adaptive score is randomised: leave the generator out")
    strangeness = _strangeness(score, probabilities, generator)
    own = strangeness[np.arange(len(target)), target][:, None]
    return Conformal(score, coverage, _quantiles(own, coverage), len(target), generator is not None)


def conformal_numbers(
    prediction: Float[np.ndarray, "batch ..."],
    target: Float[np.ndarray, "batch ..."],
    *,
    coverage: float = 0.9,
    difficulty: Float[np.ndarray, "batch ..."] | None = None,
) -> Conformal:
    """What held-out examples say of predicted numbers, each number by itself.

    `difficulty` (above 0, in the prediction's shape), say the spread of an ensemble, scales the intervals.
    """
    wrong = np.abs(prediction.astype(np.float64) - target)
    if difficulty is not None:
        wrong = wrong / _checked_difficulty(difficulty, prediction)
    quantiles = _quantiles(wrong.reshape(len(wrong), -1), coverage)
    return Conformal("residual" if difficulty is None else "normalised", coverage, quantiles, len(wrong))


def prediction_set(
    conformal: Conformal,
    probabilities: Float[np.ndarray, "batch classes"],
    *,
    generator: np.random.Generator | None = None,
) -> Bool[np.ndarray, "batch classes"]:
    """Which classes are in the set of each example. A set may be empty: then every class is strange."""
    if conformal.score not in ("least-ambiguous", "adaptive"):
        raise SettingError(f"the conformal score {conformal.score} gives intervals, not sets of classes")
    if conformal.is_randomised != (generator is not None):
        wanted = "randomised: give" if conformal.is_randomised else "not randomised: leave out"
        raise SettingError(f"this conformal calibration is {wanted} the generator")
    return _strangeness(conformal.score, probabilities, generator) <= conformal.quantiles[0]


def prediction_interval(
    conformal: Conformal,
    prediction: Float[np.ndarray, "batch ..."],
    *,
    difficulty: Float[np.ndarray, "batch ..."] | None = None,
) -> tuple[Float[np.ndarray, "batch ..."], Float[np.ndarray, "batch ..."]]:
    """The lower and upper ends of the interval of each number, infinite where there were too few examples."""
    if conformal.score not in ("residual", "normalised"):
        raise SettingError(f"the conformal score {conformal.score} gives sets of classes, not intervals")
    if (conformal.score == "normalised") != (difficulty is not None):
        raise SettingError("give a difficulty exactly where the calibration had one")
    half = np.reshape(conformal.quantiles, prediction.shape[1:])
    if difficulty is not None:
        half = half * _checked_difficulty(difficulty, prediction)
    return prediction - half, prediction + half


def _strangeness(
    score: str, probabilities: Float[np.ndarray, "batch classes"], generator: np.random.Generator | None
) -> Float[np.ndarray, "batch classes"]:
    values = probabilities.astype(np.float64)
    if score == "least-ambiguous":
        return 1 - values
    order = np.argsort(-values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    lot = 0.0 if generator is None else generator.uniform(size=(len(values), 1))
    above = np.cumsum(ranked, axis=1) - ranked
    strangeness = np.empty_like(values)
    np.put_along_axis(strangeness, order, above + lot * ranked, axis=1)
    return strangeness


def _quantiles(strangeness: Float[np.ndarray, "batch number"], coverage: float) -> tuple[float, ...]:
    """The k-th smallest of each column, k = ceil((n + 1) coverage); infinite where k > n."""
    check_level(coverage)
    num_examples = len(strangeness)
    if not num_examples or not np.isfinite(strangeness).all():
        raise DataError(
            f"conformal calibration needs finite predictions of some examples, got {num_examples}"
        )
    # a product such as 10 × 0.9 must not be 9.000000000000002
    rank = math.ceil(round((num_examples + 1) * coverage, 9))
    if rank > num_examples:
        return (math.inf,) * strangeness.shape[1]
    return tuple(np.partition(strangeness, rank - 1, axis=0)[rank - 1].tolist())


def _checked_difficulty(difficulty: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    if difficulty.shape != prediction.shape or not (np.isfinite(difficulty) & (difficulty > 0)).all():
        raise DataError(
            f"difficulty must be finite, above 0 and of shape {prediction.shape}, got {difficulty.shape}; "
            "add a small constant where it can be 0"
        )
    return difficulty
