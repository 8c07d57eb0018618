"""One battery for all strategies, over spaces of settings and over one that is nothing of the kind."""

import copy
import json

import numpy as np
import pytest

from pomona.fit.trials.space import Choice, Float, Int, Space
from pomona.fit.trials.strategies import METHODS, StrategySettings
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import InputError, SettingError

SETTINGS = Space(
    {
        "rate": Float(1e-4, 1e-1, log=True),
        "depth": Int(1, 6),
        "kind": Choice(("a", "b", "c")),
        "one": Int(2, 2),
    }
)
CELLS = Space({f"edge{i}": Choice(("none", "skip", "conv")) for i in range(4)})
SMALL = Space({"x": Choice((1, 2)), "y": Choice((True, False))})
SINGLE = Space({"x": Choice(("only",))})


class Words:
    """Words of one to eight letters, of which one is put in, taken out or replaced."""

    def sample(self, generator):
        return "".join(generator.choice(list("abc"), size=int(generator.integers(1, 5))))

    def mutate(self, point, generator):
        at, letter = int(generator.integers(len(point))), str(generator.choice(list("abc")))
        longer, shorter = point[:at] + letter + point[at:], point[:at] + point[at + 1 :]
        changed = [longer[:8], shorter or letter, point[:at] + letter + point[at + 1 :]]
        return changed[int(generator.integers(3))]

    def cross(self, a, b, generator):
        return (a[: int(generator.integers(1, len(a) + 1))] + b)[:8]

    def key(self, point):
        return point

    def features(self, point):
        return np.array([len(point) / 8.0, *(point.count(letter) / 8.0 for letter in "abc")])


SPACES = {"settings": SETTINGS, "cells": CELLS, "small": SMALL, "words": Words()}


def finished(space, number, suggestion, score, state="completed"):
    return Trial(
        number, state, suggestion.point, space.key(suggestion.point), suggestion.seed, suggestion.parents,
        suggestion.mutation, score, values={}, attributes={}, reports={}, attempts=1, started=0, finished=1,
    )  # fmt: skip


def score_of(space, suggestion, noise=0.0):
    weights = np.linspace(-1.0, 2.0, len(space.features(suggestion.point)))
    return float(space.features(suggestion.point) @ weights) + noise


def search(name, space, *, num_trials=40, seed=0, unit=1.0, states=("completed",), **changes):
    generator, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    settings = StrategySettings(num_trials=num_trials, starts=5, **changes)
    trials = []
    for number in range(num_trials):
        suggestion = METHODS[name](space, trials, generator, settings)
        state = states[number % len(states)]
        score = unit * score_of(space, suggestion, 0.1 * noise.standard_normal())
        trials.append(finished(space, number, suggestion, score if state == "completed" else None, state))
    return trials


def cases():
    return [(name, key) for name in METHODS for key in SPACES if (name, key) != ("tpe", "words")]


@pytest.mark.parametrize(("name", "key"), cases())
def test_suggestions_are_points_with_a_seed_of_their_own_and_repeat_themselves(name, key):
    space = SPACES[key]
    trials = search(name, space)
    assert search(name, space) == trials
    for trial in trials:
        earlier = [other.seed for other in trials[: trial.number] if other.genome_hash == trial.genome_hash]
        assert trial.seed == len(earlier)
        assert trial.genome == json.loads(json.dumps(trial.genome)), "a point is JSON data"
        assert all(parent < trial.number for parent in trial.parents)
        assert trial.mutation
        if isinstance(space, Space):
            assert space.contains(trial.genome)


@pytest.mark.parametrize("name", METHODS)
def test_strategies_leave_the_trials_alone(name):
    trials = search(name, CELLS, num_trials=25)
    before = copy.deepcopy(trials)
    METHODS[name](CELLS, trials, np.random.default_rng(0), StrategySettings(num_trials=50))
    assert trials == before


@pytest.mark.parametrize("name", METHODS)
def test_the_unit_of_the_score_does_not_matter(name):
    points = [trial.genome for trial in search(name, CELLS)]
    assert [trial.genome for trial in search(name, CELLS, unit=1024.0)] == points


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("states", [("failed",), ("completed", "failed", "pruned", "running")])
def test_trials_without_a_score_are_known_but_no_example(name, states):
    trials = search(name, SETTINGS, num_trials=30, states=states)
    scored = {trial.number for trial in trials if trial.score is not None}
    assert all(set(trial.parents) <= scored for trial in trials)


@pytest.mark.parametrize("name", METHODS)
def test_a_space_of_one_point_is_evaluated_again_and_again(name):
    if name == "tpe":
        pytest.skip("Optuna's estimator needs no test of ours")
    trials = search(name, SINGLE, num_trials=15)
    assert [trial.seed for trial in trials] == list(range(15))


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("random", "tpe")])
def test_strategies_beat_random_search_on_average(name):
    def mean_best(method):
        best = [
            max(
                score_of(CELLS, suggestion) for suggestion in map(Suggested, search(method, CELLS, seed=seed))
            )
            for seed in range(8)
        ]
        return np.mean(best)

    class Suggested:
        def __init__(self, trial):
            self.point = trial.genome

    assert mean_best(name) > mean_best("random")


@pytest.mark.parametrize("name", ["beam", "pareto"])
def test_ours_try_no_point_twice_but_to_evaluate_leaders_again(name):
    trials = search(name, SETTINGS, num_trials=60, reevaluations=0.0)
    assert len({trial.genome_hash for trial in trials}) == 60


def test_the_beam_spends_its_share_on_leaders_and_most_of_it_late():
    trials = search("beam", SETTINGS, num_trials=100, reevaluations=0.2)
    again = [trial.number for trial in trials if trial.seed > 0]
    assert len(again) == 20
    assert np.mean(again) > 60
    ranked = sorted((trial for trial in trials if trial.seed == 0), key=lambda trial: -(trial.score or 0.0))
    # an early leader may have fallen behind since
    assert {trials[number].genome_hash for number in again} <= {trial.genome_hash for trial in ranked[:40]}


def test_the_beam_without_deduplication_and_surrogate_pays_for_known_points():
    plain = {"deduplicate": False, "surrogate": False, "reevaluations": 0.0}
    trials = search("beam", CELLS, num_trials=60, **plain)
    assert len({trial.genome_hash for trial in trials}) < 60


def test_optunas_estimator_refuses_a_space_without_parameters():
    with pytest.raises(SettingError, match="named parameters"):
        METHODS["tpe"](Words(), [], np.random.default_rng(0), StrategySettings())


def test_a_space_that_cannot_change_a_point_is_searched_at_random():
    class Frozen(Words):
        def mutate(self, point, generator):
            raise InputError("nothing can be changed")

    for name in METHODS:
        if name != "tpe":
            assert len(search(name, Frozen(), num_trials=25)) == 25


@pytest.mark.parametrize(
    "changes",
    [
        {"num_trials": 0}, {"starts": 0}, {"beam_width": 0}, {"widen_every": 0}, {"candidates": 0},
        {"reevaluations": 1.0}, {"further": -0.1}, {"population": 1}, {"sample": 0}, {"objectives": ()},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(changes):
    with pytest.raises(SettingError):
        StrategySettings(**changes)


def test_features_of_a_space_are_one_hot_and_scaled():
    point = {"rate": 1e-4, "depth": 6, "kind": "b", "one": 2}
    np.testing.assert_allclose(SETTINGS.features(point), [0.0, 11 / 12, 0.0, 1.0, 0.0], atol=1e-12)
    assert SMALL.key({"x": 1, "y": True}) == SMALL.key({"y": True, "x": 1}) != SMALL.key({"x": 2, "y": True})
