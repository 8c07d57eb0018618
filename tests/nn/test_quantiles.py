"""Quantiles never cross, and mixing them with zero gives the quantiles of the mixture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from pomona.nn.quantiles import mean_of_quantiles, middle_of, mixed_with_zero, ordered_quantiles

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.floats(0.01, 1e4))
def test_quantiles_never_cross_whatever_the_numbers(seed, size):
    raw = size * torch.randn(50, 9, generator=torch.Generator().manual_seed(seed))
    quantiles = ordered_quantiles(raw, LEVELS)
    # softplus is never below zero, so that sums outwards from the middle never turn back
    assert (quantiles.diff(dim=-1) >= 0).all()
    assert torch.equal(quantiles[:, middle_of(LEVELS)], raw[:, middle_of(LEVELS)])


def test_a_far_quantile_moves_no_near_one():
    raw = torch.randn(9, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: ordered_quantiles(x, LEVELS), raw)
    assert jacobian[6, 7:].eq(0).all()
    assert jacobian[2, :2].eq(0).all()
    assert jacobian[8, 4:].gt(0).all()


def test_the_mean_of_quantiles_is_that_of_an_even_spread():
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    even = 2 + 3 * levels
    assert mean_of_quantiles(even, LEVELS).item() == pytest.approx(3.5)
    assert mean_of_quantiles(torch.full((9,), 7.0), LEVELS).item() == pytest.approx(7.0)


@pytest.mark.parametrize("chance", [0.05, 0.3, 0.95])
def test_a_mixture_has_the_quantiles_of_draws_from_it(chance):
    random = np.random.default_rng(0)
    positive = torch.linspace(0.5, 4.5, 9, dtype=torch.float64)
    # the law that goes in lines through the quantiles, from 0 at level 0 and on after the last one
    grid = np.interp(random.random(400_000), [0, *LEVELS, 1], [0, *positive.tolist(), 5.0])
    drawn = np.where(random.random(400_000) < chance, grid, 0.0)
    mixed = mixed_with_zero(torch.tensor(chance, dtype=torch.float64), positive, LEVELS)
    np.testing.assert_allclose(mixed.numpy(), np.quantile(drawn, LEVELS), atol=0.03)
    assert (mixed.diff() >= 0).all()


def test_a_value_that_is_surely_positive_keeps_its_quantiles_and_one_that_is_surely_zero_is_zero():
    positive = F.softplus(torch.randn(5, 9, dtype=torch.float64)).cumsum(-1)
    sure = mixed_with_zero(torch.ones(5, dtype=torch.float64), positive, LEVELS)
    torch.testing.assert_close(sure, positive)
    assert mixed_with_zero(torch.zeros(5, dtype=torch.float64), positive, LEVELS).eq(0).all()
