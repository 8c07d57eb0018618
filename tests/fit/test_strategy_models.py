"""The models inside strategies against their textbook forms: surrogate, policy, polynomial, fronts."""

import numpy as np
import pytest
from scipy.stats import norm

from pomona.fit.trials.space import Choice, Space
from pomona.fit.trials.strategies import METHODS, StrategySettings
from pomona.fit.trials.strategies.harmonica import polynomial
from pomona.fit.trials.strategies.pareto import best_order, crowding_distances, measured, on_front
from pomona.fit.trials.strategies.reinforce import DECAY, RATE, SQUARE_DECAY, WINDOW, policy
from pomona.fit.trials.strategies.surrogate import RIDGE, normal_scores, predicted_ranks
from pomona.fit.trials.trial import Trial

SPACE = Space({f"edge{i}": Choice(("none", "skip", "conv")) for i in range(4)})


def trial(number, point, score, values=(), state="completed"):
    return Trial(
        number, state, point, SPACE.key(point), 0, (), "", score,
        values=dict(values), attributes={}, reports={}, attempts=1, started=None, finished=None,
    )  # fmt: skip


def random_trials(num_trials, seed=0):
    generator = np.random.default_rng(seed)
    return [trial(n, SPACE.sample(generator), float(generator.normal())) for n in range(num_trials)]


def test_the_surrogate_is_ridge_regression_on_features_and_their_products():
    trials = random_trials(40)
    asked = [SPACE.sample(np.random.default_rng(seed)) for seed in range(9)]
    known = np.array([SPACE.features(trial.genome) for trial in trials])
    centre = known.mean(axis=0)
    scale = ((known - centre) ** 2).sum(axis=1).mean()

    def columns(features):
        single = (features - centre) / np.sqrt(scale)
        products = np.einsum("na,nb->nab", single, single).reshape(len(single), -1)
        return np.hstack([single, products * np.sqrt(0.5)])

    wanted = normal_scores(np.array([trial.score for trial in trials]))
    design = columns(known)
    weights = np.linalg.solve(design.T @ design + RIDGE * np.eye(design.shape[1]), design.T @ wanted)
    expected = columns(np.array([SPACE.features(point) for point in asked])) @ weights
    np.testing.assert_allclose(predicted_ranks(SPACE, trials, asked), expected, atol=1e-9)


def test_normal_scores_are_those_of_ranks():
    np.testing.assert_allclose(normal_scores(np.array([3.0, -1e9, 7.0])), norm.ppf([0.5, 1 / 6, 5 / 6]))


def test_the_policy_is_what_adam_makes_of_one_step_after_another():
    generator = np.random.default_rng(0)
    features, scores = generator.normal(size=(25, 3)), generator.normal(size=25)
    rewards = normal_scores(scores)
    weights, mean, square = np.zeros(3), np.zeros(3), np.zeros(3)
    for step, end in enumerate(range(WINDOW, 26), start=1):
        window = slice(end - WINDOW, end)
        advantage = rewards[window] - rewards[window].mean()
        gradient = (advantage[:, None] * features[window]).sum(axis=0) / (WINDOW - 1)
        mean = DECAY * mean + (1 - DECAY) * gradient
        square = SQUARE_DECAY * square + (1 - SQUARE_DECAY) * gradient**2
        unbiased = mean / (1 - DECAY**step), square / (1 - SQUARE_DECAY**step)
        weights = weights + RATE * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    np.testing.assert_allclose(policy(features, scores), weights, atol=1e-12)


def test_a_covariance_is_the_policy_gradient():
    """By finite differences of the expected reward of a policy over all points of the space."""
    features = np.eye(5)[:, :4]
    rewards = np.array([0.3, -1.0, 2.0, 0.5, 0.1])

    def expected_reward(weights):
        chances = np.exp(features @ weights)
        return rewards @ chances / chances.sum()

    weights = np.array([0.5, -0.2, 0.1, 0.9])
    step = 1e-6
    numeric = [
        (expected_reward(weights + step * unit) - expected_reward(weights - step * unit)) / (2 * step)
        for unit in np.eye(4)
    ]
    chances = np.exp(features @ weights)
    chances /= chances.sum()
    covariance = (chances * (rewards - rewards @ chances)) @ features
    np.testing.assert_allclose(covariance, numeric, atol=1e-8)


def test_the_polynomial_finds_planted_terms():
    generator = np.random.default_rng(0)
    features = generator.integers(0, 2, size=(150, 12)).astype(float)
    scores = features[:, 2] - 1.5 * features[:, 4] * features[:, 7] + 0.01 * generator.normal(size=150)
    terms, weights = polynomial(features.tobytes(), scores.tobytes())
    assert len(terms) <= 10
    heaviest = {tuple(terms[index]) for index in np.argsort(-np.abs(weights))[:2]}
    assert heaviest == {(-1, 2), (4, 7)}


@pytest.mark.parametrize("num_objectives", [1, 2, 3])
def test_fronts_are_those_of_comparing_every_pair(num_objectives):
    values = np.random.default_rng(num_objectives).integers(0, 5, size=(40, num_objectives)).astype(float)

    def is_beaten(point, others):
        return any(all(other <= point) and any(other < point) for other in others)

    np.testing.assert_array_equal(on_front(values), [not is_beaten(point, values) for point in values])
    left, rank = list(range(40)), np.zeros(40)
    while left:
        front = [i for i in left if not is_beaten(values[i], values[left])]
        left = [i for i in left if i not in front]
        rank[left] += 1
    order = best_order(values, 40)
    assert sorted(order.tolist()) == list(range(40))
    assert (np.diff(rank[order]) >= 0).all()


def test_points_at_the_ends_of_a_front_have_most_room():
    room = crowding_distances(np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 1.0], [4.0, 0.0]]))
    np.testing.assert_allclose(room, [np.inf, 3 / 4 + 3 / 4, 3 / 4 + 2 / 4, np.inf])


def test_objectives_are_looked_up_and_a_trial_that_lacks_one_is_left_out():
    points = [SPACE.sample(np.random.default_rng(seed)) for seed in (1, 2, 3)]
    trials = [
        trial(0, points[0], 0.5, {"parameters": 10}),
        trial(1, points[0], 0.7, {"parameters": 10}),
        trial(2, points[1], 0.9),
        trial(3, points[2], None, {"parameters": 3}, "failed"),
    ]
    parents, values = measured(trials, ("score", "parameters"))
    assert parents == [trials[0]]
    np.testing.assert_allclose(values, [[-0.6, 10.0]])


def test_pareto_search_covers_the_front_better_than_random_search():
    """More "conv" scores better and costs more: the front has a point for every number of them."""

    def front_size(name, seed):
        generator, trials = np.random.default_rng(seed), []
        settings = StrategySettings(num_trials=30, objectives=("score", "cost"))
        for number in range(30):
            point = METHODS[name](SPACE, trials, generator, settings).point
            convs, skips = (list(point.values()).count(kind) for kind in ("conv", "skip"))
            trials.append(trial(number, point, float(convs - 2 * skips), {"cost": convs + skips}))
        return len({(t.score, t.values["cost"]) for t in trials if t.score == t.values["cost"]})

    assert sum(front_size("pareto", s) for s in range(10)) > sum(front_size("random", s) for s in range(10))
