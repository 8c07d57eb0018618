"""Greedy ensemble selection against exhaustive search, and its guarantees."""

import itertools

import numpy as np
import pytest

from pomona.find.search.ensemble import disagreement, select_ensemble, weighted_mean


def library(num_models=4, num_examples=120, seed=0):
    """Models that are right by noisy evidence, and the true classes."""
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 3, num_examples)
    evidence = np.eye(3)[target] * 1.5
    models = []
    for _ in range(num_models):
        logits = evidence + generator.normal(size=(num_examples, 3))
        models.append({"label": np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)})
    return models, target


def accuracy_then_likelihood(target):
    def score(predictions):
        p = predictions["label"]
        right = float((p.argmax(axis=1) == target).mean())
        return right, float(np.log(p[np.arange(len(target)), target]).mean())

    return score


@pytest.mark.parametrize("seed", range(5))
def test_it_is_never_below_the_best_single_model(seed):
    models, target = library(seed=seed)
    score = accuracy_then_likelihood(target)
    chosen = select_ensemble(models, score, num_picks=6)
    assert chosen.score >= max(score(model) for model in models)
    mean = weighted_mean([models[member] for member in chosen.members], chosen.weights)
    assert np.allclose(score(mean), chosen.score)
    assert sum(chosen.weights) == pytest.approx(1.0)


def test_two_picks_of_a_likelihood_are_near_the_best_of_all_pairs():
    models, target = library(num_models=5)

    def likelihood(predictions):
        return (accuracy_then_likelihood(target)(predictions)[1],)

    best_pair = max(
        likelihood(weighted_mean([models[a], models[b]], (0.5, 0.5)))
        for a, b in itertools.combinations_with_replacement(range(5), 2)
    )
    assert select_ensemble(models, likelihood, num_picks=2).score[0] >= best_pair[0] - 0.02


def test_regression_models_of_opposite_bias_are_joined():
    target = np.linspace(0, 1, 20)
    models = [{"y": target + 0.3}, {"y": target - 0.3}, {"y": target + 2.0}]

    def score(predictions):
        return (-float(np.sqrt(np.mean((predictions["y"] - target) ** 2))),)

    chosen = select_ensemble(models, score, num_picks=4)
    assert set(chosen.members) == {0, 1}
    assert chosen.score[0] == pytest.approx(0.0, abs=1e-12)
    assert chosen.weights == (0.5, 0.5)


def test_equal_scores_keep_the_smaller_ensemble():
    models = [{"y": np.ones(3)}, {"y": np.ones(3)}]
    chosen = select_ensemble(models, lambda predictions: (1.0,), num_picks=5)
    assert chosen.members == (0,)


def test_a_model_of_nan_is_never_picked():
    models = [{"y": np.full(3, np.nan)}, {"y": np.zeros(3)}]
    chosen = select_ensemble(models, lambda p: (-float(np.abs(p["y"]).mean()),), num_picks=3)
    assert chosen.members == (1,)


def test_disagreement_counts_pairs_of_unlike_answers():
    a, b = np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 1, 1, 1]]
    assert disagreement([a, b]) == pytest.approx(0.25)
    assert disagreement([a, a, b]) == pytest.approx((0 + 0.25 + 0.25) / 3)
    assert disagreement([a]) == 0.0
