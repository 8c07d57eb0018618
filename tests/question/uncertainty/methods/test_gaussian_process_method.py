"""Random features against the kernel, SNGP against exact regression, layers against their bounds."""

import math

import numpy as np
import pytest
import torch
from method_samples import asked, sample, small
from torch import nn

from pomona.fit.settings import FitSettings
from pomona.foundation.run import temporary_run
from pomona.nn.random_features import GaussianProcessHead, RandomFeatures, orthogonal_normal
from pomona.nn.spectral import bound_stretch, input_weight
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.methods.gaussian_process import DEFAULTS, bounded, posterior_covariance
from pomona.question.uncertainty.methods.training import train, train_members


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_products_of_random_features_are_close_to_the_kernel():
    features = RandomFeatures(4, 20_000, 0.7, generator()).double()
    x = torch.randn(6, 4, generator=generator(), dtype=torch.float64)
    square = torch.cdist(x, x) ** 2
    kernel = torch.exp(-square / (2 * 4 * 0.7**2))
    torch.testing.assert_close(features(x) @ features(x).T, kernel, rtol=0, atol=0.03)


def test_directions_are_orthogonal_in_groups_and_as_long_as_normal_ones():
    rows = orthogonal_normal(4000, 8, generator())
    group = torch.nn.functional.normalize(rows[:8], dim=1)
    torch.testing.assert_close(group @ group.T, torch.eye(8), rtol=0, atol=1e-5)
    assert abs(float(rows.square().sum(1).mean()) - 8) < 0.3


@pytest.mark.parametrize("ridge", [1.0, 0.3])
def test_the_variance_is_that_of_exact_regression_with_the_kernel_of_the_features(ridge):
    """A linear model of features with prior precision ridge is a Gaussian process with kernel φ·φ / ridge."""
    noise = 0.2
    head = GaussianProcessHead(3, (1,), num_random=64, length_scale=0.5, generator=generator()).double()
    x = torch.randn(20, 3, generator=generator(), dtype=torch.float64)
    new = torch.randn(5, 3, generator=generator(), dtype=torch.float64) * 2
    with torch.no_grad():
        head.covariance.copy_(posterior_covariance(head.features(x), ridge, noise))
        found = head.variance(new)
        seen, unseen = head.features(x), head.features(new)
        kernel = seen @ seen.T / ridge + noise * torch.eye(20, dtype=torch.float64)
        across = unseen @ seen.T / ridge
        wanted = (unseen**2).sum(1) / ridge - (across @ torch.linalg.inv(kernel) * across).sum(1)
    torch.testing.assert_close(found, wanted)


def test_far_from_what_it_saw_it_is_less_sure():
    task, spec = sample("dense", "classify")
    row = METHODS["sngp"]
    with temporary_run() as run:
        found = row.function(task, spec, small(row.defaults, steps=60), run=run, name="sngp")
    batch = asked(task)
    far = {**batch, "x": batch["x"] * 50}
    assert found.say(far).scores["max-probability"].mean() > found.say(batch).scores["max-probability"].mean()


LAYERS = {
    "linear": (lambda: nn.Linear(6, 8), (6,)),
    "convolution": (lambda: nn.Conv2d(3, 4, 3, padding=1), (3, 5, 5)),
    "gru": (lambda: nn.GRU(6, 4, batch_first=True), (7, 6)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_bounded_layer_stretches_by_no_more_than_its_bound(kind):
    make, shape = LAYERS[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = make()
    network = nn.Sequential(layer)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(8)
    bound_stretch(network, 1.5, seed=0)
    x = torch.randn(4, *shape, generator=generator())
    for _ in range(200):
        network(x)
    network.eval()
    factor = layer.spectral_bound(input_weight(layer))
    largest = torch.linalg.matrix_norm(input_weight(layer).flatten(1), 2)
    torch.testing.assert_close(factor * largest, torch.tensor(1.5), rtol=1e-3, atol=0)


@pytest.mark.parametrize("network", ["dense", "convolutional", "transformer"])
def test_bounds_hold_after_training_alone_and_in_a_population(network):
    """Directions of power iterations are buffers: they move under vmap as they do alone."""
    task, spec = sample(network, "classify")
    extension = bounded("y", {**DEFAULTS, "bound": 0.5, "features": 16})
    settings = FitSettings(steps=40, batch_size=20, keep="last")
    with temporary_run() as run:
        trained = train_members(task, spec, settings, 2, run=run, name="many", extension=extension)
        trained.append(train(task, spec, settings, run=run, name="one", extension=extension))
    for one in trained:
        layers = [part for part in one.network.modules() if hasattr(part, "spectral_bound")]
        assert layers
        for layer in layers:
            weight = input_weight(layer).detach()
            stretch = torch.linalg.matrix_norm(weight.flatten(1), 2) * layer.spectral_bound(weight)
            assert float(stretch) < 0.5 * 1.15


def test_a_layer_below_its_bound_is_as_it_was_and_zeros_stay_finite():
    layer = nn.Linear(3, 3)
    x = torch.randn(4, 3, generator=generator())
    before = layer(x)
    network = nn.Sequential(layer)
    bound_stretch(network, 1e3, seed=0)
    torch.testing.assert_close(network(x), before)
    nn.init.zeros_(layer.weight)
    network(x).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.isfinite().all()


def test_mean_field_logits_are_divided_by_the_variance_that_the_features_have():
    task, spec = sample("dense", "classify")
    row = METHODS["sngp"]
    said = []
    for factor in (0.0, 4.0):
        settings = small(row.defaults)
        settings = type(settings)(settings.fit, {**settings.own, "mean_field_factor": factor})
        with temporary_run() as run:
            said.append(row.function(task, spec, settings, run=run, name="sngp").say(asked(task)))
    plain, tempered = (np.log(one.probabilities) for one in said)
    spread = [one - one.mean(1, keepdims=True) for one in (plain, tempered)]
    ratio = spread[0] / spread[1]
    # one factor an example, √(1 + 4 · variance), of which the prior allows at most √(1 + 4 · 2)
    np.testing.assert_allclose(ratio.std(1), 0, atol=1e-4)
    assert (ratio.mean(1) > 1).all()
    assert (ratio.mean(1) <= math.sqrt(9) + 1e-6).all()
