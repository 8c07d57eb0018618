"""How models stand: in the metric's own unit and direction, within its range, failed ones last."""

import numpy as np
import pytest

from pomona.find.search.leaders import num_reevaluated, once_each, ranking, standings
from pomona.find.search.yardstick import Yardstick
from pomona.fit.trials import MemoryStore, Proposal

ACCURACY = Yardstick("accuracy", greater_is_better=True, num_examples=100)
ERROR = Yardstick("rmse", greater_is_better=False, num_examples=100)


def store_of(scores, metric="accuracy", sign=1.0):
    """A store with a trial for each seed of each model; None fails it."""
    store = MemoryStore()
    for key, own in scores.items():
        for seed, value in enumerate(own):
            number = store.claim(Proposal({}, key, seed=seed)).number
            if value is None:
                store.fail(number, "the loss was no longer finite")
            else:
                store.finish(number, sign * value, {metric: value})
    return store


def test_the_least_error_leads_and_is_told_as_an_error():
    store = store_of({"a": (2.0, 2.4, 2.2), "b": (1.0, 1.2, 1.1), "c": (3.0,)}, "rmse", sign=-1.0)
    found = standings(store.all(), ERROR)
    assert min(found, key=lambda key: found[key].mean) == "b"
    for standing in found.values():
        low, high = standing.interval
        assert 0 < low < standing.mean < high
    assert found["b"].raw == 1.0
    assert [trial.genome_hash for trial in ranking(store.all())] == ["b", "a", "c"]


def test_nothing_is_expected_beyond_the_range_of_the_metric():
    found = standings(store_of({"a": (1.0, 0.9, 1.0), "b": (0.98, 1.0), "c": (0.4,)}).all(), ACCURACY)
    assert all(0 <= one.interval[0] <= one.mean <= one.interval[1] <= 1 for one in found.values())


def test_while_no_model_was_trained_twice_there_is_no_interval():
    found = standings(store_of({"a": (0.9,), "b": (0.8,)}).all(), ACCURACY)
    assert [one.interval for one in found.values()] == [None, None]
    assert found["a"].mean == found["a"].raw == 0.9


def test_a_model_of_which_a_training_failed_comes_last():
    trials = store_of({"broken": (0.99, None), "sound": (0.5, 0.5)}).all()
    assert [trial.genome_hash for trial in ranking(trials)] == ["sound", "broken"]
    assert num_reevaluated(trials) == 1


def test_a_training_that_is_known_twice_counts_once():
    first, second = (store_of({"a": (0.9, 0.8), "b": (0.7,)}).all() for _ in range(2))
    assert once_each([*first, *second]) == list(first)


def test_expected_scores_are_closer_to_the_truth_than_the_scores_themselves():
    generator = np.random.default_rng(0)
    errors = np.zeros((200, 2))
    for row in errors:
        truth = dict(zip("abcdefghij", generator.normal(0.8, 0.01, 10), strict=True))
        noisy = {key: tuple(generator.normal(value, 0.02, 2)) for key, value in truth.items()}
        found = standings(store_of(noisy).all(), ACCURACY)
        best = max(found, key=lambda key: found[key].mean)
        row[:] = found[best].mean - truth[best], max(noisy[best]) - truth[best]
    expected, lucky = errors.mean(axis=0)
    assert abs(expected) < 0.3 * lucky
    assert lucky > 0.01


def test_ranking_of_nothing_is_nothing():
    assert ranking(()) == ()
    assert standings((), ACCURACY) == {}


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_number_of_trainings_is_told(seeds):
    store = store_of({"a": (0.9,) * seeds})
    assert standings(store.all(), ACCURACY)["a"].num_seeds == seeds
