"""A whole search, small: every kind of task, limits, failures, and going on after any end."""

import json
import multiprocessing
import time
from dataclasses import replace

import numpy as np
import pytest

import pomona.find.search.budgets as budgets
from pomona.export.predictors.load import load
from pomona.find.search.engine import search
from pomona.find.search.explore import explore
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.trials import OptunaStore
from pomona.foundation.errors import Interrupted, SettingError
from pomona.foundation.run import open_run, temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.networks.cost import parameters
from pomona.tasks import load_task

SMALL = SearchSettings(
    trials=3, steps=4, starts=2, finalists=2, finalist_seeds=1, finalist_steps=1.0, ensemble_size=2
)

TASKS = {
    "classify": "digits",
    "multilabel": "digit-properties",
    "regress": "diabetes",
    "segment": "shapes",
    "sequence": "tagged-words",
    "language": "small-grammar",
    "forecast": "seasonal-series",
    "two targets": "two-digits",
}

EXPLODING = """
import torch
from torch import nn

class Explode(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
    def forward(self, x):
        return self.inner(x) * float("nan")

def explode(signal, *, width: int = 8):
    return Explode(nn.Linear(signal.shape[-1], width))
"""


def trials_of(folder):
    store = OptunaStore(folder / "trials")
    trials = store.all()
    store.close()
    return trials


@pytest.mark.parametrize("kind", TASKS)
def test_every_kind_of_task_is_searched_to_an_artifact_and_a_report(kind, tmp_path):
    task = load_task(TASKS[kind])
    settings = replace(SMALL, trials=2, finalists=1)
    with open_run(tmp_path / "run", verb="search", subject=kind, identity={}, seed=0, threads=1) as run:
        summary = search(task, settings, run=run).summary()
        assert summary == json.loads(json.dumps(summary))
        assert set(summary) == {
            "task", "kind", "metric", "trials", "best", "ensemble", "baseline", "seconds",
            "artifact", "report", "pareto", "student",
        }  # fmt: skip
        assert summary["trials"] == {
            "completed": 2, "failed": 0, "pruned": 0, "reevaluated": 0,
            "duplicates_avoided": summary["trials"]["duplicates_avoided"],
        }  # fmt: skip
        assert set(summary["best"]) >= {"trial", "valid", "test", "parameters", "latency_ms", "test_metrics"}
        assert set(summary["ensemble"]) >= {"members", "valid", "test"}
        assert np.isfinite(
            [summary[who][split] for who in ("best", "ensemble") for split in ("valid", "test")]
        ).all()
        sections = {path.stem[3:] for path in (run.folder / "sections").glob("*.json")}
        assert sections >= {"scores", "finalists", "leaderboard", "progress", "lineage", "tradeoff", "worst"}
        assert (run.folder / summary["report"]).is_file()
        predictor = load(run.folder / summary["artifact"])
        batch = task.splits["test"].read(np.arange(3))
        predicted = predictor.predict_batch(batch)
        exported = load(run.folder / summary["artifact"] / "model.onnx").predict_batch(batch)
        assert set(predicted) == set(task.targets)
        for head in predicted:
            np.testing.assert_allclose(predicted[head], exported[head], atol=1e-4, rtol=1e-3)


def test_the_reported_test_score_is_that_of_the_saved_artifact(tmp_path):
    from pomona.fit.assessment import assess

    task = load_task("iris")
    settings = replace(SMALL, steps=40, ensemble_size=3)
    with open_run(tmp_path / "run", verb="search", subject="iris", identity={}, seed=0, threads=1) as run:
        result = search(task, settings, run=run)
        again = assess(load(run.folder / result.artifact).predict_batch, task, "test").values
    for name, value in again.items():
        assert result.ensemble.test[name] == pytest.approx(value, abs=1e-6)


def explored(folder, name, settings, seed):
    """The trials of a search that ends before the finals."""
    problem = make_problem(load_task(name), settings, BLOCKS)
    with open_run(folder, verb="search", subject=name, identity={}, seed=seed, threads=1) as run:
        store = OptunaStore(run.folder / "trials")
        explore(problem, store, run)
        trials = store.all()
        store.close()
    return trials


def test_one_seed_gives_one_search_without_duplicates(tmp_path):
    settings = replace(SMALL, trials=10, steps=20)
    found = [
        [
            (t.genome_hash, t.seed, t.parents, t.mutation, t.score)
            for t in explored(tmp_path / name, "wine", settings, 3)
        ]
        for name in ("a", "b")
    ]
    assert found[0] == found[1]
    assert len({(genome_hash, seed) for genome_hash, seed, *_ in found[0]}) == 10
    assert [seed for _, seed, *_ in found[0]].count(0) == 9


@pytest.mark.parametrize(("name", "inherit"), [("wine", True), ("digits", True), ("digits", False)])
def test_children_inherit_unless_their_parents_learned_by_heart(tmp_path, name, inherit):
    settings = replace(SMALL, trials=8, steps=40, inherit=inherit)
    trials = explored(tmp_path / "run", name, settings, seed=0)
    told = set()
    for child in trials:
        if not child.parents or child.seed:
            continue
        parent = trials[child.parents[0]].attributes
        inherits = inherit and parent["best_step"] >= parent["steps"] / 2
        full = 40 * 64 / child.genome["training"]["batch_size"]
        assert (child.attributes["inherited"] > 0) == inherits == (child.attributes["steps"] < full)
        told.add(inherits)
    assert told >= ({True} if name == "digits" and inherit else {False} if not inherit else set())


def test_models_over_a_limit_are_refused_before_training_and_the_artifact_keeps_to_it(tmp_path):
    task = load_task("wine")
    settings = replace(SMALL, trials=10, max_params=3000)
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=1, threads=1) as run:
        result = search(task, settings, run=run)
    trials = trials_of(tmp_path / "run")
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert result.trials.pruned == len(pruned) > 0
    assert all("more than 3000" in trial.attributes["reason"] for trial in pruned)
    assert result.best.parameters <= 3000
    assert len(result.ensemble.members) == 1
    assert all(t.attributes["parameters"] <= 3000 for t in trials if t.state == "completed")


def test_the_start_is_the_widest_form_of_the_usual_network_that_keeps_to_the_limit():
    task = load_task("digits")
    with temporary_run() as run:
        problem = make_problem(task, SMALL, BLOCKS)
        widths = [block.args["width"] for block in problem.usual.blocks if "width" in block.args]

        def narrowed(share):
            blocks = [
                block.with_args(width=int(share * block.args["width"])) if "width" in block.args else block
                for block in problem.usual.blocks
            ]
            return replace(problem.usual, blocks=tuple(blocks))

        for share, above in ((1.0, None), (0.75, 1.0), (0.5, 0.75), (0.375, 0.5)):
            most = parameters(narrowed(share)) if above is None else parameters(narrowed(above)) - 1
            limited = replace(problem, settings=replace(SMALL, max_params=most))
            found = budgets.shrink_to_fit(problem.usual, limited, run)
            kept = [block.args["width"] for block in found.blocks if "width" in block.args]
            assert kept == [int(share * width) for width in widths]


def test_a_limit_that_nothing_keeps_to_is_an_error(tmp_path):
    with temporary_run() as run, pytest.raises(SettingError, match="even the smallest"):
        search(load_task("wine"), replace(SMALL, max_params=5), run=run)


def test_latency_is_measured_once_a_network_and_replayed_from_the_log(tmp_path, monkeypatch):
    measured = []

    def fake(spec, problem):
        measured.append(spec)
        return 0.2 if len(measured) % 2 else 5.0

    monkeypatch.setattr(budgets, "_exported_latency", fake)
    settings = replace(SMALL, trials=4, max_latency_ms=1.0)
    for _ in range(2):
        with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=1, threads=1) as run:
            result = search(load_task("wine"), settings, run=run)
            count = len(measured)
    assert len(measured) == count
    assert result.trials.pruned > 0
    refused = [trial for trial in trials_of(tmp_path / "run") if trial.state == "pruned"]
    assert all("5 ms for one example, more than 1" in trial.attributes["reason"] for trial in refused)


def test_a_loss_of_nan_fails_the_trial_and_never_wins(tmp_path):
    (tmp_path / "mine.py").write_text(EXPLODING)
    settings = replace(SMALL, trials=8, steps=25, blocks_allowed=("dense", "explode"))
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=0, threads=1) as run:
        result = search(load_task("wine"), settings, run=run, blocks=tmp_path / "mine.py")
    trials = trials_of(tmp_path / "run")
    exploding = [t for t in trials if any(b["block"] == "explode" for b in t.genome["spec"]["blocks"])]
    assert {trial.state for trial in exploding} == {"failed"}
    assert result.trials.failed == len(exploding) > 0
    assert result.best.trial not in {trial.number for trial in exploding}


def test_when_every_model_fails_the_search_says_why(tmp_path):
    (tmp_path / "mine.py").write_text(EXPLODING)
    settings = replace(SMALL, trials=2, steps=25, blocks_allowed=("explode",))
    with temporary_run() as run, pytest.raises(SettingError, match=r"none of 2 models .* finite"):
        search(load_task("wine"), settings, run=run, blocks=tmp_path / "mine.py")


def test_an_interrupted_search_ends_as_if_it_had_not_been(tmp_path):
    task, settings = load_task("wine"), replace(SMALL, trials=5, steps=30)

    def run_it(folder, stop_after=None):
        with open_run(folder, verb="search", subject="wine", identity={}, seed=2, threads=1) as run:
            if stop_after is not None:
                save = run.save

                def save_and_stop(name, state):
                    save(name, state)
                    run.clock.interrupted = state.get("trials", 0) + state.get("trainings", 9) > stop_after

                run.save = save_and_stop
            return search(task, settings, run=run)

    whole = run_it(tmp_path / "whole")
    for stop_after in (9 + 2, 9 + 4):
        with pytest.raises(Interrupted):
            run_it(tmp_path / "parts", stop_after)
    resumed = run_it(tmp_path / "parts")
    assert [t.score for t in trials_of(tmp_path / "parts")] == [
        t.score for t in trials_of(tmp_path / "whole")
    ]
    assert (resumed.best, resumed.ensemble) == (
        replace(whole.best, latency_ms=resumed.best.latency_ms),
        whole.ensemble,
    )


def explore_wine(folder):
    explored(folder, "wine", SearchSettings(trials=6, steps=300, starts=2), seed=5)


def test_a_search_killed_at_any_moment_loses_no_finished_trial_and_repeats_none(tmp_path):
    context = multiprocessing.get_context("spawn")
    for num_done in (1, 3):
        process = context.Process(target=explore_wine, args=(tmp_path / "parts",))
        process.start()
        while process.is_alive() and _num_completed(tmp_path / "parts") < num_done:
            time.sleep(0.005)
        assert process.is_alive(), "it is killed before its end"
        process.kill()
        process.join()
    before = {t.number: t.finished for t in trials_of(tmp_path / "parts") if t.state == "completed"}
    explore_wine(tmp_path / "parts")
    explore_wine(tmp_path / "whole")
    after = trials_of(tmp_path / "parts")
    assert {t.number: t.finished for t in after if t.number in before} == before
    assert [(t.number, t.genome_hash, t.score) for t in after] == [
        (t.number, t.genome_hash, t.score) for t in trials_of(tmp_path / "whole")
    ]


def _num_completed(folder):
    return len(list((folder / "trials").glob("*/weights.safetensors")))


def test_a_search_without_time_still_ends_with_a_result(tmp_path):
    settings = replace(SMALL, trials=500, steps=20, seconds=2.0)
    folder = tmp_path / "run"
    with open_run(folder, verb="search", subject="wine", identity={}, seed=0, threads=1, seconds=2.0) as run:
        result = search(load_task("wine"), settings, run=run)
    assert 1 <= result.trials.completed < 500
    assert np.isfinite(result.best.test["accuracy"])
