import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pomona.find.forecasting.combining import for_newcomers, median_forecast
from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.memory import joined, remembered
from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel, histories
from pomona.find.forecasting.reconcile import (
    ALL,
    covariance,
    hierarchy_columns,
    hierarchy_of,
    reconciled,
    with_sums,
)
from pomona.find.forecasting.scores import scales_of, scores
from pomona.find.forecasting.validation import rolling_origins
from pomona.foundation.errors import SettingError

SEASON = 4


def panel_of(*series, horizon=3, start=None, keys=None, **more) -> Panel:
    lengths = [len(one) for one in series]
    return Panel(
        keys=keys or pa.table({"unique_id": [f"s{i}" for i in range(len(series))]}),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start=np.zeros(len(series), np.int64) if start is None else np.array(start),
        values=np.concatenate(series).astype(np.float32),
        freq=Frequency("quarter", 1, (SEASON,)),
        origin=np.datetime64("2000-01-01", "s"),
        horizon=horizon,
        **more,
    )


def around(mean: np.ndarray, spread: float = 1.0) -> Forecast:
    return Forecast(mean, mean[..., None] + spread * np.linspace(-1, 1, len(QUANTILES)))


def test_scores_are_those_of_a_plain_loop():
    generator = np.random.default_rng(0)
    series = [generator.normal(10, 3, 40), generator.normal(5, 1, 30)]
    series[0][35] = np.nan
    panel = panel_of(*series)
    cut = panel.ends - 6
    scale, squared = scales_of(panel, cut)
    true = np.stack([one[-6:-3] for one in series]).astype(np.float32)
    said = around(true + generator.normal(size=true.shape))
    found = scores([said], [true], scale, squared)
    mase, rmsse, smape, inside, loss = [], [], [], [], 0.0
    for s, one in enumerate(series):
        past = one[: len(one) - 6]
        changes = past[SEASON:] - past[:-SEASON]
        changes = changes[~np.isnan(changes)]
        errors = [(said.mean[s, h] - true[s, h]) for h in range(3) if not np.isnan(true[s, h])]
        mase.append(np.mean(np.abs(errors)) / np.mean(np.abs(changes)))
        rmsse.append(np.sqrt(np.mean(np.square(errors)) / np.mean(changes**2)))
        for h in range(3):
            if not np.isnan(true[s, h]):
                size = abs(said.mean[s, h]) + abs(true[s, h])
                smape.append(200 * abs(said.mean[s, h] - true[s, h]) / size)
                inside.append(said.quantiles[s, h, 0] <= true[s, h] <= said.quantiles[s, h, -1])
                for place, level in enumerate(QUANTILES):
                    off = true[s, h] - said.quantiles[s, h, place]
                    loss += 2 * max(level * off, (level - 1) * off) / len(QUANTILES)
    assert found.mase == pytest.approx(np.mean(mase), rel=1e-5)
    assert found.rmsse == pytest.approx(np.mean(rmsse), rel=1e-5)
    assert found.smape == pytest.approx(np.mean(smape), rel=1e-5)
    assert found.coverage_80 == pytest.approx(np.mean(inside))
    assert found.wql == pytest.approx(loss / np.nansum(np.abs(true)), rel=1e-5)


def test_a_scale_is_never_zero():
    panel = panel_of(np.ones(20), np.arange(20.0), np.zeros(1), np.zeros(0))
    absolute, squared = scales_of(panel, panel.ends)
    assert (absolute > 0).all()
    assert (squared > 0).all()


def test_origins_are_a_horizon_apart_and_hide_what_comes_after():
    panel = panel_of(np.arange(60.0), np.arange(20.0), start=[0, 40], horizon=4)
    origins = rolling_origins(panel, 3)
    assert [cut.tolist() for cut in origins.cuts] == [[48, 48], [52, 52], [56, 56]]
    assert origins.truths[0][0].tolist() == [48, 49, 50, 51]
    scale = rolling_origins(
        panel_of(*[np.r_[np.arange(48.0), np.full(12, 1e9)], np.arange(20.0)], start=[0, 40], horizon=4), 3
    )
    assert np.array_equal(scale.scale, origins.scale)


def test_short_series_are_scored_on_what_is_left():
    panel = panel_of(np.arange(6.0), np.arange(50.0), horizon=5)
    origins = rolling_origins(panel, 1)
    assert origins.cuts[0].tolist() == [4, 45]
    assert origins.truths[0][0][:2].tolist() == [4, 5]
    assert np.isnan(origins.truths[0][0][2:]).all()


KEYS = pa.table({"state": ["x", "x", "y", "y"], "shop": ["a", "b", "a", "c"]})


def test_sums_are_sums_and_hold_those_that_have_begun():
    series = [np.arange(8.0), np.full(8, np.nan), np.arange(4.0), np.ones(8)]
    panel = panel_of(*series, start=[0, 0, 4, 0], keys=KEYS)
    hierarchy = hierarchy_of(KEYS, ("state", "shop"))
    whole = with_sums(panel, hierarchy)
    names = [tuple(row.values()) for row in whole.keys.to_pylist()]
    assert names[4:] == [("x", ALL), ("y", ALL), (ALL, ALL)]
    sums = {name: whole.values[whole.offsets[i] : whole.offsets[i + 1]] for i, name in enumerate(names)}
    assert sums["x", ALL].tolist() == list(range(8))
    assert sums["y", ALL].tolist() == [1, 1, 1, 1, 1, 2, 3, 4]
    assert sums[ALL, ALL].tolist() == [1, 2, 3, 4, 5, 7, 9, 11]


def test_what_is_known_ahead_of_a_sum_is_the_mean_of_its_series():
    panel = panel_of(np.ones(3), np.ones(3), np.ones(2), np.ones(3), start=[0, 0, 1, 0], horizon=2, keys=KEYS)
    column = [1, 2, 3, 4, 5, 5, 4, np.nan, 2, 1, 7, 8, 9, 10, 0, 0, 0, 0, np.nan]
    panel = replace(panel, known={"price": np.array(column, np.float32)})
    whole = with_sums(panel, hierarchy_of(KEYS, ("state", "shop")))
    own = [whole.known["price"][a:b] for a, b in itertools.pairwise(whole.known_offsets)]
    assert own[0].tolist() == [1, 2, 3, 4, 5]
    assert own[2].tolist() == [7, 8, 9, 10]
    assert own[4].tolist() == [3, 3, 3, 3, 3]
    assert own[5].tolist() == [0, 3.5, 4, 4.5, 10]


def test_reconciled_forecasts_add_up_and_are_the_nearest():
    generator = np.random.default_rng(0)
    hierarchy = hierarchy_of(KEYS, ("state", "shop"))
    sums = hierarchy.sums.toarray()
    errors = covariance(generator.normal(size=(7, 30)) * np.arange(1, 8)[:, None])
    said = around(generator.normal(20, 4, size=(7, 3)))
    found = reconciled(said, hierarchy, errors, is_nonnegative=False)
    assert np.abs(found.mean - sums @ found.mean[:4]).max() < 1e-6
    weights = np.linalg.inv(errors)
    projection = sums @ np.linalg.inv(sums.T @ weights @ sums) @ sums.T @ weights
    assert np.allclose(found.mean, projection @ said.mean)
    diagonal = reconciled(said, hierarchy, np.diag(errors), is_nonnegative=False)
    full = reconciled(said, hierarchy, np.diag(np.diag(errors)), is_nonnegative=False)
    assert np.allclose(diagonal.mean, full.mean)
    coherent = around(sums @ generator.normal(20, 4, size=(4, 3)))
    assert np.allclose(reconciled(coherent, hierarchy, errors, is_nonnegative=False).mean, coherent.mean)


def test_what_cannot_be_negative_stays_so_and_adds_up():
    hierarchy = hierarchy_of(KEYS, ("state", "shop"))
    said = around(np.array([0.1, 0.1, 0.1, 5, -3, 4, 1.0])[:, None].repeat(3, 1))
    found = reconciled(said, hierarchy, np.ones(7), is_nonnegative=True)
    assert found.mean.min() >= 0
    assert found.quantiles.min() >= 0
    assert np.allclose(found.mean, hierarchy.sums @ found.mean[:4])


@pytest.mark.parametrize("text", ["state", "state/town", "state/shop/shop", ""])
def test_a_hierarchy_names_each_series_column_once(text):
    with pytest.raises(SettingError):
        hierarchy_columns(text, ("state", "shop"))


def test_a_median_lies_in_the_middle():
    three = [around(np.full((2, 3), value)) for value in (1.0, 5.0, 2.0)]
    assert (median_forecast(three).mean == 2).all()


def test_a_newcomer_gets_the_mean_of_its_like():
    old = around(np.array([[1.0], [3.0], [9.0]]))
    new = for_newcomers(
        around(np.zeros((1, 1))),
        np.array([True]),
        np.array([[0, 7]]),
        old,
        np.array([[0, 1], [0, 2], [1, 7]]),
    )
    assert new.mean[0, 0] == pytest.approx((1 + 3 + 9) / 3)
    closer = for_newcomers(
        around(np.zeros((1, 1))),
        np.array([True]),
        np.array([[0, 2]]),
        old,
        np.array([[0, 1], [0, 2], [1, 7]]),
    )
    assert closer.mean[0, 0] == 3


def test_new_rows_go_on_from_what_is_remembered():
    series = [np.arange(500.0), np.arange(30.0)]
    panel = panel_of(*series, known={"x": np.arange(536, dtype=np.float32)})
    cut = panel.ends - np.array([10, 5])
    old = remembered(histories(panel, cut))
    rows = np.concatenate([np.arange(490.0, 500), np.arange(25.0, 30)])
    new = panel_of(rows[:10], rows[10:], start=[490, 25], known={"x": np.full(21, np.nan, np.float32)})
    whole = joined(old, new, np.array([0, 1]))
    assert whole.ends.tolist() == [500, 30]
    assert whole.values[-35:][:30].tolist()[-5:] == [20, 21, 22, 23, 24]
    assert whole.values[-30:].tolist() == list(np.arange(30.0))
    first = whole.values[: whole.offsets[1]]
    assert np.array_equal(first, np.arange(500 - len(first), 500, dtype=np.float32))
