"""Spaces: every draw is inside, every mutation moves one parameter, and the JSON round trip is exact."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.fit.trials.space import Choice, Float, Int, Space
from pomona.foundation.errors import SettingError

SPACE = Space(
    {
        "optimiser": Choice(("adam", "sgd")),
        "augment": Choice((True, False)),
        "rate": Float(1e-4, 1e-1, log=True),
        "dropout": Float(0.0, 0.5),
        "width": Int(1, 64, log=True),
        "depth": Int(1, 3),
        "fixed": Int(2, 2),
    }
)

seeds = st.integers(0, 2**32)


@given(seeds)
def test_every_sample_is_in_the_space(seed):
    assert SPACE.contains(SPACE.sample(np.random.default_rng(seed)))


@given(seeds)
def test_a_mutation_moves_exactly_one_parameter(seed):
    generator = np.random.default_rng(seed)
    point = SPACE.sample(generator)
    moved = SPACE.mutate(point, generator)
    assert SPACE.contains(moved)
    assert sum(moved[name] != point[name] for name in point) == 1


@given(seeds)
def test_neighbours_are_other_points_of_the_space(seed):
    point = SPACE.sample(np.random.default_rng(seed))
    neighbours = SPACE.neighbours(point)
    assert neighbours
    assert all(SPACE.contains(near) and near != point for near in neighbours)


def test_equal_generators_draw_equal_points():
    assert SPACE.sample(np.random.default_rng(3)) == SPACE.sample(np.random.default_rng(3))


def test_draws_cover_their_ranges_evenly():
    generator = np.random.default_rng(0)
    points = [SPACE.sample(generator) for _ in range(6000)]
    depths = np.bincount([point["depth"] for point in points])[1:]
    assert np.all(np.abs(depths / 2000 - 1) < 0.1)
    rates = np.log10([point["rate"] for point in points])
    assert np.all(np.abs(np.histogram(rates, bins=3, range=(-4, -1))[0] / 2000 - 1) < 0.1)
    assert {point["width"] for point in points} >= {1, 2, 3, 4, 60, 64}


@pytest.mark.parametrize(
    "change",
    [{"width": 0}, {"width": 2.0}, {"rate": 1.0}, {"optimiser": "lion"}, {"augment": 1}, {"depth": True}],
)
def test_values_out_of_range_or_of_another_type_are_not_contained(change):
    point = SPACE.sample(np.random.default_rng(0))
    assert not SPACE.contains({**point, **change})
    assert not SPACE.contains({"width": 1})


def test_a_space_survives_json():
    assert Space.from_json(json.loads(json.dumps(SPACE.to_json()))) == SPACE


@pytest.mark.parametrize(
    "make",
    [
        lambda: Choice(()),
        lambda: Choice((1, 1)),
        lambda: Choice(((1, 0), (0, 1))),
        lambda: Float(1.0, 0.0),
        lambda: Float(0.0, 1.0, log=True),
        lambda: Int(0, 4, log=True),
        lambda: Float(0.0, float("inf")),
    ],
)
def test_an_impossible_parameter_is_refused(make):
    with pytest.raises(SettingError):
        make()


def test_a_space_of_one_point_cannot_be_mutated():
    space = Space({"fixed": Int(2, 2)})
    with pytest.raises(SettingError, match="single point"):
        space.mutate({"fixed": 2}, np.random.default_rng(0))
