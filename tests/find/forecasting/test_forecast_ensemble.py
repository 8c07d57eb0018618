"""Greedy selection finds what brute force finds, and leaves a winner alone."""

import itertools

import numpy as np
import pytest

from pomona.find.forecasting.ensemble import Selection, combine, losses, select, steadied
from pomona.find.forecasting.problem import QUANTILES, Forecast
from pomona.foundation.errors import DataError


def forecast_around(mean: np.ndarray, nonzero: np.ndarray | None = None) -> Forecast:
    quantiles = mean[:, :, None] + np.linspace(-1, 1, len(QUANTILES))
    return Forecast(mean, quantiles, nonzero)


def random_members(seed: int, count: int):
    random = np.random.default_rng(seed)
    truths = [random.standard_normal((8, 3)) * 5 for _ in range(2)]
    truths[0][1, 2] = np.nan
    sizes = [np.full(8, 2.0), np.full(8, 2.0)]
    members = {
        f"m{index}": [
            forecast_around(truth + random.standard_normal((8, 3))) for truth in map(np.nan_to_num, truths)
        ]
        for index in range(count)
    }
    return members, truths, sizes


def loss_of(members, weights, truths, sizes) -> float:
    """The same loss, an origin, a series and a step at a time."""
    found, counts = 0.0, 0.0
    for index, (truth, size) in enumerate(zip(truths, sizes, strict=True)):
        joined = combine({name: members[name][index] for name in weights}, weights)
        for series in range(len(truth)):
            known = np.isfinite(truth[series])
            for step in np.flatnonzero(known):
                row = (
                    np.concatenate([[joined.mean[series, step]], joined.quantiles[series, step]])
                    / size[series]
                )
                found += losses(row[None], truth[series, step : step + 1] / size[series])[0] / known.sum()
                counts += 1 / known.sum()
    return found / counts


@pytest.mark.parametrize("seed", range(4))
def test_greedy_picks_without_a_diversity_term_are_near_the_best_of_all_means(seed):
    members, truths, sizes = random_members(seed, 3)
    chosen = select(members, truths, sizes, num_picks=4, diversity=0.0)
    brute = min(
        loss_of(members, {n: picks.count(n) for n in set(picks)}, truths, sizes)
        for size in range(1, 5)
        for picks in itertools.combinations_with_replacement(members, size)
    )
    assert loss_of(members, chosen.weights, truths, sizes) == pytest.approx(chosen.loss)
    assert chosen.loss <= min(chosen.alone.values())
    assert brute - 1e-12 <= chosen.loss <= 1.02 * brute
    assert sum(chosen.weights.values()) == pytest.approx(1)


def test_a_member_that_is_right_is_used_alone():
    members, truths, sizes = random_members(0, 3)
    exact = [Forecast(t, np.repeat(t[:, :, None], len(QUANTILES), 2)) for t in map(np.nan_to_num, truths)]
    chosen = select({**members, "exact": exact}, truths, sizes)
    assert chosen.weights == {"exact": 1.0}
    assert chosen.is_single
    assert chosen.loss == pytest.approx(0)


def test_the_diversity_term_prefers_what_says_something_new():
    members, truths, sizes = random_members(1, 1)
    near = [forecast_around(part.mean + 1e-3) for part in members["m0"]]
    far = [
        forecast_around(2 * np.nan_to_num(t) - part.mean)
        for t, part in zip(truths, members["m0"], strict=True)
    ]
    chosen = select({**members, "near": near, "far": far}, truths, sizes, diversity=0.5)
    assert chosen.weights.get("far", 0) > 0.3


def test_members_that_are_not_finite_are_never_picked():
    members, truths, sizes = random_members(2, 2)
    broken = [forecast_around(np.full((8, 3), np.nan)) for _ in truths]
    assert "broken" not in select({"broken": broken, **members}, truths, sizes).weights
    with pytest.raises(DataError, match="finite"):
        select({"broken": broken}, truths, sizes)


def test_combining_keeps_the_order_of_quantiles_and_averages_known_chances():
    random = np.random.default_rng(0)
    parts = {
        "a": forecast_around(random.standard_normal((2, 3)), np.full((2, 3), 0.2)),
        "b": forecast_around(random.standard_normal((2, 3))),
        "c": forecast_around(random.standard_normal((2, 3)), np.full((2, 3), 0.8)),
    }
    joined = combine(parts, {"a": 1.0, "b": 5.0, "c": 3.0})
    assert (np.diff(joined.quantiles, axis=2) >= 0).all()
    assert joined.nonzero is not None
    assert np.allclose(joined.nonzero, 0.65)


def test_members_far_above_the_lowest_loss_are_not_picked():
    members, truths, sizes = random_members(3, 1)
    plain = [np.nan_to_num(true) for true in truths]
    far = [forecast_around(t - 2 * (m.mean - t)) for t, m in zip(plain, members["m0"], strict=True)]
    members = {**members, "far": far}
    assert "far" in select(members, truths, sizes).weights
    assert "far" not in select(members, truths, sizes, reach=1.3).weights


def test_weights_are_drawn_half_way_to_those_by_the_losses_of_single_members():
    found = Selection({"b": 0.6, "a": 0.4}, 0.9, {"a": 1.0, "b": 1.1, "c": 1.25, "d": 2.0})
    prior = np.array([1.0, 1.1**-4, 1.25**-4])
    expected = 0.5 * prior / prior.sum() + [0.2, 0.3, 0]
    assert steadied(found, reach=1.3) == pytest.approx(dict(zip("abc", expected, strict=True)))


def test_a_member_that_is_clearly_better_stays_alone_and_one_that_hardly_is_does_not():
    assert steadied(Selection({"a": 1.0}, 1.0, {"a": 1.0, "b": 1.2}), reach=1.3) == {"a": 1.0}
    shared = steadied(Selection({"a": 1.0}, 1.0, {"a": 1.0, "b": 1.05}), reach=1.3)
    assert 0.7 < shared["a"] < 0.8
    assert sum(shared.values()) == pytest.approx(1)
