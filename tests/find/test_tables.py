"""Tables: numbered points, draws as those of the space itself, known regrets, and pickles that do no harm."""

import io
import pickle

import numpy as np
import pytest

from pomona.find.tables import TABLES, Table, read_table, replay, tables_named
from pomona.find.tables.reading import _PlainUnpickler
from pomona.find.tables.regret import one_search
from pomona.find.tables.table import TablePoints
from pomona.fit.trials.space import Choice, Space
from pomona.fit.trials.strategies import METHODS, StrategySettings, Suggestion
from pomona.foundation.errors import SettingError

SPACE = Space({"a": Choice(("x", "y", "z")), "b": Choice((1, 2)), "c": Choice((0.5, 0.25))})


def small_table(is_loss=False):
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(12, 1)) + 0.01 * generator.normal(size=(12, 3))
    scores[4, 2] = np.nan
    return Table("small", SPACE, -np.abs(scores) if is_loss else scores, is_loss)


def all_points(points):
    return [
        {"a": a, "b": b, "c": c} for a in SPACE.parameters["a"].options for b in (1, 2) for c in (0.5, 0.25)
    ]


def test_points_are_numbered_with_the_last_parameter_fastest():
    points = small_table().points
    assert [points.index(point) for point in all_points(points)] == list(range(12))


def test_points_of_a_table_are_those_of_the_space():
    points = small_table().points
    generator = np.random.default_rng(0)
    for point in all_points(points):
        np.testing.assert_array_equal(points.features(point), SPACE.features(point))
        reached = {points.index(points.mutate(point, generator)) for _ in range(400)}
        assert reached == {points.index(SPACE.mutate(point, generator)) for _ in range(400)}
    counts = np.bincount([points.index(points.sample(generator)) for _ in range(12_000)], minlength=12)
    assert np.abs(counts - 1000).max() < 150


def test_mutations_choose_parameter_and_option_evenly():
    points, generator = small_table().points, np.random.default_rng(0)
    point = {"a": "x", "b": 1, "c": 0.5}
    moved = [points.mutate(point, generator) for _ in range(12_000)]
    shares = [
        np.mean([m == {**point, **change} for m in moved]) for change in ({"a": "y"}, {"a": "z"}, {"b": 2})
    ]
    np.testing.assert_allclose(shares, [1 / 6, 1 / 6, 1 / 3], atol=0.02)


def test_regret_is_the_gap_to_the_best_true_mean():
    table, losses = small_table(), small_table(is_loss=True)
    means = np.nanmean(table.scores, axis=1)
    assert [table.regret(i) for i in range(12)] == pytest.approx(list(means.max() - means))
    lost = -np.nanmean(losses.scores, axis=1)
    assert [losses.regret(i) for i in range(12)] == pytest.approx(list(lost / lost.min() - 1))
    assert list(table.num_seeds) == [3] * 4 + [2] + [3] * 7


def test_evaluations_of_a_point_go_through_its_seeds_before_they_start_anew():
    table = small_table()

    def stubborn(space, trials, generator, settings):
        return Suggestion({"a": "y", "b": 1, "c": 0.5})

    settings = StrategySettings(num_trials=4)
    trials = one_search(table, table.points, stubborn, settings, seed=0, repetition=0)
    assert {trial.score for trial in trials} == set(table.scores[4, :2])
    assert [trial.score for trial in trials[:2]] == [trial.score for trial in trials[2:]]
    assert [trial.seed for trial in trials] == [0, 1, 2, 3]


def test_replays_repeat_themselves_and_end_at_the_optimum_of_a_small_space():
    found = [replay(small_table(), METHODS["beam"], trials=60, repetitions=4, seed=3) for _ in range(2)]
    assert (found[0].mean, found[0].standard_error) == (found[1].mean, found[1].standard_error) == (0.0, 0.0)
    assert found[0].num_points == 12
    some = replay(small_table(), METHODS["random"], trials=5, repetitions=30, seed=3)
    other = replay(small_table(), METHODS["random"], trials=5, repetitions=30, seed=4)
    assert some.mean > 0
    assert some.mean != other.mean


@pytest.mark.parametrize("changes", [{"trials": 0}, {"repetitions": 1}])
def test_impossible_replays_are_refused(changes):
    with pytest.raises(SettingError):
        replay(small_table(), METHODS["random"], **changes)


def test_names_mean_tables_families_or_all():
    assert len(tables_named("nas201")) == 3
    assert len(tables_named("fcnet")) == 4
    assert tables_named("all") == tuple(TABLES)
    assert tables_named("fcnet-naval") == ("fcnet-naval",)
    with pytest.raises(SettingError, match="did you mean 'nas201'"):
        tables_named("nas101")


def test_a_pickle_that_names_anything_is_refused():
    with pytest.raises(pickle.UnpicklingError, match="it names"):
        _PlainUnpickler(io.BytesIO(pickle.dumps({"0": TablePoints}))).load()


def test_a_recorded_table_has_its_published_optimum():
    """The best cell on CIFAR-10 by mean validation accuracy, and what is known of it (arXiv 2001.00326)."""
    table = read_table("nas201-cifar10")
    assert table.scores.shape == (15_625, 3)
    assert table.true_means.max() == pytest.approx(91.607, abs=1e-3)
    nothing = {f"Op{edge}": "none" for edge in range(6)}
    assert table.true_means[table.points.index(nothing)] == pytest.approx(10.0, abs=0.5)
