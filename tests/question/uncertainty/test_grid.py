"""The grid: cells that are kept as soon as they are done, and baselines on record."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.foundation.files import read_json, write_json
from pomona.question.uncertainty.baselines import baseline, baseline_of, recorded_tasks
from pomona.question.uncertainty.cells import Plan
from pomona.question.uncertainty.grid import cells_in, complete, fill_row, row, tune_row
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.summary import best_method, summary
from pomona.question.uncertainty.tuning import settings_at, space_of
from pomona.tasks.builtin import TASKS


@pytest.fixture
def wine(tmp_path):
    write_json(tmp_path / "wine.json", {"network": "default", "fit": {"steps": 10}, "methods": {}})
    return row("wine", tmp_path)


def test_a_cell_that_is_there_is_not_made_again(wine, tmp_path):
    first = list(fill_row(wine, ["deterministic", "focal"], [0, 1], tmp_path / "cells"))
    assert [(method, seed) for method, seed, _ in first] == [
        (method, seed) for method in ("deterministic", "focal") for seed in (0, 1)
    ]
    assert not list(fill_row(wine, ["deterministic", "focal"], [0, 1], tmp_path / "cells"))
    more = list(fill_row(wine, ["focal"], [0, 1, 2], tmp_path / "cells"))
    assert [seed for _, seed, _ in more] == [2]


def test_other_settings_make_the_cell_again_and_the_last_one_counts(wine, tmp_path):
    list(fill_row(wine, ["deterministic"], [0], tmp_path))
    other = replace(wine, fit=FitSettings(steps=12))
    assert len(list(fill_row(other, ["deterministic"], [0], tmp_path))) == 1
    found = cells_in(tmp_path / "wine.jsonl")
    assert found["deterministic", 0]["settings"]["fit"]["steps"] == 12


def test_a_line_that_was_cut_off_does_not_count(wine, tmp_path):
    list(fill_row(wine, ["deterministic"], [0], tmp_path))
    path = tmp_path / "wine.jsonl"
    path.write_text(path.read_text() + path.read_text()[:100])
    assert list(cells_in(path)) == [("deterministic", 0)]


def test_tuning_is_recorded_and_used(wine, tmp_path):
    ((method, best),) = tune_row(wine, ["focal"], num_trials=2)
    assert not list(tune_row(wine, ["focal"], num_trials=2))
    on_record = read_json(tmp_path / "wine.json")["methods"][method]
    assert on_record["point"] == best["point"]
    assert space_of("focal").contains(best["point"])
    list(fill_row(wine, ["focal"], [0], tmp_path))
    settings = cells_in(tmp_path / "wine.jsonl")["focal", 0]["settings"]
    assert settings["own"]["exponent"] == best["point"]["exponent"]
    assert settings["fit"]["learning_rate"] == best["point"]["learning_rate"]


def test_intervals_of_seeds_hold_the_mean_and_shrink_with_agreement(wine, tmp_path):
    list(fill_row(wine, ["deterministic", "focal"], [0, 1], tmp_path))
    rows = {name: summary(cells) for name, cells in complete(cells_in(tmp_path / "wine.jsonl")).items()}
    for own in rows.values():
        low, high = own["nll_interval"]
        assert low <= own["nll"] <= high
        assert own["seeds"] == 2
    assert best_method(rows) in rows


def within(point, method):
    """The point with values of the space for the method's own defaults, which may lie outside."""
    own, inside = METHODS[method].defaults, space_of(method).sample(np.random.default_rng(0))
    return {name: inside[name] if value == own.get(name) else value for name, value in point.items()}


@pytest.mark.parametrize("task", recorded_tasks())
def test_what_is_on_record_can_be_run(task):
    known = baseline_of(task)
    assert task in TASKS
    assert FitSettings(**known["fit"])
    for method, best in known["methods"].items():
        assert method in METHODS
        assert not best["point"] or space_of(method).contains(within(best["point"], method))
        assert settings_at(best["point"], FitSettings())
    assert baseline(task, "another network") == {}


def test_a_task_without_baselines_is_refused():
    with pytest.raises(SettingError, match="no task with baselines 'digit'; did you mean 'digits'"):
        baseline_of("digit")


def test_settings_of_a_point_go_where_they_belong():
    settings = settings_at({"learning_rate": 0.01, "exponent": 2.0}, FitSettings(steps=5))
    assert (settings.fit.learning_rate, settings.fit.steps) == (0.01, 5)
    assert settings.own == {"exponent": 2.0}


def test_a_method_that_cannot_be_fitted_is_left_out_with_its_reason(tmp_path):
    from pomona.foundation.run import temporary_run
    from pomona.question.uncertainty.cells import make_cells
    from pomona.tasks.feature import Feature
    from pomona.tasks.source import ArraySource

    write_json(tmp_path / "wine.json", {"network": "default", "fit": {"steps": 10}, "methods": {}})
    asked = row("wine", tmp_path)
    vectors = asked.examples.task
    tokens = {"columns": Feature("columns", "tokens", (13,), num_tokens=9)}
    source = ArraySource({"columns": np.ones((40, 13), np.int64), "cultivar": np.zeros(40, np.int64)})
    splits = dict.fromkeys(vectors.splits, source)
    examples = replace(asked.examples, task=replace(vectors, inputs=tokens, splits=splits))
    plan = Plan(["mixup"], asked.fit, {}, 1, 0, is_strict=False)
    with temporary_run() as run:
        cells = make_cells(examples, asked.spec, plan, run=run)
        assert "mixup mixes" in cells.refused["mixup"]
        with pytest.raises(SettingError, match="mixup mixes"):
            make_cells(examples, asked.spec, replace(plan, is_strict=True), run=run)
