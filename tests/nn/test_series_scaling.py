"""What is taken off a past comes back to its future."""

import numpy as np
import pytest
import torch

from pomona.nn.series_scaling import SCALINGS, scaling_of


def pasts(seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    past = 5 + torch.randn(6, 12, generator=generator, dtype=torch.float64)
    observed = (torch.rand(6, 12, generator=generator) > 0.2).double()
    observed[0] = 0
    observed[1] = 1
    return past * observed, observed


def test_levels_and_sizes_are_those_of_numpy_on_what_is_observed():
    past, observed = pasts()
    for row in range(1, 6):
        known = past[row][observed[row] > 0].numpy()
        middle = np.sort(known)[(len(known) - 1) // 2]
        wanted = {
            "none": (0, 1),
            "mean": (0, np.abs(known).mean()),
            "standard": (known.mean(), known.std()),
            "robust": (middle, np.abs(known - middle).mean()),
        }
        for method, (center, size) in wanted.items():
            found = scaling_of(past, observed, method, horizon=3)
            assert found.past_center.expand_as(past)[row, 0].item() == pytest.approx(center)
            assert found.size[row].item() == pytest.approx(size)


@pytest.mark.parametrize("method", SCALINGS)
def test_restoring_undoes_scaling_and_sizes_follow_the_units(method):
    past, observed = pasts()
    future = torch.randn(6, 3, dtype=torch.float64) + 5
    scaling = scaling_of(past, observed, method, horizon=3, season=4)
    back = scaling.restored(scaling.scaled_future(future))
    moving = scaling.size[:, 0] > 0
    torch.testing.assert_close(back[moving], future[moving])
    flat = scaling.future_center.expand(6, 3)[~moving]
    torch.testing.assert_close(back[~moving], flat)
    if method != "none":
        larger = scaling_of(1e6 * past, observed, method, horizon=3, season=4)
        torch.testing.assert_close(larger.scaled(1e6 * past), scaling.scaled(past))
        torch.testing.assert_close(larger.size, 1e6 * scaling.size)


def test_a_seasonal_difference_of_a_season_that_repeats_is_nothing():
    season = torch.tensor([1.0, 5.0, 2.0, 8.0], dtype=torch.float64)
    past, observed = season.repeat(2, 3), torch.ones(2, 12, dtype=torch.float64)
    scaling = scaling_of(past, observed, "difference", horizon=6, season=4)
    assert scaling.scaled(past).eq(0).all()
    torch.testing.assert_close(scaling.restored(torch.randn(2, 6).double()), season.repeat(2, 2)[:, :6])


@pytest.mark.parametrize("method", SCALINGS)
def test_nothing_observed_and_no_variation_give_numbers(method):
    past = torch.stack((torch.zeros(12), torch.zeros(12), torch.full((12,), 7.0)))
    observed = torch.stack((torch.zeros(12), torch.ones(12), torch.ones(12)))
    scaling = scaling_of(past, observed, method, horizon=3, season=4)
    assert scaling.scaled(past).isfinite().all()
    restored = scaling.restored(torch.ones(3, 3))
    assert restored.isfinite().all()
    if method not in ("none", "mean"):
        assert restored[2].eq(7).all()
    if method != "none":
        assert restored[1].eq(0).all()
