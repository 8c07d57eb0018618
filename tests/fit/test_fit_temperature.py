"""The temperature of held-out examples is the likeliest one; tempering is what dividing raw outputs does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from pomona.fit.temperature import COLDEST, HOTTEST, fit_temperature, temper
from pomona.foundation.errors import DataError
from pomona.tasks.outputs import sigmoid, softmax


def _drawn(generator, probabilities):
    """A class drawn from the probabilities of the last axis."""
    return (probabilities.cumsum(axis=-1) < generator.uniform(size=(*probabilities.shape[:-1], 1))).sum(
        axis=-1
    )


@pytest.mark.parametrize("true_temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_the_truths_is_found(true_temperature):
    generator = np.random.default_rng(0)
    head = generator.normal(size=(20_000, 5)) * 2
    target = _drawn(generator, softmax(head / true_temperature))
    assert fit_temperature(softmax(head), target) == pytest.approx(true_temperature, rel=0.03)


def test_on_many_examples_it_is_the_minimum_that_a_line_search_finds():
    generator = np.random.default_rng(1)
    head = generator.normal(size=(4000, 4)) * 3
    target, weight = generator.integers(0, 4, 4000), generator.uniform(size=4000)
    target = np.where(generator.uniform(size=4000) < 0.5, head.argmax(axis=1), target)

    def loss(log_temperature):
        tempered = softmax(head / np.exp(log_temperature))
        return log_loss(target, tempered, sample_weight=weight)

    expected = np.exp(minimize_scalar(loss, bracket=(-1, 2)).x)
    assert fit_temperature(softmax(head), target, weight=weight) == pytest.approx(expected, rel=2e-3)


def test_a_network_without_mistakes_on_few_examples_is_not_called_certain():
    head = np.eye(10)[np.arange(100) % 10] * 8
    few = fit_temperature(softmax(head), np.arange(100) % 10)
    confidence = temper("classify", softmax(head), few).max()
    # one of 101 counts as any of ten classes: the best confidence is 1 - 0.9 / 101
    assert confidence == pytest.approx(1 - 0.9 / 101, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "shape"), [("classify", (60, 4)), ("sequence", (60, 5, 4)), ("segment", (60, 4, 3, 2))]
)
def test_tempering_probabilities_is_dividing_raw_outputs(kind, shape):
    head = np.random.default_rng(2).normal(size=shape) * 4
    axis = 1 if kind == "segment" else -1
    tempered = temper(kind, softmax(head, axis=axis), 1.7)
    np.testing.assert_allclose(tempered, softmax(head / 1.7, axis=axis), atol=1e-12)


def test_labels_are_tempered_one_by_one():
    generator = np.random.default_rng(3)
    head = generator.normal(size=(8000, 3)) * 2
    target = (generator.uniform(size=head.shape) < sigmoid(head / 2)).astype(np.float32)
    np.testing.assert_allclose(temper("multilabel", sigmoid(head), 2.0), sigmoid(head / 2), atol=1e-12)
    assert fit_temperature(sigmoid(head), target) == pytest.approx(2, rel=0.06)


def test_masked_steps_and_examples_without_weight_do_not_count():
    generator = np.random.default_rng(4)
    head, target = generator.normal(size=(50, 6, 3)), generator.integers(0, 3, (50, 6))
    mask = np.arange(6) < generator.integers(1, 6, 50)[:, None]
    expected = fit_temperature(softmax(head), target, mask=mask)
    noise = np.where(mask[..., None], head, generator.normal(size=head.shape) * 9)
    assert fit_temperature(softmax(noise), target, mask=mask) == pytest.approx(expected)
    weight = (np.arange(50) < 30).astype(float)
    part = fit_temperature(softmax(head[:30]), target[:30], mask=mask[:30])
    assert fit_temperature(softmax(head), target, mask=mask, weight=weight) == pytest.approx(part)
    with pytest.raises(DataError, match="at least one example"):
        fit_temperature(softmax(head), target, weight=np.zeros(50))


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 5), st.sampled_from([np.float32, np.float64])
)
@settings(max_examples=80, deadline=None)
def test_any_predictions_have_a_temperature_within_bounds_that_costs_no_likelihood(
    seed, num_examples, num_classes, dtype
):
    generator = np.random.default_rng(seed)
    head = (generator.normal(size=(num_examples, num_classes)) * generator.choice([0, 1, 50, 1000])).astype(
        dtype
    )
    target = generator.integers(0, num_classes, num_examples)
    prediction = softmax(head)
    temperature = fit_temperature(prediction, target)
    assert COLDEST <= temperature <= HOTTEST
    tempered = temper("classify", prediction, temperature)
    assert tempered.dtype == dtype
    np.testing.assert_allclose(tempered.sum(axis=1), 1, rtol=1e-5)
    if num_examples > 1:
        assert (tempered.argmax(axis=1) == prediction.argmax(axis=1)).all()
