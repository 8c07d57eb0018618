"""Conformal sets and intervals hold the truth as often as they promise."""

import json

import numpy as np
import pytest
from scipy.stats import betabinom

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.statistics.conformal import (
    Conformal,
    conformal_classes,
    conformal_numbers,
    prediction_interval,
    prediction_set,
)

NUM_CLASSES, CALIBRATION, NEW, REPEATS = 6, 39, 50, 200


def _classes(generator, num_examples, *, sharpen=1.0):
    """Probabilities that are wrong by `sharpen`, and truths."""
    true = generator.dirichlet(np.full(NUM_CLASSES, 0.5), num_examples)
    target = (true.cumsum(axis=1) < generator.uniform(size=(num_examples, 1))).sum(axis=1)
    claimed = (true + 1e-3) ** sharpen
    return claimed / claimed.sum(axis=1, keepdims=True), target.clip(max=NUM_CLASSES - 1)


def _covered(kind, seed, coverage):
    """How many of NEW truths are inside after a calibration on CALIBRATION examples."""
    generator = np.random.default_rng(seed)
    if kind in ("residual", "normalised"):
        difficulty = generator.uniform(0.1, 3, CALIBRATION + NEW)
        target = generator.standard_t(3, CALIBRATION + NEW) * difficulty
        given = difficulty if kind == "normalised" else None
        old, new = slice(CALIBRATION), slice(CALIBRATION, None)
        part = None if given is None else given[old]
        found = conformal_numbers(np.zeros(CALIBRATION), target[old], coverage=coverage, difficulty=part)
        low, high = prediction_interval(
            found, np.zeros(NEW), difficulty=None if given is None else given[new]
        )
        return int(((low <= target[new]) & (target[new] <= high)).sum())
    probabilities, target = _classes(generator, CALIBRATION + NEW, sharpen=3.0)
    lots = generator if kind == "randomised" else None
    score = "least-ambiguous" if kind == "least-ambiguous" else "adaptive"
    found = conformal_classes(
        probabilities[:CALIBRATION], target[:CALIBRATION], coverage=coverage, score=score, generator=lots
    )
    sets = prediction_set(found, probabilities[CALIBRATION:], generator=lots)
    return int(sets[np.arange(NEW), target[CALIBRATION:]].sum())


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("kind", ["least-ambiguous", "adaptive", "randomised", "residual", "normalised"])
def test_coverage_is_what_was_promised(kind, coverage):
    """Given n calibration examples the number of new truths inside is beta-binomial: the sum of its repeats
    has known moments and lies within four standard deviations; ties may only add coverage."""
    rank = int(np.ceil((CALIBRATION + 1) * coverage))
    law = betabinom(NEW, rank, CALIBRATION + 1 - rank)
    total = sum(_covered(kind, seed, coverage) for seed in range(REPEATS))
    spread = 4 * np.sqrt(REPEATS * law.var())
    assert total >= REPEATS * law.mean() - spread
    if kind != "adaptive":
        assert total <= REPEATS * law.mean() + spread


def test_least_ambiguous_sets_are_the_smallest_and_adaptive_ones_never_empty():
    generator = np.random.default_rng(0)
    probabilities, target = _classes(generator, 50_000)
    sizes = {}
    for score in ("least-ambiguous", "adaptive"):
        sets = prediction_set(conformal_classes(probabilities, target, score=score), probabilities)
        sizes[score] = sets.sum(axis=1)
    assert sizes["least-ambiguous"].mean() <= sizes["adaptive"].mean()
    assert sizes["adaptive"].min() >= 1


def test_the_quantile_is_the_one_of_the_definition():
    wrong = np.arange(1.0, 10.0)
    found = conformal_numbers(np.zeros(9), wrong, coverage=0.9)
    assert found.quantiles == (9.0,)
    assert conformal_numbers(np.zeros(9), wrong, coverage=0.5).quantiles == (5.0,)
    # of 9 examples none can promise 95 %: everything is inside
    everything = conformal_numbers(np.zeros(9), wrong, coverage=0.95)
    low, high = prediction_interval(everything, np.zeros(2))
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()


def test_each_number_of_a_target_has_its_own_width():
    generator = np.random.default_rng(1)
    target = generator.normal(size=(500, 3, 2)) * np.arange(1, 7).reshape(3, 2)
    found = conformal_numbers(np.zeros_like(target), target)
    low, high = prediction_interval(found, np.zeros((4, 3, 2)))
    assert low.shape == (4, 3, 2)
    assert (np.diff((high - low)[0].ravel()) > 0).all()


def test_calibrations_are_plain_data():
    for found in (
        conformal_numbers(np.zeros(3), np.ones(3), coverage=0.9),
        conformal_classes(
            *_classes(np.random.default_rng(2), 50), score="adaptive", generator=np.random.default_rng(0)
        ),
    ):
        assert Conformal.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_what_does_not_fit_together_is_refused_in_one_line():
    probabilities, target = _classes(np.random.default_rng(3), 50)
    classes, numbers = conformal_classes(probabilities, target), conformal_numbers(np.zeros(20), np.ones(20))
    with pytest.raises(SettingError, match="not intervals"):
        prediction_interval(classes, np.zeros(3))
    with pytest.raises(SettingError, match="not sets"):
        prediction_set(numbers, probabilities)
    with pytest.raises(SettingError, match="leave out the generator"):
        prediction_set(classes, probabilities, generator=np.random.default_rng(0))
    with pytest.raises(SettingError, match="difficulty"):
        prediction_interval(numbers, np.zeros(3), difficulty=np.ones(3))
    with pytest.raises(DataError, match="above 0"):
        conformal_numbers(np.zeros(3), np.ones(3), difficulty=np.zeros(3))
    with pytest.raises(SettingError, match="level"):
        conformal_numbers(np.zeros(3), np.ones(3), coverage=1.0)
