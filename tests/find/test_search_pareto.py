"""The front of a search: against brute force, with luck taken off, and through a whole search."""

from dataclasses import replace

import pytest

import pomona.find.search.budgets as budgets
from pomona.find.search.engine import search
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.pareto import front, with_objectives
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.trials import MemoryStore, Proposal
from pomona.foundation.errors import SettingError
from pomona.foundation.run import open_run, temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task

OBJECTIVES = ("score", "parameters", "latency")

MODELS = [(0.9, 500), (0.8, 100), (0.85, 600), (0.8, 300), (0.95, 900), (0.9, 500)]
"""Accuracy and parameters; of equal ones the first stays."""


def searched(problem, models):
    store = MemoryStore()
    for place, (accuracy, size) in enumerate(models):
        genome = Genome(problem.usual, {**problem.usual_technique, "learning_rate": 1e-3 * (1 + place)})
        number = store.claim(Proposal(genome.to_json(), genome_hash(genome))).number
        store.finish(number, accuracy, {"accuracy": accuracy}, {"parameters": size, "flops": 2 * size})
    return store


def test_the_front_is_what_no_other_model_beats():
    problem = make_problem(load_task("iris"), SearchSettings(objectives=("score", "parameters")), BLOCKS)
    with temporary_run() as run:
        found = front(searched(problem, MODELS).all(), problem, run)
    assert [model.standing.trial for model in found] == [4, 0, 1]
    assert found[0].to_json("accuracy") == {
        "trial": 4, "accuracy": 0.95, "parameters": 900, "interval": None,
    }  # fmt: skip


def test_a_lucky_score_is_taken_off_before_models_are_compared():
    problem = make_problem(load_task("iris"), SearchSettings(objectives=("score", "parameters")), BLOCKS)
    store = searched(problem, [(0.9, 500), (0.99, 600)])
    lucky = store.all()[1]
    for seed, accuracy in ((1, 0.7), (2, 0.72)):
        number = store.claim(Proposal(lucky.genome, lucky.genome_hash, seed=seed)).number
        store.finish(number, accuracy, {"accuracy": accuracy}, {"parameters": 600})
    with temporary_run() as run:
        assert [model.standing.trial for model in front(store.all(), problem, run)] == [0]


def test_latencies_are_among_the_values_that_strategies_see(monkeypatch):
    monkeypatch.setattr(budgets, "_exported_latency", lambda spec, problem: 0.25)
    problem = make_problem(load_task("iris"), SearchSettings(objectives=OBJECTIVES), BLOCKS)
    with temporary_run() as run:
        trials = with_objectives(searched(problem, MODELS).all(), problem, run)
        assert {trial.values["latency"] for trial in trials} == {0.25}
        assert front(trials, problem, run)[0].values["latency"] == 0.25


def test_a_search_with_several_objectives_tells_its_front(tmp_path, monkeypatch):
    monkeypatch.setattr(budgets, "_exported_latency", lambda spec, problem: 0.1 * len(spec.blocks))
    settings = SearchSettings(
        trials=6, steps=10, starts=2, finalists=1, finalist_seeds=1, objectives=OBJECTIVES, ensemble_size=1
    )
    with open_run(tmp_path / "run", verb="search", subject="iris", identity={}, seed=0, threads=1) as run:
        summary = search(load_task("iris"), settings, run=run).summary()
    models = summary["pareto"]
    assert models
    assert set(models[0]) == {"trial", "accuracy", "parameters", "latency", "interval"}
    for model in models:
        others = [other for other in models if other is not model]
        assert not any(
            other["accuracy"] >= model["accuracy"]
            and other["parameters"] <= model["parameters"]
            and other["latency"] <= model["latency"]
            for other in others
        )
    assert (run.folder / "sections").glob("*pareto.json")


@pytest.mark.parametrize("objectives", [(), ("parameters",), ("score", "score"), ("score", "size")])
def test_objectives_without_a_score_or_unknown_are_refused(objectives):
    with pytest.raises(SettingError, match="objective"):
        replace(SearchSettings(), objectives=objectives)
