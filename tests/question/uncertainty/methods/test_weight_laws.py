"""Weights that differ by member: explicit weights, torch-uncertainty's layers, divergences by sampling."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from method_samples import sample
from torch import nn
from torch.func import functional_call

from pomona.networks.build import build
from pomona.nn.mean_field import MeanField
from pomona.nn.rank_one import RankOne, random_start
from pomona.nn.rank_one_posterior import PRIOR_SCALE, RankOnePosterior, cauchy_divergence, normal_divergence
from pomona.question.uncertainty.methods.member_network import MemberNetwork, members_key
from pomona.question.uncertainty.methods.swag import WeightMoments, weight_moments

RECORDED = np.load(Path(__file__).parents[3] / "oracles" / "torch_uncertainty_methods.npz")


def recorded(name: str) -> torch.Tensor:
    return torch.from_numpy(RECORDED[name])


@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_members_of_batch_ensemble_are_those_of_torch_uncertainty(kind):
    layer = nn.Linear(4, 6) if kind == "linear" else nn.Conv2d(2, 4, 3, padding=1)
    layer = layer.double()
    law = RankOne(layer, 3, -0.5, seed=0).double()
    with torch.no_grad():
        layer.weight.copy_(recorded(f"{kind}/weight"))
        layer.bias.zero_()
        law.inward["weight"].copy_(recorded(f"{kind}/inward").flatten())
        law.outward["weight"].copy_(recorded(f"{kind}/outward").flatten())
        law.added["bias"].copy_(recorded(f"{kind}/bias").flatten())
    weights = law(dict(layer.named_parameters()))
    for member in range(3):
        own = {name: weight[member] for name, weight in weights.items()}
        found = functional_call(layer, own, (recorded(f"{kind}/x"),))
        torch.testing.assert_close(found, recorded(f"{kind}/y")[member])


@pytest.mark.parametrize("network", ["dense", "convolutional", "recurrent", "transformer"])
def test_a_member_is_the_network_with_its_explicit_weights(network):
    task, spec = sample(network, "classify")
    shared = build(spec, 0).double()
    law = RankOne(shared, 3, -0.5, seed=1).double()
    both = MemberNetwork(shared, law, "y", "classify")
    inputs = {"x": torch.from_numpy(task.splits["test"].read(np.arange(4))["x"])}
    inputs = {key: x.double() if x.is_floating_point() else x for key, x in inputs.items()}
    heads = both(inputs)
    for member in range(3):
        own = {}
        for name, weight in shared.named_parameters():
            key = name.replace(".", "/")
            if key in law.inward:
                r, s = (part[key].view(3, -1)[member] for part in (law.inward, law.outward))
                own[name] = weight * torch.outer(s, r).view(len(s), len(r), *[1] * (weight.ndim - 2))
            elif key in law.added:
                own[name] = weight + law.added[key].view(3, -1)[member]
            else:
                own[name] = weight
        found = functional_call(shared, own, (inputs,))["y"]
        torch.testing.assert_close(heads[members_key("y")][member], found)
    mean = heads[members_key("y")].softmax(-1).mean(0)
    torch.testing.assert_close(heads["y"].softmax(-1), mean)
    both.eval()
    with torch.no_grad():
        torch.testing.assert_close(both(inputs)["y"], heads["y"])


def test_weight_decay_leaves_fast_weights_alone():
    """Only parameters of two axes or more decay."""
    network = nn.Sequential(nn.Linear(3, 4), nn.GRU(4, 2))
    laws = [
        RankOne(network, 2, 0.5, 0),
        RankOnePosterior(network, 2, 0.5, 0, law="normal", scale=0.1),
        MeanField(network, 1, prior=1.0, start=0.1),
    ]
    assert all(parameter.ndim == 1 for law in laws for parameter in law.parameters())


def test_random_signs_have_their_chance_and_normal_starts_their_deviation():
    generator = torch.Generator().manual_seed(0)
    signs = random_start(20_000, 0.75, generator)
    assert set(signs.tolist()) == {-1.0, 1.0}
    assert abs(float((signs > 0).double().mean()) - 0.75) < 0.015
    normal = random_start(20_000, -0.5, generator)
    assert abs(float(normal.mean()) - 1) < 0.02
    assert abs(float(normal.std()) - 0.5) < 0.02


def densities(law, location, scale, center):
    kind = torch.distributions.Normal if law == "normal" else torch.distributions.Cauchy
    return kind(location, scale), kind(center, torch.tensor(PRIOR_SCALE, dtype=torch.float64))


@pytest.mark.parametrize("law", ["normal", "cauchy"])
def test_divergences_are_the_integrals_that_define_them(law):
    location = torch.tensor(0.93, dtype=torch.float64)
    scale, center = torch.tensor(0.04, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    one, prior = densities(law, location, scale, center)
    # x = location + scale · tan(place) makes the integral over all numbers one over an interval
    place = torch.linspace(-math.pi / 2, math.pi / 2, 400_001, dtype=torch.float64)[1:-1]
    x = location + scale * torch.tan(place)
    integrand = one.log_prob(x).exp() * (one.log_prob(x) - prior.log_prob(x)) * scale / torch.cos(place) ** 2
    wanted = torch.trapezoid(torch.nan_to_num(integrand), place)
    found = {"normal": normal_divergence, "cauchy": cauchy_divergence}[law](location, scale, center)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("law", ["normal", "cauchy"])
def test_drawn_vectors_have_their_law_and_stand_still_in_evaluation(law):
    layer = nn.Linear(200, 100, bias=False)
    posterior = RankOnePosterior(layer, 2, 0.5, seed=0, law=law, scale=0.05)
    weights = dict(layer.named_parameters())
    with torch.no_grad():
        posterior.eval()
        still = posterior(weights)["weight"]
        torch.testing.assert_close(still, posterior(weights)["weight"])
        ratio = posterior.drawn(weights, torch.Generator().manual_seed(0))["weight"] / still
    # a ratio is (1 ± draw) · (1 ± draw): along one row the first factor is one number
    row = ratio[0, 0] / ratio[0, 0].median()
    spread = float((row.quantile(0.75) - row.quantile(0.25)) / 2)
    wanted = 0.05 * (0.6745 if law == "normal" else 1.0)
    assert abs(spread / wanted - 1) < 0.3


def test_the_divergence_of_mean_field_is_torchs():
    network = nn.Linear(3, 2)
    law = MeanField(network, 1, prior=0.8, start=0.3)
    with torch.no_grad():
        for deviation in law.log_deviation.values():
            deviation += torch.linspace(-0.5, 0.5, len(deviation))
    wanted = 0.0
    for name, mean in network.named_parameters():
        prior = 0.8 * math.sqrt(2 / 3) if name == "weight" else 0.8
        own = torch.distributions.Normal(mean.flatten(), law.log_deviation[name].exp())
        wanted += torch.distributions.kl_divergence(own, torch.distributions.Normal(0.0, prior)).sum()
    torch.testing.assert_close(law.divergence(dict(network.named_parameters())), wanted)


def test_mean_field_draws_have_their_means_and_deviations():
    network = nn.Linear(3, 2)
    law = MeanField(network, 4000, prior=1.0, start=0.2)
    with torch.no_grad():
        drawn = law.drawn(dict(network.named_parameters()), torch.Generator().manual_seed(0))["weight"]
    torch.testing.assert_close(drawn.mean(0), network.weight.detach(), atol=0.02, rtol=0)
    wanted = torch.full((2, 3), 0.2 * math.sqrt(2 / 3))
    torch.testing.assert_close(drawn.std(0), wanted, atol=0.01, rtol=0)


def test_swag_remembers_what_torch_uncertainty_remembers():
    found = weight_moments([{"weight": snapshot} for snapshot in recorded("swag/snapshots")])
    torch.testing.assert_close(found.mean["weight"], recorded("swag/mean"))
    torch.testing.assert_close(found.variance["weight"], recorded("swag/variance"))
    torch.testing.assert_close(found.deviations["weight"].flatten(1), recorded("swag/deviations"))


def test_swag_draws_have_half_the_diagonal_and_half_the_snapshots_covariance():
    generator = torch.Generator().manual_seed(0)
    deviations = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    variance = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    mean = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    moments = WeightMoments({"w": mean}, {"w": variance}, {"w": deviations})
    drawn = moments.drawn(200_000, 0.7, generator)["w"]
    wanted = 0.7**2 * 0.5 * (torch.diag(variance) + deviations.T @ deviations / 4)
    torch.testing.assert_close(torch.cov(drawn.T), wanted, rtol=0.03, atol=0.01)
    torch.testing.assert_close(drawn.mean(0), mean, rtol=0, atol=0.01)
