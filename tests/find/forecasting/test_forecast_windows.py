"""Windows show the past and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_samples import panel_of, waves
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.find.forecasting.windows import (
    Encoding,
    Windows,
    WindowShape,
    WindowSource,
    encoding_of,
    trainable,
)
from pomona.tasks.feature import mask_key


def panel_with_everything(seed: int = 0):
    random = np.random.default_rng(seed)
    series = waves(5, 40, seed)
    series[1] = series[1][:9]
    series[2][[3, 4, 20]] = np.nan
    panel = panel_of(series, start=[0, 7, 3, 0, 0])
    known = {"price": random.standard_normal(len(panel.values) + 5 * 4).astype(np.float32)}
    static = {"kind": np.array([0, 1, -1, 1, 0], np.int32), "size": np.arange(5, dtype=np.float32)}
    return replace(panel, known=known, static=static, levels={"kind": ("a", "b")})


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), back=st.integers(0, 12))
def test_the_future_changes_nothing_before_it(seed, back):
    panel = panel_with_everything(seed)
    cut = np.maximum(panel.ends - back, panel.start)
    shape = WindowShape(10, 4, (4, 8), knows_series=True)
    values = panel.values.copy()
    for series in range(panel.num_series):
        begin = panel.offsets[series] + cut[series] - panel.start[series]
        values[begin : panel.offsets[series + 1]] = 1e9
    other = replace(panel, values=values)
    draws = []
    for one in (panel, other):
        windows = Windows(one, cut, shape, encoding_of(one, cut, knows_series=True))
        drawn = WindowSource(windows).draw(np.random.default_rng(seed), 64)
        told = windows.read(np.arange(5), cut)
        draws.append((drawn, told))
    for first, second in zip(*draws, strict=True):
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
    assert np.abs(draws[0][0]["past"]).max() < 1e8


def test_a_window_is_what_a_loop_over_steps_would_read():
    panel, horizon, context = panel_with_everything(), 4, 10
    cut = panel.ends
    windows = Windows(
        panel, cut, WindowShape(context, horizon, (4,)), encoding_of(panel, cut, knows_series=False)
    )
    series, at = np.array([0, 1, 2]), np.array([20, 12, 8])
    batch = windows.read(series, at)
    for row, (one, step) in enumerate(zip(series, at, strict=True)):
        own = panel.values[panel.offsets[one] : panel.offsets[one + 1]]

        def value(when: int, one=one, own=own) -> float:
            place = when - panel.start[one]
            return own[place] if 0 <= place < len(own) else np.nan

        past = np.array([value(step - context + i) for i in range(context)])
        np.testing.assert_array_equal(batch["past"][row, :, -1], np.isfinite(past))
        np.testing.assert_array_equal(batch["past"][row, :, 0], np.nan_to_num(past))
        truth = np.array([value(step + i) for i in range(horizon)])
        np.testing.assert_array_equal(batch["y"][row, :, 0], np.nan_to_num(truth))
        np.testing.assert_array_equal(batch[mask_key("y")][row], np.isfinite(truth))
        lags = np.array([value(step + i - 4) for i in range(horizon)])
        np.testing.assert_array_equal(batch["lags"][row, :, 0], np.nan_to_num(lags))
        price = panel.known["price"][panel.known_offsets[one] + step - panel.start[one] + np.arange(horizon)]
        mean, deviation = windows.encoding.known["price"]
        np.testing.assert_allclose(batch["future"][row, :, -1], (price - mean) / deviation, rtol=1e-5)


def test_windows_to_learn_from_have_past_and_truth():
    panel = panel_with_everything()
    windows = Windows(panel, panel.ends, WindowShape(10, 4), Encoding())
    first, count = trainable(windows)
    assert (first > panel.start)[count > 0].all()
    for series in range(panel.num_series):
        at = first[series] + np.arange(count[series])
        batch = windows.read(np.full(len(at), series), at)
        assert (batch["past"][:, :, -1].sum(1) > 0).all()
        assert batch[mask_key("y")].any(1).sum() >= len(at) - 1


def test_unknown_codes_and_series_are_token_zero():
    panel = panel_with_everything()
    encoding = encoding_of(panel, panel.ends, knows_series=True)
    assert encoding.num_tokens == 1 + 2 + 5
    again = Encoding.from_json(encoding.to_json())
    assert again == encoding
    later = replace(panel, position=np.array([0, 1, 2, -1, 4]))
    static = Windows(later, later.ends, WindowShape(10, 4), again).read(np.arange(5), later.ends)["static"]
    assert static[:, 0].tolist() == [1, 2, 0, 2, 1]
    assert static[:, 1].tolist() == [3, 4, 5, 0, 7]


def test_a_window_beyond_the_cut_is_a_bug():
    panel = panel_with_everything()
    windows = Windows(panel, panel.ends - 3, WindowShape(10, 4), Encoding())
    with pytest.raises(AssertionError):
        windows.read(np.array([0]), panel.ends[:1])
