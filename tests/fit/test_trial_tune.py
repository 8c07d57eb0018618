"""Tuning: every strategy finds, repeats itself, goes on where it stopped and tries no point twice."""

import pytest

from pomona.fit.trials.memory import MemoryStore
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.space import Choice, Float, Int, Space
from pomona.fit.trials.strategies import METHODS
from pomona.fit.trials.tuning import tune
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run

SPACE = Space({"x": Float(-4.0, 4.0), "y": Int(-8, 8), "mode": Choice(("on", "off"))})


def bowl(point):
    return -((point["x"] - 1.0) ** 2) - (point["y"] - 2) ** 2 - 5.0 * (point["mode"] == "off")


@pytest.mark.parametrize("strategy", METHODS)
def test_every_strategy_finds_a_good_point_and_repeats_itself(strategy):
    results = []
    for _ in range(2):
        with temporary_run(seed=3) as run:
            result = tune(bowl, SPACE, num_trials=60, store=MemoryStore(), run=run, strategy=strategy)
        results.append([(trial.genome, trial.score) for trial in result.trials])
        assert result.score == bowl(result.best) == max(trial.score for trial in result.trials)
        assert result.score > -4.0
    assert results[0] == results[1]


@pytest.mark.parametrize("strategy", ["evolve", "tpe", "beam"])
def test_learning_strategies_beat_random_on_average(strategy):
    def mean_score(name):
        scores = []
        for seed in range(5):
            with temporary_run(seed=seed) as run:
                result = tune(bowl, SPACE, num_trials=60, store=MemoryStore(), run=run, strategy=name)
            scores.append(result.score)
        return sum(scores) / len(scores)

    assert mean_score(strategy) > mean_score("random")


def test_no_point_is_tried_twice_and_an_exhausted_space_ends_the_search():
    small = Space({"a": Int(1, 3), "b": Choice(("x", "y"))})
    with temporary_run() as run:
        result = tune(lambda point: point["a"], small, num_trials=50, store=MemoryStore(), run=run)
    points = {tuple(trial.genome.values()) for trial in result.trials}
    assert len(result.trials) == len(points) == 6


def test_a_score_of_nan_fails_its_trial_and_never_wins():
    def fragile(point):
        return float("nan") if point["y"] > 0 else bowl(point)

    with temporary_run() as run:
        result = tune(fragile, SPACE, num_trials=30, store=MemoryStore(), run=run)
    assert result.best["y"] <= 0
    assert {trial.state for trial in result.trials} == {"completed", "failed"}


def test_no_completed_trial_gives_no_best_point():
    with temporary_run() as run:
        result = tune(lambda point: float("nan"), SPACE, num_trials=2, store=MemoryStore(), run=run)
    assert result.best is None


def test_a_stopped_search_goes_on_and_ends_as_if_never_stopped(tmp_path):
    with temporary_run(seed=1) as run:
        whole = tune(bowl, SPACE, num_trials=12, store=MemoryStore(), run=run, strategy="evolve")
    calls = []

    def dies_once(point):
        calls.append(point)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return bowl(point)

    with temporary_run(seed=1) as run:
        store = OptunaStore(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            tune(dies_once, SPACE, num_trials=12, store=store, run=run, strategy="evolve")
        store.close()
        store = OptunaStore(tmp_path)
        resumed = tune(dies_once, SPACE, num_trials=12, store=store, run=run, strategy="evolve")
        store.close()
    assert len(calls) == 13, "only the trial in hand is done again"
    assert [(trial.genome, trial.score) for trial in resumed.trials] == [
        (trial.genome, trial.score) for trial in whole.trials
    ]


def test_a_spent_budget_ends_the_search():
    with temporary_run(seconds=1e-9) as run:
        result = tune(bowl, SPACE, num_trials=5, store=MemoryStore(), run=run)
    assert result.trials == ()


@pytest.mark.parametrize("changes", [{"num_trials": 0}, {"num_trials": 5, "strategy": "luck"}])
def test_wrong_settings_are_refused(changes):
    with temporary_run() as run, pytest.raises(SettingError):
        tune(bowl, SPACE, store=MemoryStore(), run=run, **changes)
