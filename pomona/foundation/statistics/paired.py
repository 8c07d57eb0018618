"""Is one system better than another on the same examples? Tests of paired scores, all two-sided."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.statistics.interval import finite_rows

Scores = Real[np.ndarray, " row"] | Sequence[float | int]


@dataclass(frozen=True)
class Comparison:
    """What a paired test found."""

    difference: float  # mean of first minus second, in the unit of the scores
    p_value: float  # of "no difference", two-sided, in [0, 1]
    num_pairs: int
    method: str


def mcnemar_test(
    first_correct: Bool[np.ndarray, " row"], second_correct: Bool[np.ndarray, " row"]
) -> Comparison:
    """McNemar's exact test of two classifiers, from which examples each one gets right.

    Only examples on which the two disagree count; under "no difference" each is a fair coin.

    >>> first, second = np.ones(20, bool), np.arange(20) >= 6
    >>> mcnemar_test(first, second).p_value
    0.03125
    """
    from scipy.stats import binomtest

    first, second = np.asarray(first_correct), np.asarray(second_correct)
    if first.dtype != bool or second.dtype != bool or first.ndim != 1 or first.shape != second.shape:
        raise DataError(
            "McNemar's test needs two boolean arrays of one length, "
            f"got {first.dtype} {first.shape} and {second.dtype} {second.shape}"
        )
    if not len(first):
        raise DataError("McNemar's test needs at least one example, got none")
    num_first, num_second = int((first & ~second).sum()), int((second & ~first).sum())
    num_unlike = num_first + num_second
    p_value = float(binomtest(num_first, num_unlike).pvalue) if num_unlike else 1.0
    return Comparison((num_first - num_second) / len(first), p_value, len(first), "McNemar exact")


def sign_flip_test(
    first: Scores, second: Scores, *, generator: np.random.Generator, num_flips: int = 10_000
) -> Comparison:
    """The paired permutation test of the mean difference: under "no difference" its sign is a fair coin.

    Exact, over all 2**n sign patterns, where there are at most `num_flips` of them; else over `num_flips`
    random ones, with p = (1 + as extreme) / (1 + num_flips), which is never too small. The number of pairs
    bounds it: with 5 seeds no p-value is below 0.0625.

    >>> sign_flip_test([3, 4, 5, 6, 7], [1, 2, 3, 4, 5], generator=np.random.default_rng(0)).p_value
    0.0625
    """
    difference = _differences(first, second, "a sign-flip test")
    if num_flips < 100:
        raise SettingError(f"num_flips must be at least 100 (10000 is usual), got {num_flips}")
    if 2 ** min(len(difference), 62) <= num_flips:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(difference))))
        p_value = float(_as_extreme(signs @ difference, difference).mean())
        return Comparison(float(difference.mean()), p_value, len(difference), "sign flips, all")
    num_extreme, chunk = 0, max(1, 4_000_000 // len(difference))
    for start in range(0, num_flips, chunk):
        signs = (
            generator.integers(0, 2, (min(chunk, num_flips - start), len(difference)), dtype=np.int8) * 2.0
            - 1
        )
        num_extreme += int(_as_extreme(signs @ difference, difference).sum())
    p_value = (1 + num_extreme) / (1 + num_flips)
    return Comparison(float(difference.mean()), p_value, len(difference), "sign flips, random")


def wilcoxon_test(first: Scores, second: Scores) -> Comparison:
    """Wilcoxon's signed-rank test: does the difference lean to one side?

    Exact for up to 50 pairs without ties. Pairs without a difference are left out; with none left p is 1.

    >>> wilcoxon_test([3.1, 4.2, 5.3, 6.4, 7.5, 8.6], [1, 2, 3, 4, 5, 6]).p_value
    0.03125
    """
    from scipy.stats import wilcoxon

    difference = _differences(first, second, "Wilcoxon's test")
    # 0.95 - 0.94 and 0.94 - 0.93 differ in the last digit only: they are a tie
    scaled = np.round(difference / max(np.abs(difference).max(), 1e-300), 12)
    kept = scaled[scaled != 0]
    p_value = float(np.asarray(wilcoxon(kept))[1]) if len(kept) else 1.0
    return Comparison(float(difference.mean()), p_value, len(difference), "Wilcoxon signed rank")


def corrected_t_test(first: Scores, second: Scores, *, test_share: float) -> Comparison:
    """The corrected resampled t test of scores over repeated train/test splits.

    Nadeau and Bengio 2003, section 3. Training sets of repeated splits overlap, so a plain t test finds
    differences that are not there; the variance is raised by `test_share`, the number of test examples
    divided by that of training examples.

    >>> corrected_t_test([0.92, 0.94, 0.93, 0.95], [0.90, 0.93, 0.91, 0.92], test_share=0.25).p_value < 0.1
    True
    """
    from scipy.special import stdtr

    difference = _differences(first, second, "a corrected t test")
    if not test_share > 0:
        raise SettingError(f"test_share is test examples by training examples and above 0, got {test_share}")
    mean, num_splits = float(difference.mean()), len(difference)
    scale = np.sqrt((1 / num_splits + test_share) * difference.var(ddof=1))
    if scale == 0:
        p_value = 1.0 if mean == 0 else 0.0
    else:
        p_value = float(2 * stdtr(num_splits - 1, -abs(mean) / scale))
    return Comparison(mean, p_value, num_splits, "corrected resampled t")


def _differences(first: Scores, second: Scores, purpose: str) -> Float[np.ndarray, " row"]:
    left, right = finite_rows(first, purpose), finite_rows(second, purpose)
    if left.ndim != 1 or left.shape != right.shape:
        raise DataError(f"{purpose} needs two lists of one length, got shapes {left.shape} and {right.shape}")
    return left - right


def _as_extreme(
    totals: Float[np.ndarray, " flip"], difference: Float[np.ndarray, " row"]
) -> Bool[np.ndarray, " flip"]:
    # sums in another order differ in the last digits; a tie must count as extreme all the same
    tolerance = 1e-12 * np.abs(difference).sum()
    return np.abs(totals) >= abs(difference.sum()) - tolerance
