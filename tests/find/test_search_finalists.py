"""Finalists: the mean over fresh seeds decides, in a fixed order, and nothing is trained twice."""

import numpy as np
import pytest
import torch

import pomona.find.search.finalists as finalists
from pomona.find.search.finalists import Finalist, run_finals
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.result import FitResult
from pomona.fit.trials import MemoryStore, Proposal
from pomona.foundation.run import temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task

RATES = (1e-3, 2e-3, 4e-3)


@pytest.fixture(scope="module")
def problem():
    settings = SearchSettings(finalists=3, finalist_seeds=3)
    return make_problem(load_task("iris"), settings, BLOCKS)


def searched(problem, scores):
    """A store with a completed trial for each score; the learning rates tell the genomes apart."""
    store = MemoryStore()
    for rate, score in zip(RATES, scores, strict=False):
        genome = Genome(problem.usual, {**problem.usual_technique, "learning_rate": rate})
        number = store.claim(Proposal(genome.to_json(), genome_hash(genome))).number
        store.finish(number, score, {"accuracy": score})
    return store


def pretend(monkeypatch, accuracies, calls):
    """Training that returns the next accuracy of the genome's list instead; NaN fails."""

    def train(genome, problem, run, *, name, factor):
        calls.append((genome.training["learning_rate"], int(name.rpartition("-")[2]), factor))
        accuracy = accuracies[genome.training["learning_rate"]][calls[-1][1] - 1]
        failed = "the loss was no longer finite" if np.isnan(accuracy) else ""
        state = {"weight": torch.zeros(1)}
        return FitResult(genome.spec, state, 1, 0.1, [], {"accuracy": accuracy, "nll": 0.1}, failed=failed)

    monkeypatch.setattr(finalists, "train", train)


def test_the_mean_over_fresh_seeds_decides_and_not_the_luck_of_the_search(problem, monkeypatch, tmp_path):
    calls = []
    pretend(monkeypatch, {1e-3: (0.8, 0.9, 0.7), 2e-3: (0.9, 0.9, 0.9), 4e-3: (1.0, 0.6, 0.95)}, calls)
    contenders = searched(problem, (0.99, 0.95, 0.97)).top_k(3)
    with temporary_run() as run:
        ranked = run_finals(problem, contenders, MemoryStore(tmp_path), run)
    assert [finalist.trial.genome["training"]["learning_rate"] for finalist in ranked] == [2e-3, 4e-3, 1e-3]
    assert ranked[0].mean("accuracy") == pytest.approx(0.9)
    order = [(rate, seed) for rate, seed, _ in calls]
    assert order == [(rate, seed) for seed in (1, 2, 3) for rate in (1e-3, 4e-3, 2e-3)]
    assert {factor for *_, factor in calls} == {problem.settings.finalist_steps}


def test_a_finalist_that_failed_once_does_not_win(problem, monkeypatch, tmp_path):
    pretend(monkeypatch, {1e-3: (1.0, float("nan"), 1.0), 2e-3: (0.5, 0.5, 0.5)}, [])
    contenders = searched(problem, (0.99, 0.5)).top_k(2)
    with temporary_run() as run:
        ranked = run_finals(problem, contenders, MemoryStore(tmp_path), run)
    assert [finalist.num_failed for finalist in ranked] == [0, 1]
    assert ranked[1].score == float("-inf")


def test_finals_that_were_stopped_go_on_without_repeating(problem, monkeypatch, tmp_path):
    calls = []
    pretend(monkeypatch, {rate: (0.9, 0.8, 0.7) for rate in RATES}, calls)
    contenders = searched(problem, (0.9, 0.8, 0.7)).top_k(3)
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
            run_finals(problem, contenders, store, run)
        store._own.clear()
        ranked = run_finals(problem, contenders, store, run)
    done = [call for call in calls if call is not None]
    assert len(done) == len(set(done)) == 9
    assert all(len(finalist.repeats) == 3 for finalist in ranked)


def test_without_time_for_finals_the_search_itself_decides(problem, tmp_path):
    contenders = searched(problem, (0.9, 0.95)).top_k(2)
    with temporary_run(seconds=1e-9) as run:
        ranked = run_finals(problem, contenders, MemoryStore(tmp_path), run)
    assert [finalist.repeats for finalist in ranked] == [(), ()]
    assert ranked[0].trial.score == 0.95
    assert ranked[0].mean("accuracy") == 0.95


def test_a_mean_over_more_seeds_goes_before_one_over_fewer(problem):
    one, two = searched(problem, (0.9, 0.8)).top_k(2)
    many, few = Finalist(two, (two, two)), Finalist(one, (one,))
    assert sorted([few, many], key=finalists._rank) == [many, few]
