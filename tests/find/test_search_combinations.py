"""Ways to combine models against independent solutions, and that none is fooled by chance."""

import numpy as np
import pytest

from pomona.find.search.combinations import COMBINATIONS, Held, combine, cross_validated
from pomona.find.search.ensemble import weighted_mean
from pomona.find.search.stacking import PULLS, closest_weights, evidence_of, folds, learned_weights
from pomona.foundation.errors import SettingError
from pomona.tasks import load_task

KINDS = {
    "classify": "iris",
    "multilabel": "digit-properties",
    "regress": "diabetes",
    "segment": "shapes",
    "sequence": "tagged-words",
    "forecast": "seasonal-series",
    "two targets": "two-digits",
}


def log_likelihood(predictions, truth):
    p = predictions["species"]
    return (float(np.log(p[np.arange(len(p)), truth["species"]]).mean()),)


def classifiers(num_models, *, num_examples=150, skill=1.0, seed=0):
    """Models of the iris task that see noisy evidence of the true class."""
    generator = np.random.default_rng(seed)
    target = generator.integers(0, 3, num_examples)
    models = []
    for _ in range(num_models):
        logits = skill * np.eye(3)[target] + generator.normal(size=(num_examples, 3))
        models.append({"species": np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)})
    return Held(load_task("iris"), models, {"species": target}, log_likelihood)


def noisy_truth(task, generator, noise):
    """The truth of the validation split as a model with some noise would predict it."""
    truth = task.splits["valid"].read(np.arange(min(40, task.splits["valid"].size or 40)))
    said = {}
    for name, feature in task.targets.items():
        target = truth[name]
        if task.kind in ("regress", "forecast"):
            said[name] = target + noise * feature.scale * generator.normal(size=target.shape)
        elif task.kind == "multilabel":
            said[name] = 1 / (1 + np.exp(-(4 * target - 2 + 3 * noise * generator.normal(size=target.shape))))
        else:
            classes = np.eye(len(feature.classes) or int(target.max()) + 1)[target]
            powers = np.exp(4 * classes + 3 * noise * generator.normal(size=classes.shape))
            shares = powers / powers.sum(axis=-1, keepdims=True)
            said[name] = np.moveaxis(shares, -1, 1) if task.kind == "segment" else shares
    return truth, said


def test_weights_of_probabilities_are_those_that_expectation_maximisation_finds():
    held = classifiers(5)
    evidence = evidence_of(held.task, held.predictions, held.truth)
    weights = np.full(5, 0.2)
    for _ in range(20_000):
        shares = evidence.rows * weights
        weights = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    found = closest_weights(evidence, 0.0)
    np.testing.assert_allclose(found, weights, atol=2e-3)
    assert evidence.cost(found)[0] <= evidence.cost(weights)[0] + 1e-7


def test_weights_of_values_are_those_of_least_squares_on_the_simplex():
    from scipy.optimize import nnls

    task, generator = load_task("diabetes"), np.random.default_rng(1)
    (name,) = task.targets
    truth, _ = noisy_truth(task, generator, 0.0)
    models = [noisy_truth(task, generator, noise)[1] for noise in (0.2, 0.4, 0.8)]
    evidence = evidence_of(task, models, truth)
    columns = np.stack([model[name] for model in models], axis=1) / task.targets[name].scale
    target = truth[name] / task.targets[name].scale
    # a heavy row makes the weights add up to 1
    heavy = np.vstack([columns, np.full(3, 1e4)])
    expected, _ = nnls(heavy, np.append(target, 1e4))
    np.testing.assert_allclose(closest_weights(evidence, 0.0), expected, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_slope_of_the_cost_is_that_of_finite_differences(kind):
    task, generator = load_task(KINDS[kind]), np.random.default_rng(0)
    truth = noisy_truth(task, generator, 0.0)[0]
    models = [noisy_truth(task, generator, noise)[1] for noise in (0.3, 0.6, 0.9)]
    evidence = evidence_of(task, models, truth)
    assert evidence.counts.sum() == pytest.approx(len(task.targets))
    weights = np.array([0.5, 0.3, 0.2])
    slope = evidence.cost(weights)[1]
    for member in range(3):
        step = 1e-6 * np.eye(3)[member]
        difference = (evidence.cost(weights + step)[0] - evidence.cost(weights - step)[0]) / 2e-6
        assert slope[member] == pytest.approx(difference, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_better_of_two_models_weighs_more_in_every_kind_of_task(kind):
    task, generator = load_task(KINDS[kind]), np.random.default_rng(0)
    truth, better = noisy_truth(task, generator, 0.3)
    worse = noisy_truth(task, generator, 1.5)[1]
    weights = learned_weights(task, [worse, better], truth)
    assert weights[1] > 0.6
    assert weights.sum() == pytest.approx(1.0)


def test_padding_and_examples_without_weight_count_for_nothing():
    task, generator = load_task("tagged-words"), np.random.default_rng(0)
    (name,) = task.targets
    truth, model = noisy_truth(task, generator, 0.5)
    other = noisy_truth(task, generator, 0.5)[1]
    mask = truth[f"{name}.mask"]
    assert not mask.all()
    spoiled = {name: np.where(mask[..., None], other[name], 1.0)}
    weights = learned_weights(task, [model, other], truth)
    np.testing.assert_array_equal(learned_weights(task, [model, spoiled], truth), weights)
    half = np.arange(len(mask)) % 2
    counted = evidence_of(task, [model, other], {**truth, "weight": half.astype(np.float32)})
    kept = {key: array[half == 1] for key, array in truth.items()}
    alone = evidence_of(task, [{name: one[name][half == 1]} for one in (model, other)], kept)
    np.testing.assert_allclose(counted.rows, alone.rows)
    np.testing.assert_allclose(counted.counts, alone.counts)


def test_learned_weights_are_near_equal_where_there_is_nothing_to_learn():
    held = classifiers(12, num_examples=60)
    unpulled = closest_weights(evidence_of(held.task, held.predictions, held.truth), 0.0)
    weights = learned_weights(held.task, held.predictions, held.truth)
    assert weights.std() < unpulled.std() / 2
    fresh = [classifiers(12, num_examples=60, seed=seed) for seed in range(1, 30)]

    def worth(chosen):
        return np.mean([other.scored(weighted_mean(other.predictions, chosen))[0] for other in fresh])

    assert worth(weights) > worth(unpulled)


def test_examples_of_one_group_are_in_one_part():
    group = np.repeat(np.arange(7), 5)
    parts = folds({"group": group})
    assert sorted(np.concatenate(parts)) == list(range(35))
    assert all(len(np.intersect1d(group[a], group[b])) == 0 for a in parts for b in parts if a is not b)
    assert PULLS[0] == 0.0


@pytest.mark.parametrize("how", [*COMBINATIONS, "auto"])
def test_every_combination_gives_convex_weights_and_beats_the_best_model(how):
    held = classifiers(6)
    name, chosen = combine(held, how, most=4)
    assert name == how or how == "auto"
    assert sum(chosen.weights) == pytest.approx(1.0)
    assert min(chosen.weights) > 0
    assert 1 <= len(set(chosen.members)) == len(chosen.members) <= 4
    mean = weighted_mean([held.predictions[member] for member in chosen.members], chosen.weights)
    assert held.scored(mean) == pytest.approx(chosen.score)
    assert chosen.score[0] > max(held.scored(one)[0] for one in held.predictions)


@pytest.mark.parametrize("how", [*COMBINATIONS, "auto"])
def test_a_model_of_nan_is_left_out_of_every_combination(how):
    held = classifiers(3)
    broken = {"species": np.full_like(held.predictions[0]["species"], np.nan)}
    held = Held(held.task, [broken, *held.predictions], held.truth, held.score)
    assert 0 not in combine(held, how, most=4)[1].members


def test_the_mean_of_the_best_takes_as_many_as_do_best_together():
    good, bad = classifiers(3, skill=2.0), classifiers(3, skill=-2.0)
    held = Held(good.task, [*bad.predictions, *good.predictions], good.truth, good.score)
    _, chosen = combine(held, "average", most=6)
    ranked = sorted(range(6), key=lambda position: -held.scored(held.predictions[position])[0])
    worth = [
        held.scored(
            weighted_mean([held.predictions[position] for position in ranked[:count]], [1 / count] * count)
        )
        for count in range(1, 7)
    ]
    count = 1 + int(np.argmax([score[0] for score in worth]))
    assert chosen.members == tuple(ranked[:count])
    assert chosen.weights == (1 / count,) * count
    assert set(chosen.members) <= {3, 4, 5}


def test_auto_takes_what_does_best_on_examples_that_were_not_chosen_on():
    held = classifiers(8, num_examples=90)
    found = {name: cross_validated(held, name, most=8) for name in COMBINATIONS}
    name, chosen = combine(held, "auto", most=8)
    assert found[name] == max(found.values())
    assert chosen == combine(held, name, most=8)[1]


def test_a_score_that_chance_gave_is_not_believed():
    held = classifiers(40, num_examples=40, skill=0.0)
    for how in COMBINATIONS:
        assert cross_validated(held, how, most=8)[0] < combine(held, how, most=8)[1].score[0]


def test_an_unknown_combination_is_refused():
    with pytest.raises(SettingError, match="greedy"):
        combine(classifiers(2), "gredy", most=2)
