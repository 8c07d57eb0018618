"""Every encoder with every decoder is a network, and shortcuts do what they say."""

import itertools

import numpy as np
import pytest
import torch

from pomona.networks.build import build
from pomona.networks.forecast_blocks import FORECAST_BLOCKS
from pomona.networks.forecaster import (
    DECODERS,
    ENCODERS,
    SHORTCUTS,
    ForecasterPlan,
    ForecastShape,
    forecaster_spec,
)
from pomona.networks.spec import Block, Spec
from pomona.nn.leaves import weights_outside_leaves
from pomona.tasks.feature import Feature

SHAPE = ForecastShape(13, 5, 3, 4, static_tokens=6, static_columns=2, static_numbers=2, season=4)


def inputs_of(shape: ForecastShape, batch: int = 3, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    past = torch.randn(batch, shape.context, 2 + shape.past_features, generator=generator)
    past[:, :, -1] = (past[:, :, -1] > -1).float()
    return {
        "past": past,
        "future": torch.randn(batch, shape.horizon, shape.future_features, generator=generator),
        "static": torch.randint(0, 6, (batch, shape.static_columns), generator=generator),
        "numbers": torch.randn(batch, shape.static_numbers, generator=generator),
    }


@pytest.mark.parametrize(("encoder", "decoder"), itertools.product(ENCODERS, DECODERS))
def test_every_encoder_goes_with_every_decoder(encoder, decoder):
    plan = ForecasterPlan(encoder, decoder, width=16, depth=2, shortcut="both", gated=True)
    spec = forecaster_spec(SHAPE, plan)
    assert Spec.from_json(spec.to_json()) == spec
    network = build(spec, 0, blocks=FORECAST_BLOCKS)
    assert weights_outside_leaves(network) == []
    heads = network(inputs_of(SHAPE))
    assert heads["y"].shape == (3, SHAPE.horizon, SHAPE.numbers)
    assert heads["shortcut"].shape == (3, SHAPE.horizon, 1)
    (heads["y"].square().sum() + heads["shortcut"].sum()).backward()
    told = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert all(name.startswith(("blocks.memory", "blocks.narrow")) for name in told), told


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_a_network_without_a_season_or_covariates_is_one_too(shortcut):
    shape = ForecastShape(6, 3, 0, 1)
    network = build(
        forecaster_spec(shape, ForecasterPlan(width=8, shortcut=shortcut)), 0, blocks=FORECAST_BLOCKS
    )
    heads = network({"past": torch.randn(2, 6, 2), "future": torch.randn(2, 3, 1)})
    assert ("shortcut" in heads) == (shortcut in ("linear", "both"))


def one_block(block: str, args: dict, shape: tuple[int, int]) -> torch.nn.Module:
    spec = Spec({"x": Feature("x", "series", shape)}, (Block("b", block, args, ("x",)),), {"y": "b"})
    return build(spec, 0, blocks=FORECAST_BLOCKS)


def test_a_seasonal_shortcut_begins_as_the_mean_of_seasons_and_a_linear_one_as_the_last_value():
    x = torch.randn(2, 12, 3)
    repeat = one_block("seasonal_repeat", {"season": 4, "num_seasons": 3, "horizon": 6}, (12, 3))
    mean = x[:, :, 0].reshape(2, 3, 4).mean(1)
    torch.testing.assert_close(repeat({"x": x})["y"][:, :, 0], mean.repeat(1, 2)[:, :6])
    linear = one_block("time_linear", {"horizon": 6}, (12, 3))
    torch.testing.assert_close(linear({"x": x})["y"][:, :, 0], x[:, -1:, 0].expand(2, 6))


def test_a_linear_shortcut_that_is_least_squares_repeats_a_seasonal_series_exactly():
    steps = np.arange(400)
    series = torch.tensor(10 + 3 * np.sin(2 * np.pi * steps / 7) + np.cos(4 * np.pi * steps / 7))
    windows = series.unfold(0, 14 + 5, 1)
    past, future = windows[:, :14], windows[:, 14:]
    module = one_block("time_linear", {"horizon": 5}, (14, 2)).double()
    last = past[:, -1:]
    solution = np.linalg.lstsq((past - last).numpy(), (future - last).numpy(), rcond=1e-10)[0]
    linear = module.blocks["b"].linear
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(solution.T))
    told = module({"x": torch.stack((past, torch.ones_like(past)), 2)})["y"][:, :, 0]
    torch.testing.assert_close(told, future, rtol=1e-9, atol=1e-9)


def test_steps_that_are_missing_are_filled_with_one_learned_value_and_stay_marked():
    module = one_block("missing_steps", {"num_values": 1}, (4, 3))
    vector = module.blocks["b"].vector
    with torch.no_grad():
        vector.weight.fill_(2.5)
    x = torch.randn(1, 4, 3)
    x[0, :, 2] = torch.tensor([1.0, 0.0, 1.0, 0.0])
    filled = module({"x": x})["y"]
    torch.testing.assert_close(filled[0, :, 0], torch.where(x[0, :, 2] > 0, x[0, :, 0], torch.tensor(2.5)))
    torch.testing.assert_close(filled[:, :, 1:], x[:, :, 1:])
