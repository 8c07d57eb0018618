"""The student of an ensemble: one small network, exported, that says what the ensemble says."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.export.predictors.load import load
from pomona.find.search.engine import search
from pomona.find.search.finalists import _is_time_over
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.assessment import assess
from pomona.fit.trials import MemoryStore
from pomona.fit.trials.trial import Proposal
from pomona.foundation.errors import SettingError
from pomona.foundation.run import open_run, temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task

SMALL = SearchSettings(
    trials=2, steps=8, starts=2, reevaluations=0.0, finalists=1, finalist_seeds=1, finalist_steps=1.0,
    ensemble_size=2, student="winner",
)  # fmt: skip

TASKS = ("digits", "diabetes")


@pytest.mark.parametrize("name", TASKS)
def test_a_student_is_an_artifact_of_its_own_that_says_the_same_exported(name, tmp_path):
    task = load_task(name)
    with open_run(tmp_path / "run", verb="search", subject=name, identity={}, seed=0, threads=1) as run:
        summary = search(task, SMALL, run=run).summary()
        student = summary["student"]
        predictor = load(run.folder / student["artifact"])
        exported = load(run.folder / student["artifact"] / "model.onnx")
        measured = assess(predictor.predict_batch, task, "test").values
    assert predictor.artifact.kind == "network"
    assert np.isfinite([student["valid"], student["test"], student["parameters"]]).all()
    assert student["latency_ms"] > 0
    for metric, value in measured.items():
        assert student["test_metrics"][metric] == pytest.approx(value, abs=1e-3)
    batch = task.splits["test"].read(np.arange(5))
    for head, said in predictor.predict_batch(batch).items():
        np.testing.assert_allclose(said, exported.predict_batch(batch)[head], atol=1e-4, rtol=1e-3)


def test_a_small_student_is_no_larger_than_any_of_the_best_and_keeps_to_the_limit(tmp_path):
    settings = replace(SMALL, trials=3, max_params=20_000, student="small")
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=0, threads=1) as run:
        result = search(load_task("wine"), settings, run=run)
    assert len(result.ensemble.members) == 1
    assert result.student is not None
    assert result.student["parameters"] <= min(result.best.parameters, 20_000)
    assert (tmp_path / "run" / "artifact").is_dir()
    assert "student of" in (tmp_path / "run" / "report.html").read_text()


def test_a_student_that_was_trained_is_not_trained_again(tmp_path, monkeypatch):
    import pomona.find.search.student as module

    task, found = load_task("wine"), []
    for _ in range(2):
        with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=0, threads=1) as run:
            found.append(search(task, SMALL, run=run).student)
        monkeypatch.setattr(module, "train", None)
    first, again = ({**one, "latency_ms": None} for one in found)
    assert first == again


def test_the_finals_leave_a_student_its_part_of_a_limited_time():
    task, over = load_task("wine"), {}
    for student in ("none", "winner"):
        problem = make_problem(task, replace(SMALL, student=student), BLOCKS)
        with temporary_run(seconds=1000.0) as run:
            run.clock.spent_before = 900.0
            trial = MemoryStore().claim(Proposal({}, "hash"))
            over[student] = _is_time_over(problem, run, trial, 1)
    assert over == {"none": False, "winner": True}


def test_without_the_setting_there_is_none(tmp_path):
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, seed=0, threads=1) as run:
        result = search(load_task("wine"), replace(SMALL, student="none"), run=run)
    assert result.summary()["student"] is None
    assert not (tmp_path / "run" / "student").exists()


def test_a_task_without_distillation_refuses_a_student_before_anything_is_trained():
    with temporary_run() as run, pytest.raises(SettingError, match="language"):
        search(load_task("small-grammar"), SMALL, run=run)
