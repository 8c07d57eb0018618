"""Finalists: the mean over fresh seeds decides, in a fixed order, and nothing is trained twice."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

import pomona.find.search.finalists as finalists
from pomona.find.search.attempt import attempt
from pomona.find.search.finalists import run_finals
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.models import WEIGHTS
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.result import FitResult
from pomona.fit.trials import MemoryStore, Proposal
from pomona.foundation.run import temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.tasks import load_task

RATES = (1e-3, 2e-3, 4e-3)


@pytest.fixture(scope="module")
def problem():
    settings = SearchSettings(finalists=3, finalist_seeds=3)
    return make_problem(load_task("iris"), settings, BLOCKS)


def searched(problem, scores, folder=None):
    """A store with a completed trial for each score; the learning rates tell the genomes apart."""
    store = MemoryStore(folder)
    for rate, score in zip(RATES, scores, strict=False):
        genome = Genome(problem.usual, {**problem.usual_technique, "learning_rate": rate})
        number = store.claim(Proposal(genome.to_json(), genome_hash(genome))).number
        store.finish(number, score, {"accuracy": score})
    return store


def pretend(monkeypatch, accuracies, calls):
    """Training that returns the next accuracy of the genome's list instead; NaN fails."""

    def train(genome, problem, run, *, name, factor, heritage, lessons):
        calls.append((genome.training["learning_rate"], int(name.rpartition("-")[2]), factor))
        accuracy = accuracies[genome.training["learning_rate"]][calls[-1][1] - 1]
        failed = "the loss was no longer finite" if np.isnan(accuracy) else ""
        state = {"weight": torch.zeros(1)}
        return FitResult(genome.spec, state, 1, 0.1, [], {"accuracy": accuracy, "nll": 0.1}, failed=failed)

    monkeypatch.setattr(finalists, "train", train)


def test_the_mean_over_fresh_seeds_decides_and_not_the_luck_of_the_search(problem, monkeypatch, tmp_path):
    calls = []
    pretend(monkeypatch, {1e-3: (0.8, 0.9, 0.7), 2e-3: (0.9, 0.9, 0.9), 4e-3: (1.0, 0.6, 0.95)}, calls)
    with temporary_run() as run:
        ranked = run_finals(problem, searched(problem, (0.99, 0.95, 0.97)), MemoryStore(tmp_path), run)
    assert ranked[0].trial.genome["training"]["learning_rate"] == 2e-3
    assert ranked[0].mean("accuracy") == pytest.approx(0.9)
    order = [(rate, seed) for rate, seed, _ in calls]
    assert order[:3] == [(rate, 1) for rate in (1e-3, 4e-3, 2e-3)], "every finalist first"
    assert len(order) == len(set(order)) < 9, "who is out of the running is not trained again"
    assert {seed for rate, seed in order if rate == 2e-3} == {1, 2, 3}
    assert {factor for *_, factor in calls} == {problem.settings.finalist_steps}


def test_a_finalist_that_failed_once_does_not_win(problem, monkeypatch, tmp_path):
    pretend(monkeypatch, {1e-3: (1.0, float("nan"), 1.0), 2e-3: (0.5, 0.5, 0.5)}, [])
    with temporary_run() as run:
        ranked = run_finals(problem, searched(problem, (0.99, 0.5)), MemoryStore(tmp_path), run)
    assert [finalist.num_failed for finalist in ranked] == [0, 1]


def test_finals_that_were_stopped_go_on_without_repeating(problem, monkeypatch, tmp_path):
    calls = []
    pretend(monkeypatch, {rate: (0.9, 0.8, 0.7) for rate in RATES}, calls)
    trials = searched(problem, (0.9, 0.8, 0.7))
    store = MemoryStore(tmp_path)
    trained = finalists.train

    def dies(genome, problem, run, **how):
        if len(calls) == 4:
            calls.append(None)
            raise KeyboardInterrupt
        return trained(genome, problem, run, **how)

    monkeypatch.setattr(finalists, "train", dies)
    with temporary_run() as run:
        with pytest.raises(KeyboardInterrupt):
            run_finals(problem, trials, store, run)
        store._own.clear()
        ranked = run_finals(problem, trials, store, run)
    done = [call for call in calls if call is not None]
    assert len(done) == len(set(done)) >= 5
    assert len(ranked[0].repeats) == 3
    assert all(finalist.repeats for finalist in ranked)


def test_without_time_for_finals_the_search_itself_decides(problem, tmp_path):
    trials = searched(problem, (0.9, 0.95))
    with temporary_run(seconds=1e-9) as run:
        ranked = run_finals(problem, trials, MemoryStore(tmp_path), run)
    assert [finalist.repeats for finalist in ranked] == [(), ()]
    assert ranked[0].trial.score == 0.95
    assert ranked[0].mean("accuracy") == 0.95
    assert ranked[0].standing.interval is None


def test_what_the_search_trained_again_is_taken_over_and_not_trained_again(problem, monkeypatch, tmp_path):
    calls = []
    pretend(monkeypatch, {rate: (0.9, 0.8, 0.7) for rate in RATES}, calls)
    trials, store = searched(problem, (0.9, 0.8, 0.7), tmp_path / "trials"), MemoryStore(tmp_path / "finals")
    leader = trials.all()[0]
    again = trials.claim(Proposal(leader.genome, leader.genome_hash, seed=1))
    trials.add_artifact(again.number, WEIGHTS, b"trained during the search")
    trials.finish(again.number, 0.91, {"accuracy": 0.91})
    with temporary_run() as run:
        ranked = run_finals(problem, trials, store, run)
    assert (RATES[0], 1) not in [(rate, seed) for rate, seed, _ in calls]
    assert len(calls) < 8
    (winner,) = [finalist for finalist in ranked if finalist.trial.number == leader.number]
    assert sorted(repeat.score for repeat in winner.repeats)[-1] == 0.91
    assert winner.standing.num_seeds == 4
    taken = next(trial for trial in store.all() if trial.score == 0.91)
    assert store.path(taken.number, WEIGHTS).read_bytes() == b"trained during the search"


def test_what_is_expected_of_a_lucky_model_lies_below_what_it_scored(problem, monkeypatch, tmp_path):
    pretend(monkeypatch, {1e-3: (0.8, 0.82, 0.81), 2e-3: (0.85, 0.86, 0.84), 4e-3: (0.7, 0.72, 0.71)}, [])
    with temporary_run() as run:
        ranked = run_finals(problem, searched(problem, (0.99, 0.86, 0.8)), MemoryStore(tmp_path), run)
    lucky = next(finalist for finalist in ranked if finalist.trial.number == 0)
    low, high = lucky.standing.interval
    assert lucky.standing.raw == 0.99
    assert low < lucky.standing.mean < high
    assert lucky.standing.mean < 0.99


@pytest.mark.parametrize("inherit", [True, False])
def test_every_training_of_a_model_starts_from_the_weights_that_the_first_inherited(inherit, tmp_path):
    settings = SearchSettings(steps=20, finalists=1, finalist_seeds=2, inherit=inherit)
    problem = make_problem(load_task("iris"), settings, BLOCKS)
    store, finals = MemoryStore(tmp_path / "trials"), MemoryStore(tmp_path / "finals")
    # a child that moves hardly at all shows where it began
    parent, child = (
        Genome(problem.usual, {**problem.usual_technique, "learning_rate": rate}) for rate in (1e-3, 1e-9)
    )
    inherited = build(problem.usual, 7).state_dict()
    first = store.claim(Proposal(parent.to_json(), genome_hash(parent)))
    store.add_artifact(first.number, WEIGHTS, save(inherited))
    store.finish(first.number, 0.1, {"accuracy": 0.1}, {"steps": 20, "best_step": 20})
    with temporary_run() as run:
        for seed, parents in ((0, (first.number,)), (1, ())):
            proposal = Proposal(child.to_json(), genome_hash(child), seed, parents)
            attempt(store.claim(proposal), problem, store, run)
        contender = store.all()[1]
        finalists.train_finals([contender], problem, store, finals, run)
    trained = [store.path(1, WEIGHTS), store.path(2, WEIGHTS)]
    trained += [finals.path(trial.number, WEIGHTS) for trial in finals.all()]
    assert len(trained) == 4
    for path in trained:
        there = load_file(path)
        moved = max(float((there[name] - inherited[name]).abs().max()) for name in inherited)
        assert (moved < 1e-5) == inherit, path
