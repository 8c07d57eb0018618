import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.statistics import (
    benjamini_hochberg,
    bootstrap_interval,
    corrected_t_test,
    holm,
    mcnemar_test,
    paired_bootstrap_interval,
    sign_flip_test,
    t_interval,
    wilcoxon_test,
    wilson_interval,
)
from pomona.foundation.statistics import bootstrap as bootstrap_module


def ends(interval):
    return [interval.low, interval.high]


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 1), (1, 1), (0, 30), (30, 30), (354, 360), (1, 7), (5, 10)]
)
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_wilson_interval_equals_scipy(successes, trials, level):
    theirs = scipy.stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    np.testing.assert_allclose(ends(wilson_interval(successes, trials, level=level)), theirs, atol=1e-14)


def test_wilson_coverage_by_exact_sum_is_near_its_level():
    num_trials, share = 60, 0.9
    chance = scipy.stats.binom.pmf(np.arange(num_trials + 1), num_trials, share)
    covered = [
        interval.low <= share <= interval.high
        for interval in (wilson_interval(k, num_trials, level=0.95) for k in range(num_trials + 1))
    ]
    assert 0.93 < chance[covered].sum() < 0.98


def test_t_interval_equals_scipy():
    values = np.random.default_rng(3).normal(size=9)
    theirs = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    np.testing.assert_allclose(ends(t_interval(values, level=0.9)), theirs, rtol=1e-12)


def test_t_interval_of_five_normal_values_covers_as_often_as_it_says():
    samples = np.random.default_rng(0).normal(size=(2000, 5))
    covered = [interval.low <= 0 <= interval.high for interval in map(t_interval, samples)]
    # four standard errors of the share on either side
    assert abs(np.mean(covered) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
@pytest.mark.parametrize("statistic", [None, np.median, np.std])
def test_bootstrap_equals_scipy_on_the_same_stream(ours, theirs, statistic):
    sample = np.random.default_rng(5).exponential(size=41)
    interval = bootstrap_interval(
        sample, generator=np.random.default_rng(9), statistic=statistic, method=ours, num_resamples=999
    )
    expected = scipy.stats.bootstrap(
        (sample,), statistic or np.mean, n_resamples=999, method=theirs, rng=np.random.default_rng(9)
    ).confidence_interval
    np.testing.assert_allclose(ends(interval), expected, rtol=1e-10)


@pytest.mark.parametrize(("ours", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_bootstrap_of_a_statistic_of_two_samples_keeps_their_rows_together(ours, theirs):
    generator = np.random.default_rng(6)
    x = generator.normal(size=50)
    y = x + generator.normal(size=50)

    def correlation(x, y):
        return np.corrcoef(x, y)[0, 1]

    interval = bootstrap_interval(
        x, y, generator=np.random.default_rng(1), statistic=correlation, method=ours, num_resamples=500
    )
    expected = scipy.stats.bootstrap(
        (x, y),
        correlation,
        n_resamples=500,
        method=theirs,
        paired=True,
        vectorized=False,
        rng=np.random.default_rng(1),
    ).confidence_interval
    np.testing.assert_allclose(ends(interval), expected, rtol=1e-10)


def test_bootstrap_in_chunks_equals_all_at_once(monkeypatch):
    sample = np.random.default_rng(2).normal(size=33)
    whole = bootstrap_interval(sample, generator=np.random.default_rng(0))
    monkeypatch.setattr(bootstrap_module, "CHUNK_ENTRIES", 33 * 7)
    assert bootstrap_interval(sample, generator=np.random.default_rng(0)) == whole


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_of_a_mean_covers_nearly_as_often_as_it_says(method):
    samples = np.random.default_rng(0).normal(size=(400, 60))
    covered = [
        interval.low <= 0 <= interval.high
        for interval in (
            bootstrap_interval(sample, generator=np.random.default_rng(i), method=method, num_resamples=600)
            for i, sample in enumerate(samples)
        )
    ]
    assert 0.95 - 0.015 - 4 * math.sqrt(0.95 * 0.05 / 400) < np.mean(covered) < 0.99


def test_paired_bootstrap_of_the_mean_equals_the_bootstrap_of_the_difference():
    first, second = np.random.default_rng(4).normal(size=(2, 30))
    shortcut = paired_bootstrap_interval(first, second, generator=np.random.default_rng(0))
    general = paired_bootstrap_interval(first, second, generator=np.random.default_rng(0), statistic=np.mean)
    np.testing.assert_allclose(ends(shortcut), ends(general), rtol=1e-10)
    np.testing.assert_allclose(
        ends(shortcut),
        ends(bootstrap_interval(first - second, generator=np.random.default_rng(0))),
        rtol=1e-12,
    )


def test_paired_bootstrap_takes_booleans():
    first = np.arange(100) < 90
    second = np.arange(100) < 80
    interval = paired_bootstrap_interval(first, second, generator=np.random.default_rng(0))
    assert 0 < interval.low < 0.1 < interval.high < 0.2


def test_bootstrap_of_a_constant_has_no_width():
    interval = bootstrap_interval(np.full(8, 0.25), generator=np.random.default_rng(0))
    assert ends(interval) == [0.25, 0.25]


def test_bootstrap_refuses_what_it_cannot_answer():
    generator = np.random.default_rng(0)
    with pytest.raises(DataError, match="at least 2"):
        bootstrap_interval(np.array([1.0]), generator=generator)
    with pytest.raises(DataError, match="NaN or infinite on 2000 of 2000 resamples"):
        bootstrap_interval(np.arange(5.0), generator=generator, statistic=lambda values: math.nan)
    # under run-time type checks the annotation refuses first
    with pytest.raises((DataError, TypeError), match=r"common length|Type-check"):
        bootstrap_interval(np.arange(5.0), np.arange(6.0), generator=generator, statistic=np.vdot)
    with pytest.raises(SettingError, match="level"):
        bootstrap_interval(np.arange(5.0), generator=generator, level=95.0)
    with pytest.raises((SettingError, TypeError), match="method"):
        bootstrap_interval(np.arange(5.0), generator=generator, method="basic")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="percentile"):
        # the estimate of the whole is below that of every resample
        bootstrap_interval(
            np.arange(30.0), generator=generator, statistic=lambda values: -float(len(np.unique(values)))
        )


def test_mcnemar_equals_the_binomial_test_of_the_disagreements():
    first, second = np.random.default_rng(0).random((2, 200)) < [[0.9], [0.8]]
    result = mcnemar_test(first, second)
    only_first, only_second = (first & ~second).sum(), (second & ~first).sum()
    assert result.p_value == scipy.stats.binomtest(only_first, only_first + only_second).pvalue
    assert result.difference == pytest.approx(first.mean() - second.mean())
    assert mcnemar_test(first, first).p_value == 1.0


def test_sign_flips_equal_scipys_exact_permutation_test():
    first, second = np.random.default_rng(8).normal(size=(2, 10))
    expected = scipy.stats.permutation_test(
        (first, second), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    result = sign_flip_test(first, second, generator=np.random.default_rng(0))
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    assert result.method == "sign flips, all"


def test_random_sign_flips_come_near_the_exact_answer():
    first, second = np.random.default_rng(8).normal(size=(2, 12))
    exact = sign_flip_test(first, second, generator=np.random.default_rng(0))
    drawn = sign_flip_test(first, second, generator=np.random.default_rng(0), num_flips=4000)
    assert drawn.method == "sign flips, random"
    assert abs(drawn.p_value - exact.p_value) < 4 * math.sqrt(exact.p_value / 4000)


def test_sign_flips_count_ties_of_rounding():
    """0.1 + 0.2 - 0.3 is not 0 in floating point, yet the pattern is as extreme as the observed one."""
    first = [0.1, 0.2, -0.3, 0.4]
    expected = [abs(sum(s)) >= 4 for s in itertools.product(*([-v, v] for v in (1, 2, -3, 4)))]
    result = sign_flip_test(first, [0, 0, 0, 0], generator=np.random.default_rng(0))
    assert result.p_value == np.mean(expected)


@pytest.mark.parametrize("num_pairs", [6, 25])
def test_paired_tests_find_nothing_more_often_than_they_say(num_pairs):
    """Under no difference P(p <= 0.1) is at most 0.1; checked within four standard errors."""
    differences = np.random.default_rng(1).laplace(size=(400, num_pairs))
    zero = np.zeros(num_pairs)
    generator = np.random.default_rng(2)
    allowed = 0.1 + 4 * math.sqrt(0.1 * 0.9 / 400)
    flips = [
        sign_flip_test(row, zero, generator=generator, num_flips=200).p_value <= 0.1 for row in differences
    ]
    ranks = [wilcoxon_test(row, zero).p_value <= 0.1 for row in differences]
    assert np.mean(flips) <= allowed
    assert np.mean(ranks) <= allowed


def test_wilcoxon_is_exact_by_brute_force():
    difference = np.array([1.0, -2.0, 3.0, 4.0, 5.5, -0.5, 7.0])
    ranks = scipy.stats.rankdata(np.abs(difference))
    centre = ranks.sum() / 2
    observed = abs(ranks[difference > 0].sum() - centre)
    sums = [np.dot(ranks, chosen) for chosen in itertools.product((0, 1), repeat=7)]
    expected = np.mean([abs(total - centre) >= observed for total in sums])
    assert wilcoxon_test(difference, np.zeros(7)).p_value == pytest.approx(expected)


def test_wilcoxon_does_not_take_rounding_for_a_difference():
    first = np.array([0.95, 0.94, 0.93, 0.97, 0.92, 0.90])
    second = np.array([0.94, 0.93, 0.92, 0.95, 0.93, 0.90])
    whole = wilcoxon_test(np.round(first * 100), np.round(second * 100))
    assert wilcoxon_test(first, second).p_value == whole.p_value
    assert wilcoxon_test(first, first).p_value == 1.0


def test_corrected_t_test_is_the_paired_t_test_when_nothing_is_shared():
    first, second = np.random.default_rng(3).normal(size=(2, 10))
    plain = scipy.stats.ttest_rel(first, second).pvalue
    assert corrected_t_test(first, second, test_share=1e-12).p_value == pytest.approx(plain, rel=1e-9)
    assert corrected_t_test(first, second, test_share=0.25).p_value > plain


def test_corrected_t_test_of_a_constant_difference():
    assert corrected_t_test([1, 2, 3], [1, 2, 3], test_share=0.5).p_value == 1.0
    assert corrected_t_test([2, 3, 4], [1, 2, 3], test_share=0.5).p_value == 0.0


def test_paired_tests_refuse_unequal_lengths():
    with pytest.raises(DataError, match="one length"):
        sign_flip_test([1.0, 2.0], [1.0, 2.0, 3.0], generator=np.random.default_rng(0))
    with pytest.raises((DataError, TypeError), match=r"boolean|Type-check"):
        mcnemar_test(np.ones(3), np.ones(3))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="1 NaN"):
        wilcoxon_test([1.0, math.nan], [1.0, 2.0])


p_value_lists = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=7)


@given(p_value_lists)
@settings(max_examples=60, deadline=None)
def test_holm_is_the_closed_test_of_bonferroni(p_values):
    """Adjusted p of a hypothesis: the largest Bonferroni p over all sets of hypotheses that hold it."""
    num_tests = len(p_values)
    expected = np.zeros(num_tests)
    for size in range(1, num_tests + 1):
        for subset in itertools.combinations(range(num_tests), size):
            bonferroni = min(1.0, size * min(p_values[i] for i in subset))
            for i in subset:
                expected[i] = max(expected[i], bonferroni)
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


@given(p_value_lists)
@settings(max_examples=60, deadline=None)
def test_benjamini_hochberg_equals_scipy(p_values):
    np.testing.assert_allclose(
        benjamini_hochberg(p_values), scipy.stats.false_discovery_control(p_values), rtol=1e-12
    )


def test_adjustments_keep_no_test_and_refuse_what_is_no_p_value():
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        holm([0.5, 1.5])
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        benjamini_hochberg([math.nan])
