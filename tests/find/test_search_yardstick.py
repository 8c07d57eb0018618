"""The yardstick: the first metric decides, the likelihood only between equals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.find.search.yardstick import Yardstick, comparable_values, mean_values, yardstick_of
from pomona.tasks import load_task

counts = st.integers(0, 50)
nats = st.floats(0, 30)


@given(counts, counts, nats, nats)
def test_one_example_more_beats_any_likelihood_which_decides_between_equals(right, other, cost, other_cost):
    yardstick = Yardstick("accuracy", greater_is_better=True, num_examples=50)
    score = yardstick.score({"accuracy": right / 50, "nll": cost})
    other_score = yardstick.score({"accuracy": other / 50, "nll": other_cost})
    if right != other:
        assert (score > other_score) == (right > other)
    elif abs(cost - other_cost) > 1e-6:
        assert (score > other_score) == (cost < other_cost)


def test_a_metric_that_falls_is_turned_round():
    yardstick = yardstick_of(load_task("diabetes"))
    assert yardstick.metric == "rmse"
    assert yardstick.score({"rmse": 2.0}) > yardstick.score({"rmse": 3.0})
    assert yardstick.is_better(2.0, 3.0)


def test_a_missing_metric_scores_nan():
    assert Yardstick("accuracy", True, 10).score({}) != Yardstick("accuracy", True, 10).score({})


def test_of_several_targets_the_mean_counts():
    task = load_task("two-digits")
    values = {"sum/accuracy": 0.5, "larger/accuracy": 0.9, "sum/nll": 1.0, "larger/nll": 3.0}
    joined = comparable_values(task, values)
    assert joined["accuracy"] == pytest.approx(0.7)
    assert joined["nll"] == pytest.approx(2.0)
    assert joined["sum/accuracy"] == 0.5


def test_the_mean_of_measurements_is_over_what_all_have():
    assert mean_values([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0}
