"""Components of the spread over models, and each trap of comparing them."""

import numpy as np
import pytest

from pomona.foundation.errors import DataError
from pomona.question.stress.sections.disagreement import disagreement
from pomona.question.stress.statistics.components import components, weighted_components
from pomona.question.stress.statistics.finding import correlation, findings
from pomona.question.stress.statistics.ratio import p_value, ratio, spread
from pomona.question.stress.statistics.resamples import resamples


def drawn(
    generator: np.random.Generator, models: int, examples: int, mean: float, seed_sd: float, hard: float = 1.5
) -> np.ndarray:
    """Right answers of models whose logits differ by `seed_sd`, on examples that differ by `hard`."""
    logits = np.log(mean / (1 - mean)) + hard * generator.standard_normal(examples)
    logits = logits + seed_sd * generator.standard_normal((models, 1))
    return (generator.random((models, examples)) < 1 / (1 + np.exp(-logits))).astype(np.float64)


def found(clean: np.ndarray, stresses: dict[str, np.ndarray], *, is_share: bool = True, number: int = 200):
    draws = resamples(len(clean), clean.shape[1], seed=0, number=number)
    return findings(clean, stresses, dict.fromkeys(stresses), draws, is_share=is_share)


def test_components_are_those_of_the_analysis_of_variance():
    scores = np.random.default_rng(0).normal(size=(7, 30)) + np.arange(7)[:, None] / 5
    residual = scores - scores.mean(1, keepdims=True) - scores.mean(0) + scores.mean()
    within = (residual**2).sum() / (6 * 29)
    between = 30 * scores.mean(1).var(ddof=1)
    parts = components(scores)
    assert float(parts.seed) == pytest.approx((between - within) / 30)
    assert float(parts.total) == pytest.approx(scores.mean(1).var(ddof=1))
    assert float(parts.total) == pytest.approx(float(parts.seed) + float(parts.noise))


def test_the_seed_component_is_the_mean_covariance_of_two_examples():
    scores = np.random.default_rng(1).random((6, 9))
    covariance = np.cov(scores.T)
    apart = covariance[~np.eye(9, dtype=bool)]
    assert float(components(scores).seed) == pytest.approx(apart.mean())


def test_a_resample_never_pairs_a_model_or_example_with_itself():
    scores = np.random.default_rng(2).random((4, 5))
    models, examples = np.array([[2.0, 0, 1, 1]]), np.array([[0.0, 3, 1, 1, 0]])
    m, e = np.repeat(np.arange(4), models[0].astype(int)), np.repeat(np.arange(5), examples[0].astype(int))
    pairs = [
        (scores[a, i] - scores[b, i]) * (scores[a, j] - scores[b, j]) / 2
        for a in m for b in m if a != b
        for x, i in enumerate(e) for y, j in enumerate(e) if i != j
    ]  # fmt: skip
    assert float(weighted_components(scores, models, examples).seed[0]) == pytest.approx(np.mean(pairs))


def test_how_hard_an_example_is_does_not_count():
    scores = np.random.default_rng(3).random((5, 40))
    shifted = components(scores + 10 * np.random.default_rng(4).random(40))
    assert float(shifted.seed) == pytest.approx(float(components(scores).seed), abs=1e-9)


def test_the_seed_component_is_unbiased_where_models_differ():
    generator = np.random.default_rng(5)
    many = [generator.normal(0, 0.1, (20, 1)) + generator.normal(size=(20, 60)) for _ in range(300)]
    assert np.mean([components(scores).seed for scores in many]) == pytest.approx(0.01, rel=0.15)


def test_a_small_stress_with_luck_alone_looks_wide_and_is_not_called_so():
    generator = np.random.default_rng(6)
    alarms, naive = 0, []
    for _ in range(30):
        clean = drawn(generator, 50, 1000, 0.97, 0.1)
        small = drawn(generator, 50, 60, 0.7, 0.0)
        naive.append(small.mean(1).std() / clean.mean(1).std())
        alarms += found(clean, {"small": small}, number=100)[0].is_underspecified
    assert np.median(naive) > 5
    assert alarms <= 4


def test_a_score_near_one_half_spreads_more_of_itself_and_is_not_called_so():
    generator = np.random.default_rng(7)
    clean, stress = drawn(generator, 50, 2000, 0.97, 0.3), drawn(generator, 50, 2000, 0.6, 0.3)
    finding = found(clean, {"hard": stress})[0]
    assert finding.ratio.low > 1.3, "on the raw scale it is wider beyond doubt"
    assert finding.scaled_ratio == pytest.approx(1, abs=0.4)
    assert not finding.is_underspecified


def test_what_the_seed_decides_is_found():
    generator = np.random.default_rng(8)
    clean, stress = drawn(generator, 30, 1000, 0.97, 0.1), drawn(generator, 30, 400, 0.7, 1.2)
    finding = found(clean, {"wide": stress})[0]
    assert finding.is_underspecified
    assert finding.ratio.low > 5
    assert finding.seed_sd > 0.9 * finding.sd


def test_wider_by_chance_among_many_is_corrected():
    generator = np.random.default_rng(9)
    clean = drawn(generator, 20, 500, 0.9, 0.4)
    stresses = {f"stress {k}": drawn(generator, 20, 500, 0.9, 0.4) for k in range(12)}
    results = found(clean, stresses)
    assert not any(finding.is_underspecified for finding in results)
    assert all(finding.p_adjusted >= finding.p for finding in results)
    assert min(finding.p_adjusted for finding in results) >= min(1.0, 12 * min(f.p for f in results)) - 1e-12


def test_the_interval_of_the_ratio_holds_what_the_test_does_not_refuse():
    generator = np.random.default_rng(10)
    clean, stress = drawn(generator, 40, 1500, 0.9, 0.4), drawn(generator, 40, 1500, 0.9, 0.8)
    draws = resamples(40, 1500, seed=1, number=200)
    first, second = (spread(x, draws.models, draws.examples, is_share=True) for x in (clean, stress))
    interval = ratio(first, second)
    assert interval.value is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high
    assert p_value(first, second, interval.low) == pytest.approx(0.025, abs=1e-3)
    assert p_value(first, second, interval.high) == pytest.approx(0.975, abs=1e-3)
    assert interval.low < 2 < interval.high


def test_a_clean_spread_that_cannot_be_told_from_none_gives_no_quotient():
    generator = np.random.default_rng(11)
    clean = np.ones((20, 300))
    finding = found(clean, {"wide": drawn(generator, 20, 300, 0.7, 1.0)})[0]
    assert finding.ratio.value is None
    assert finding.ratio.high is None
    same = found(clean, {"same": clean})[0]
    assert same.p == 1 or same.p == pytest.approx(0.5)
    assert not same.is_underspecified


def test_errors_are_compared_relative_to_their_mean():
    generator = np.random.default_rng(12)
    clean = np.abs(generator.normal(1, 0.2, (30, 400)) * (1 + 0.1 * generator.standard_normal((30, 1))))
    finding = found(clean, {"tenfold": 10 * clean}, is_share=False)[0]
    assert finding.ratio.value == pytest.approx(10)
    assert finding.scaled_ratio == pytest.approx(1)
    assert not finding.is_underspecified


def test_splits_of_the_same_examples_are_resampled_alike():
    draws = resamples(5, 8, seed=0, number=100)
    places = np.array([6, 1, 2])
    assert np.array_equal(draws.of("any", 3, places), draws.examples[:, places])
    own = draws.of("own", 30, None)
    assert (own.sum(1) == 30).all()
    assert ((draws.models > 0).sum(1) >= 2).all()


def test_correlation_is_spearmans_and_absent_for_equal_scores():
    first = np.array([0.1, 0.4, 0.2, 0.9, 0.5, 0.6])
    value, ends = correlation(first, first**3)
    assert value == pytest.approx(1)
    assert ends is not None
    assert correlation(first, np.ones(6)) == (None, None)


def test_disagreement_is_the_share_of_unlike_pairs():
    answers = np.random.default_rng(13).integers(0, 3, (6, 20))
    brute = [
        np.mean([column[a] != column[b] for a in range(6) for b in range(6) if a != b])
        for column in answers.T
    ]
    assert np.allclose(disagreement(answers), brute)


def test_one_model_or_one_example_has_no_spread():
    for shape in ((1, 50), (50, 1)):
        with pytest.raises(DataError, match="at least 2 models and 2 examples"):
            components(np.zeros(shape))
