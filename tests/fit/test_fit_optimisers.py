"""Optimisers move weights as their formulas say, decay what should decay, and go on after a restore."""

import copy
import math

import pytest
import torch
from torch import nn

from pomona.fit.clip import clip, clip_members
from pomona.fit.early_stopping import Best
from pomona.fit.ema import MovingAverage
from pomona.fit.optimisers import (
    OPTIMISERS,
    decayed_names,
    make_optimiser,
    optimiser_tensors,
    restore_optimiser,
)
from pomona.fit.schedules import SCHEDULES, rate_factor
from pomona.fit.settings import FitSettings


def network(seed=0):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2)).double()


def moved(module, optimiser, num_steps, first=0):
    for step in range(first, first + num_steps):
        x = torch.arange(6, dtype=torch.float64).view(2, 3) / 3 - step / 7
        optimiser.zero_grad()
        module(x).square().mean().backward()
        optimiser.step()
    return module


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_lowers_a_loss(name):
    module = network()
    optimiser = make_optimiser(
        dict(module.named_parameters()), FitSettings(optimizer=name, learning_rate=1e-3)
    )
    x = torch.ones(4, 3, dtype=torch.float64)
    before = module(x).square().mean().item()
    for _ in range(100):
        optimiser.zero_grad()
        module(x).square().mean().backward()
        optimiser.step()
    assert module(x).square().mean().item() < 0.9 * before


def test_lion_is_its_formula():
    """Algorithm 2 of Chen et al. 2023."""
    weight = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)
    settings = FitSettings(optimizer="lion", learning_rate=0.01, weight_decay=0.1, momentum=0.9)
    optimiser = make_optimiser({"w": weight}, settings, decayed={"w"})
    value, momentum = weight.detach().clone(), torch.zeros(3, dtype=torch.float64)
    for step in range(5):
        gradient = torch.tensor([math.sin(step), 1.0, -0.5], dtype=torch.float64)
        weight.grad = gradient.clone()
        optimiser.step()
        direction = torch.sign(0.9 * momentum + 0.1 * gradient)
        value = value - 0.01 * (direction + 0.1 * value)
        momentum = 0.99 * momentum + 0.01 * gradient
        torch.testing.assert_close(weight.detach(), value)


def test_only_matrices_and_kernels_decay():
    names = decayed_names(dict(network().named_parameters()))
    assert names == {"0.weight", "3.weight"}
    module = network()
    before = copy.deepcopy(module.state_dict())
    settings = FitSettings(optimizer="adamw", learning_rate=0.1, weight_decay=0.5)
    optimiser = make_optimiser(dict(module.named_parameters()), settings)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for name, after in module.state_dict().items():
        torch.testing.assert_close(after, before[name] * (0.95 if name in names else 1.0))


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_goes_on_after_a_restore_to_the_same_bits(name):
    settings = FitSettings(optimizer=name, learning_rate=1e-3)

    def fresh():
        module = network()
        return module, make_optimiser(dict(module.named_parameters()), settings)

    whole = moved(*fresh(), 6)
    module, optimiser = fresh()
    moved(module, optimiser, 3)
    saved = {key: tensor.clone() for key, tensor in optimiser_tensors(optimiser).items()}
    other, resumed = fresh()
    other.load_state_dict(module.state_dict())
    restore_optimiser(resumed, saved)
    moved(other, resumed, 3, first=3)
    for wanted, found in zip(whole.parameters(), other.parameters(), strict=True):
        assert torch.equal(wanted, found)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_stack_of_members_moves_as_its_members_do(name):
    settings = FitSettings(optimizer=name, learning_rate=1e-3, weight_decay=0.3)
    singles = [network(seed) for seed in range(3)]
    names = [key for key, _ in singles[0].named_parameters()]
    stack = {
        key: torch.stack([dict(one.named_parameters())[key].detach() for one in singles]).requires_grad_()
        for key in names
    }
    together = make_optimiser(stack, settings, decayed=decayed_names(dict(singles[0].named_parameters())))
    alone = [make_optimiser(dict(one.named_parameters()), settings) for one in singles]
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        for key in names:
            stack[key].grad = torch.randn(stack[key].shape, generator=generator, dtype=torch.float64)
            for member, one in enumerate(singles):
                dict(one.named_parameters())[key].grad = stack[key].grad[member].clone()
        for optimiser in (together, *alone):
            optimiser.step()
    for key in names:
        for member, one in enumerate(singles):
            torch.testing.assert_close(
                stack[key][member], dict(one.named_parameters())[key], rtol=0, atol=1e-14
            )


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_clipping_agrees_with_torch_for_one_and_for_each_of_many(scale):
    generator = torch.Generator().manual_seed(0)
    gradients = [
        torch.randn(3, 4, 5, generator=generator) * scale,
        torch.randn(3, 2, generator=generator) * scale,
    ]
    gradients[0][1] *= torch.nan
    many = [gradient.clone() for gradient in gradients]
    clip_members(many, 1.0)
    for member in (0, 2):
        wanted = [nn.Parameter(torch.zeros_like(gradient[member])) for gradient in gradients]
        ours = [nn.Parameter(torch.zeros_like(gradient[member])) for gradient in gradients]
        for gradient, one, other in zip(gradients, wanted, ours, strict=True):
            one.grad, other.grad = gradient[member].clone(), gradient[member].clone()
        nn.utils.clip_grad_norm_(wanted, 1.0)
        clip(ours, 1.0)
        for one, other, stacked in zip(wanted, ours, many, strict=True):
            torch.testing.assert_close(other.grad, one.grad)
            torch.testing.assert_close(stacked[member], one.grad)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_rises_to_one_and_never_leaves_the_range(name):
    factors = [rate_factor(name, step, 100, warmup=0.1) for step in range(100)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == 1
    top = factors.index(1.0)
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert rate_factor(name, 0, 1, warmup=0.5) == 1


def test_the_moving_average_is_its_recursion():
    module = network()
    average = MovingAverage(module, 0.9)
    wanted = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    for step in range(20):
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * step)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        for key, tensor in module.state_dict().items():
            wanted[key] = decay * wanted[key] + (1 - decay) * tensor
    for key, tensor in average.network.state_dict().items():
        torch.testing.assert_close(tensor, wanted[key])


def test_the_best_has_the_highest_score_then_the_lowest_loss():
    best = Best()
    for step, (score, loss) in enumerate(
        [(0.5, 2.0), (0.5, 1.0), (0.4, 0.1), (0.5, 1.5), (math.nan, 0.0), (0.9, math.nan)]
    ):
        best = best.after(step, score, loss)
    assert (best.step, best.score, best.loss, best.num_since) == (1, 0.5, 1.0, 4)
    assert best.is_over(4)
    assert not best.is_over(5)
    assert not best.is_over(0)
    assert Best.from_json(best.to_json()) == best
    assert Best.from_json(Best().to_json()) == Best()


def test_a_score_without_meaning_leaves_the_loss_to_decide():
    best = Best().after(1, math.nan, 2.0).after(2, math.nan, 1.0).after(3, math.nan, 3.0)
    assert best.step == 2
