"""Shrunken means against integrals and simulations; what to evaluate again against a brute-force forecast."""

import numpy as np
import pytest

from pomona.fit.trials.strategies import leader_to_repeat, leaders, shrunken_means, winner
from pomona.fit.trials.strategies.leaders import leading_points
from pomona.fit.trials.trial import Trial


def trial(number, key, score, state="completed", seed=0):
    return Trial(
        number, state, {"point": key}, key, seed, (), "", score,
        values={}, attributes={}, reports={}, attempts=1, started=None, finished=None,
    )  # fmt: skip


def trials_of(scores):
    rows = [(key, seed, score) for key, own in scores.items() for seed, score in enumerate(own)]
    return [trial(number, key, score, seed=seed) for number, (key, seed, score) in enumerate(rows)]


SCORES = {"a": [1.0, 1.4, 1.1], "b": [1.5], "c": [0.9, 0.2], "d": [0.4], "e": [-0.3], "f": [-0.8], "g": [0.1]}


def test_a_shrunken_mean_is_the_expectation_given_the_scores():
    """An integral over the true mean, with the noise and the spread worked out by hand."""
    squares = sum(np.var(own) * len(own) for own in SCORES.values())
    noise = squares / sum(len(own) - 1 for own in SCORES.values())
    means = np.array([np.mean(own) for own in SCORES.values()])
    centre = np.median(means)
    above = [own for own in SCORES.values() if np.mean(own) >= centre]
    spread = np.mean([(np.mean(own) - centre) ** 2 - noise / len(own) for own in above])
    found_best = shrunken_means(trials_of(SCORES))["b"].mean
    grid = np.linspace(-8.0, 8.0, 200_001)
    for key, found in shrunken_means(trials_of(SCORES)).items():
        density = np.exp(-0.5 * (grid - centre) ** 2 / spread)
        for score in SCORES[key]:
            density = density * np.exp(-0.5 * (grid - score) ** 2 / noise)
        density /= density.sum()
        mean = (grid * density).sum()
        pull = min(abs(mean - np.mean(SCORES[key])), abs(found_best - max(means)))
        doubt = 2.0 * pull**2
        deviation = np.sqrt(((grid - mean) ** 2 * density).sum() + doubt)
        assert found.mean == pytest.approx(mean, abs=1e-6)
        assert found.interval == pytest.approx((mean - 1.96 * deviation, mean + 1.96 * deviation), abs=1e-4)
        assert found.num_seeds == len(SCORES[key])


def test_without_repeats_scores_stand_and_intervals_are_unknown():
    found = shrunken_means(trials_of({"a": [1.0], "b": [2.0]}))
    assert {key: value.mean for key, value in found.items()} == {"a": 1.0, "b": 2.0}
    assert np.isnan([value.interval for value in found.values()]).all()
    assert winner(trials_of({"a": [1.0], "b": [2.0]})).trial.genome_hash == "b"


def test_nothing_completed_has_no_winner_and_nothing_to_repeat():
    running = [trial(0, "a", None, "running"), trial(1, "b", None, "failed")]
    assert shrunken_means(running) == {}
    assert winner(running) is None
    assert leader_to_repeat(running) is None
    assert leading_points(running, 3) == []


def test_equal_scores_are_no_trouble():
    found = shrunken_means(trials_of({"a": [1.0, 1.0], "b": [1.0], "c": [1.0]}))
    assert {value.mean for value in found.values()} == {1.0}
    assert leader_to_repeat(trials_of({"a": [1.0, 1.0], "b": [1.0]})) is not None


def test_a_point_with_a_failed_evaluation_wins_only_alone():
    scored = trials_of({"a": [2.0, 2.1], "b": [1.0, 1.1]})
    failed = trial(9, "a", None, "failed", seed=2)
    assert winner(scored).trial.genome_hash == "a"
    assert winner([*scored, failed]).trial.genome_hash == "b"
    assert winner([*trials_of({"a": [2.0]}), failed]).trial.genome_hash == "a"


def test_points_at_work_or_failed_are_not_repeated():
    scored = trials_of({"a": [2.0], "b": [1.0], "c": [0.5]})
    assert leader_to_repeat(scored).genome_hash == "a"
    assert leader_to_repeat([*scored, trial(8, "a", None, "running", seed=1)]).genome_hash == "b"
    assert leader_to_repeat([*scored, trial(8, "a", None, "failed", seed=1)]).genome_hash == "b"


def test_what_is_repeated_raises_the_expected_choice_most():
    """The forecast by brute force: draw the next score of each point, update it, look at the best mean."""
    trials = trials_of(SCORES)
    points = leaders._summed_up(trials)
    means, variances = leaders._posterior(points)
    generator = np.random.default_rng(0)
    gains = []
    for index in range(len(means)):
        draws = means[index] + np.sqrt(variances[index] + points.noise) * generator.standard_normal(400_000)
        weight = variances[index] / (variances[index] + points.noise)
        others = np.max(np.delete(means, index))
        updated = means[index] + weight * (draws - means[index])
        gains.append(np.mean(np.maximum(updated, others)) - means.max())
    found = leaders._knowledge_gradient(means, variances, points.noise)
    np.testing.assert_allclose(found, gains, atol=2e-3)
    assert leader_to_repeat(trials).genome_hash == points.keys[int(np.argmax(gains))]


def test_the_winner_is_not_too_good_to_be_true():
    """The highest score of forty is far above its truth, its shrunken mean is not, and its interval holds."""
    generator = np.random.default_rng(1)
    naive, corrected, is_inside = [], [], []
    for _ in range(300):
        truth = generator.normal(size=40)
        first = truth + generator.normal(size=40)
        # points of all sorts are repeated, so that the noise is known and no choice biases it
        scores = {str(i): [first[i]] for i in range(40)}
        for i in range(0, 40, 3):
            scores[str(i)] += list(truth[i] + generator.normal(size=2))
        naive.append(first.max() - truth[first.argmax()])
        found = winner(trials_of(scores))
        own = truth[int(found.trial.genome_hash)]
        corrected.append(found.score.mean - own)
        is_inside.append(found.score.interval[0] <= own <= found.score.interval[1])
    assert np.mean(naive) > 0.8
    assert abs(np.mean(corrected)) < 0.25
    assert np.mean(is_inside) > 0.85


def test_leading_points_are_in_the_order_of_shrunken_means():
    trials = trials_of(SCORES)
    found = shrunken_means(trials)
    order = sorted(found, key=lambda key: -found[key].mean)
    assert [trial.genome_hash for trial in leading_points(trials, 4)] == order[:4]
