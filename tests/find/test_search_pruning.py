"""Pruners: the same answers as Optuna gives in a study of its own, logged, and counted as trials."""

from dataclasses import replace

import numpy as np
import optuna
import pytest

from pomona.find.search.explore import explore, num_tried
from pomona.find.search.problem import make_problem
from pomona.find.search.pruning import (
    PARTS,
    is_pruned,
    make_pruner,
    pruner_of,
    saved_share,
    was_stopped_early,
    watch_of,
)
from pomona.find.search.settings import SearchSettings
from pomona.fit.evaluate import Evaluation
from pomona.fit.trials import MemoryStore, Proposal
from pomona.foundation.run import temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task

CURVES = np.random.default_rng(0).uniform(0, 1, (30, 1)) + np.linspace(0, 0.3, PARTS)
CURVES += 0.05 * np.random.default_rng(1).standard_normal(CURVES.shape)


def ended_live(name):
    """After how many parts Optuna ends each training when it is asked as it goes."""
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name), study_name="pruning")
    ends = []
    for curve in CURVES:
        trial = study.ask()
        for part, score in enumerate(curve, 1):
            trial.report(score, part)
            if part < PARTS and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            study.tell(trial, curve[-1])
        ends.append(part)
    return ends


def ended_here(name):
    """The same from a store of trials."""
    store, ends = MemoryStore(), []
    for position, curve in enumerate(CURVES):
        trial = store.claim(Proposal({}, str(position)))
        ask = pruner_of(name, store.all(), trial)
        for part, score in enumerate(curve, 1):
            store.report(trial.number, part, score)
            if ask(part, score) and part < PARTS:
                store.prune(trial.number, "ended early")
                break
        else:
            store.finish(trial.number, curve[-1], {})
        ends.append(part)
    return ends


@pytest.mark.parametrize("name", ["median", "halving", "hyperband"])
def test_a_store_of_trials_is_pruned_as_optuna_prunes_its_own(name):
    ends = ended_here(name)
    assert ends == ended_live(name)
    assert PARTS in ends
    assert min(ends) < PARTS


def test_a_training_that_goes_on_elsewhere_is_judged_by_what_it_had_reported():
    store = MemoryStore()
    for position, curve in enumerate(CURVES[:10]):
        number = store.claim(Proposal({}, str(position))).number
        for part, score in enumerate(curve, 1):
            store.report(number, part, score)
        store.finish(number, curve[-1], {})
    trial = store.claim(Proposal({}, "new"))
    store.report(trial.number, 2, 5.0)
    (resumed,) = [known for known in store.all() if known.number == trial.number]
    assert not pruner_of("median", store.all(), resumed)(3, -5.0), "its best so far counts"
    assert pruner_of("median", store.all(), trial)(3, -5.0)


def completed(store, problem, scores):
    for position, score in enumerate(scores):
        number = store.claim(Proposal({}, str(position))).number
        for part in range(1, PARTS + 1):
            store.report(number, part, score)
        store.finish(number, score, {})


def test_a_watch_reports_by_eighths_and_its_decision_is_logged():
    problem = make_problem(load_task("wine"), SearchSettings(pruner="median"), BLOCKS)
    store = MemoryStore()
    completed(store, problem, (0.8, 0.9, 0.85, 0.9, 0.8, 0.9))
    trial = store.claim(Proposal({}, "new"))
    with temporary_run() as run:
        watch = watch_of(trial, problem, store, run)
        bad = Evaluation({"accuracy": 0.2, "nll": 1.0}, 0.2, 1.0)
        assert watch(0.1, bad) == ""
        reason = watch(0.4, bad)
        assert is_pruned(reason)
        assert "3/8" in reason
        assert set(store.all()[trial.number].reports) == {1, 3}
        good = Evaluation({"accuracy": 1.0, "nll": 0.0}, 1.0, 0.0)
        assert watch(0.4, good) == reason, "a decision is not made again"
        assert watch(1.0, bad) == "", "the last evaluation ends nothing"
    ended = store.prune(trial.number, reason)
    assert was_stopped_early(ended)
    assert saved_share(ended) == 0.0, "it had reached its end"


def test_without_a_pruner_nothing_watches():
    problem = make_problem(load_task("wine"), SearchSettings(), BLOCKS)
    store = MemoryStore()
    with temporary_run() as run:
        assert watch_of(store.claim(Proposal({}, "a")), problem, store, run) is None


def test_a_search_with_a_pruner_ends_after_its_trials_and_repeats_itself(tmp_path):
    settings = SearchSettings(trials=14, steps=40, starts=2, pruner="median", reevaluations=0.0)
    problem = make_problem(load_task("wine"), settings, BLOCKS)
    found = []
    for name in ("a", "b"):
        store = MemoryStore(tmp_path / name)
        with temporary_run(seed=4) as run:
            explore(problem, store, run)
        found.append([(t.genome_hash, t.state, t.score, dict(t.reports)) for t in store.all()])
        assert num_tried(store.all()) == 14
        early = [trial for trial in store.all() if was_stopped_early(trial)]
        assert early
        assert all(0 < saved_share(trial) < 1 and trial.reports for trial in early)
    assert found[0] == found[1]


def test_an_unknown_pruner_is_refused():
    with pytest.raises(Exception, match="no pruner 'medium'; did you mean 'median'"):
        replace(SearchSettings(), pruner="medium")
