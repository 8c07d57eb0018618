"""What counts in a validation: no odd series alone, and sums where most values are zeros."""

from typing import Any

import numpy as np
import pytest
from forecast_samples import panel_of, waves

from pomona.find.forecasting.judging import groups_of, judge_of
from pomona.find.forecasting.problem import QUANTILES, Forecast
from pomona.find.forecasting.validation import rolling_origins


def said(mean: np.ndarray) -> Forecast:
    return Forecast(mean, np.repeat(mean[..., None], len(QUANTILES), axis=2))


def sparse_panel(num_series: int = 12, length: int = 60, **more: Any):
    random = np.random.default_rng(0)
    series = [random.poisson(0.3 + 0.1 * np.sin(np.arange(length) * np.pi / 2)) for _ in range(num_series)]
    return panel_of([one.astype(np.float32) for one in series], **more)


def test_series_are_grouped_by_their_keys_and_categories_where_groups_are_few():
    panel = sparse_panel(
        static={"kind": np.repeat(np.arange(3, dtype=np.int32), 4), "size": np.arange(12, dtype=np.float32)},
        levels={"kind": ("a", "b", "c")},
    )
    groups = groups_of(panel)
    assert [len(np.unique(group)) for group in groups] == [1, 3]
    assert groups_of(sparse_panel(3)) == ()


def test_a_member_whose_errors_add_up_has_a_smaller_share_where_sums_count():
    panel = sparse_panel()
    origins = rolling_origins(panel, 3)
    random = np.random.default_rng(1)
    truths = [np.nan_to_num(true) for true in origins.truths]
    # the same error in all series, or as large a one of both signs that cancels
    noise = [0.5 * random.choice([-1.0, 1.0], true.shape) for true in truths]
    biased = [said(true + 0.5) for true in truths]
    even = [said(true + own - own.mean(axis=0)) for true, own in zip(truths, noise, strict=True)]
    judge = judge_of(panel, origins)
    assert judge.by == "squared"
    assert len(judge.sizes) == panel.num_series + 1
    assert judge.weights[panel.num_series :].sum() == pytest.approx(judge.weights[: panel.num_series].sum())
    found = judge.select({"biased": biased, "even": even})
    assert found.alone["even"] < 0.8 * found.alone["biased"]
    assert max(found.weights, key=lambda name: found.weights[name]) == "even"


def test_the_sums_of_a_member_are_those_of_its_series_where_the_truth_is_known():
    panel = sparse_panel()
    origins = rolling_origins(panel, 2)
    origins.truths[0][3, 1] = np.nan
    judge = judge_of(panel, origins)
    exact = [said(np.where(np.isnan(true), 7.0, true)) for true in origins.truths]
    assert judge.select({"exact": exact}).loss == pytest.approx(0)


def test_one_series_that_leapt_from_nothing_does_not_decide():
    series = [one + 20 for one in waves(8, 40)]
    series[2] = np.where(np.arange(40) < 35, 1e-3 * np.arange(40) % 2, 5e3)
    panel = panel_of(series)
    origins = rolling_origins(panel, 2)
    judge = judge_of(panel, origins)
    assert judge.weights[2] < 1e-3
    assert (np.delete(judge.weights, 2) > 0.1).all()
