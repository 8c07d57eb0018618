import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from pomona.foundation.randomness import stream
from pomona.tasks.preprocessing.numbers import CLIP, apply_numbers, fit_numbers


def fitted(columns, **settings):
    step = fit_numbers(columns, **settings)
    return apply_numbers(step, columns)["columns"]


def test_ordinary_columns_are_standardised_as_scikit_learn_does_it():
    rows = stream(0, "numbers").normal(3, 5, (200, 4))
    ours = fitted({str(index): rows[:, index] for index in range(4)})
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(rows), rtol=1e-5, atol=1e-6)


def test_a_missing_value_is_the_mean_and_is_indicated():
    values = np.array([1.0, np.nan, 3.0, np.inf, 5.0])
    ours = fitted({"a": values, "b": np.arange(5.0)})
    assert ours.shape == (5, 3)  # one indicator: only a has missing values
    np.testing.assert_array_equal(ours[[1, 3], 0], 0)
    np.testing.assert_array_equal(ours[:, 2], [0, 1, 0, 1, 0])


def test_heavy_tails_are_bent_and_order_is_kept():
    values = np.exp(2 * stream(0, "tail").normal(size=500))
    ours = fitted({"a": values})[:, 0]
    assert np.abs(ours).max() < 5
    assert np.abs((values - values.mean()) / values.std()).max() > 8
    assert (np.diff(ours[np.argsort(values)]) >= 0).all()


def test_an_absurd_value_at_prediction_is_clipped():
    step = fit_numbers({"a": np.arange(100.0)})
    assert apply_numbers(step, {"a": np.array([1e30, -1e30])})["columns"].tolist() == [[CLIP], [-CLIP]]


@pytest.mark.parametrize("values", [np.full(5, 7.0), np.full(5, np.nan), np.zeros(5), np.full(5, 1e300)])
def test_constant_and_empty_columns_are_zero(values):
    assert not fitted({"a": values}).any()


@given(st.lists(st.floats(width=64), min_size=1, max_size=40))
def test_any_column_gives_finite_numbers_within_the_clip(values):
    ours = fitted({"a": np.array(values)})
    assert np.isfinite(ours).all()
    assert np.abs(ours).max() <= CLIP


def test_text_with_decimal_commas_equals_the_numbers():
    text = np.array(["1,5", "2,5", "1.000,5"], object)
    numbers = np.array([1.5, 2.5, 1000.5])
    np.testing.assert_array_equal(fitted({"a": text}, decimal=","), fitted({"a": numbers}))
