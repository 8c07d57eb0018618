"""What is found of each stress: mean, spread, ratio, test, and the relation to the clean score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.statistics import holm
from pomona.question.stress.statistics.ratio import Ratio, Spread, p_value, ratio, spread
from pomona.question.stress.statistics.resamples import Resamples

ALPHA = 0.05
"""Chance that any stress is called underspecified where none is."""


@dataclass(frozen=True)
class Finding:
    """One stress beside the clean examples. Deviations are over models, in the unit of the score."""

    name: str
    num_examples: int
    mean: float
    sd: float
    """As it is seen."""
    seed_sd: float
    """That the seed decides; 0 where no more is seen than the luck of the examples gives."""
    noise_sd: float
    """That the luck of the examples gives."""
    ratio: Ratio
    """The seed deviation by that of the clean score."""
    scaled_ratio: float | None
    """The same on the logit scale, for errors relative to their mean: a score near one half spreads more than
    one near 1, an error that is larger more than a small one, without any seed deciding more."""
    p: float
    """Of the ratio being 1 or less on either scale."""
    p_adjusted: float
    """By Holm, for having asked of so many stresses."""
    spearman: float | None
    """The rank correlation over models with the clean score; None where a score is the same for all."""
    spearman_interval: tuple[float, float] | None

    @property
    def is_underspecified(self) -> bool:
        """Whether the seed decides more here than the clean score shows, at the level ALPHA over all."""
        return self.p_adjusted <= ALPHA


def findings(
    clean: Float[np.ndarray, "member batch"],
    stresses: Mapping[str, Float[np.ndarray, "member stress_batch"]],
    pairs: Mapping[str, Int[np.ndarray, " stress_batch"] | None],
    resamples: Resamples,
    *,
    is_share: bool,
) -> list[Finding]:
    """One finding a stress; `pairs` holds the positions of the clean examples a stress was made from."""
    base = spread(clean, resamples.models, resamples.examples, is_share=is_share)
    found = []
    for name, values in stresses.items():
        examples = resamples.of(name, values.shape[1], pairs.get(name))
        other = spread(values, resamples.models, examples, is_share=is_share)
        found.append(
            _finding(name, values.shape[1], base, other, clean_means=clean.mean(1), means=values.mean(1))
        )
    return _adjusted(found)


def correlation(
    first: Float[np.ndarray, " member"], second: Float[np.ndarray, " member"]
) -> tuple[float | None, tuple[float, float] | None]:
    """Spearman's correlation and its 95 % interval (Fieller et al. 1957); None where it has no meaning.

    Luck of the examples, which both scores hold, draws it towards 0.
    """
    from scipy.stats import spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None, None
    value = float(np.asarray(spearmanr(first, second))[0])
    if len(first) < 5:
        return value, None
    middle, half = math.atanh(np.clip(value, -0.999999, 0.999999)), 1.96 * math.sqrt(1.06 / (len(first) - 3))
    return value, (math.tanh(middle - half), math.tanh(middle + half))


def _finding(
    name: str,
    num_examples: int,
    clean: Spread,
    stress: Spread,
    *,
    clean_means: Float[np.ndarray, " member"],
    means: Float[np.ndarray, " member"],
) -> Finding:
    found = ratio(clean, stress)
    # where the scale says that more spread is to be expected, the test asks for more
    expected = stress.scale / clean.scale if clean.scale > 0 else math.inf
    p = p_value(clean, stress, max(1.0, expected)) if math.isfinite(expected) else 1.0
    rank, ends = correlation(clean_means, means)
    return Finding(
        name=name,
        num_examples=num_examples,
        mean=float(stress.seen.mean),
        sd=math.sqrt(max(float(stress.seen.total), 0.0)),
        seed_sd=math.sqrt(max(float(stress.seen.seed), 0.0)),
        noise_sd=math.sqrt(max(float(stress.seen.noise), 0.0)),
        ratio=found,
        scaled_ratio=None if found.value is None or not expected > 0 else found.value / expected,
        p=p,
        p_adjusted=p,
        spearman=rank,
        spearman_interval=ends,
    )


def _adjusted(found: Sequence[Finding]) -> list[Finding]:
    if not found:
        return []
    adjusted = holm([finding.p for finding in found])
    return [replace(finding, p_adjusted=float(p)) for finding, p in zip(found, adjusted, strict=True)]
