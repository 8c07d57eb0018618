"""Heads that tell noise, evidence or quantiles, against closed forms and torch-uncertainty."""

from pathlib import Path

import numpy as np
import pytest
import torch
from method_samples import arrays_task, asked, sample, small
from scipy.stats import norm

from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.spec import Block, Spec
from pomona.nn.heteroscedastic_head import NoisyLogits
from pomona.question.uncertainty.methods import METHODS, MethodSettings
from pomona.question.uncertainty.methods.evidential import dirichlet_divergence, evidential_loss
from pomona.question.uncertainty.methods.heteroscedastic import normal_loss
from pomona.question.uncertainty.methods.quantiles import quantile_loss, said_of_quantiles
from pomona.tasks.feature import Feature

RECORDED = np.load(Path(__file__).parents[3] / "oracles" / "torch_uncertainty_methods.npz")


def recorded(name: str) -> torch.Tensor:
    return torch.from_numpy(RECORDED[name])


def no_loss(heads):
    raise AssertionError("the task's own loss is not wanted here")


def test_the_evidential_loss_is_torch_uncertaintys():
    heads = {"y": torch.log1p(recorded("evidence"))}
    objective = evidential_loss("y", 0.7, 0.5)
    found = objective(heads, {"y": recorded("class")}, no_loss, 0.9)
    torch.testing.assert_close(found, recorded("evidential"))


def test_the_divergence_is_torchs_and_zero_for_knowing_nothing():
    alpha = 1 + 5 * torch.rand(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    own, nothing = torch.distributions.Dirichlet(alpha), torch.distributions.Dirichlet(torch.ones_like(alpha))
    wanted = torch.distributions.kl_divergence(own, nothing)
    torch.testing.assert_close(dirichlet_divergence(alpha), wanted)
    torch.testing.assert_close(dirichlet_divergence(torch.ones(2, 3)), torch.zeros(2))


def test_evidence_is_the_share_of_what_is_not_known():
    task, spec = sample("dense", "classify")
    row = METHODS["evidential"]
    with temporary_run() as run:
        found = row.function(task, spec, small(row.defaults), run=run, name="e")
    said = found.say(asked(task))
    # each class has at least 1 / total, so the unknown share is at most classes · the least probability
    assert (said.scores["evidence"] <= 3 * said.probabilities.min(1) + 1e-6).all()
    assert ((said.scores["evidence"] > 0) & (said.scores["evidence"] <= 1)).all()


def test_the_tilted_error_is_torch_uncertaintys():
    levels = (0.25, 0.5, 0.75)
    every = recorded("values")[:, None].expand(-1, 3)
    found = quantile_loss("y", levels)({"y.quantiles": every}, {"y": recorded("truth")}, no_loss, 0.0)
    torch.testing.assert_close(found, recorded("pinball").mean())


def test_the_normal_loss_is_the_negative_log_likelihood_less_its_constant():
    mean, logarithm, truth = (torch.randn(7, generator=torch.Generator().manual_seed(s)) for s in range(3))
    found = normal_loss("y")({"y": mean, "y.log_variance": logarithm}, {"y": truth}, no_loss, 0.0)
    wanted = -norm.logpdf(truth.numpy(), mean.numpy(), np.exp(logarithm.numpy() / 2)).mean()
    assert float(found) + 0.5 * np.log(2 * np.pi) == pytest.approx(wanted, rel=1e-5)


def test_weights_count_in_every_loss():
    """An example of weight 0 is as if it were not there."""
    weight = torch.tensor([1.0, 2.0, 0.0])
    truth = torch.tensor([0.1, -0.4, 99.0])
    heads = {"y": torch.tensor([0.2, 0.3, 0.4]), "y.log_variance": torch.zeros(3)}
    loss = normal_loss("y")
    found = loss(heads, {"y": truth, "weight": weight}, no_loss, 0.0)
    parts = [
        loss({k: v[i, None] for k, v in heads.items()}, {"y": truth[i, None]}, no_loss, 0.0)
        for i in (0, 1, 1)
    ]
    torch.testing.assert_close(found, torch.stack(parts).mean())


def test_logits_have_the_covariance_of_their_factors_and_diagonal():
    """With a logistic of two classes and little noise, the mean probability follows from the covariance."""
    head = NoisyLogits(1, 2, num_factors=3, temperature=1.0).double()
    head.num_samples = 200_000
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
        head.mean.bias.copy_(torch.tensor([0.8, 0.0]))
        head.factors.bias.copy_(torch.tensor([0.5, -0.2, 0.1, 0.3, 0.4, -0.6]))
        head.diagonal.bias.copy_(torch.tensor([0.2, -0.5]))
        torch.manual_seed(0)
        found = head(torch.zeros(1, 1, dtype=torch.float64)).exp()[0, 0]
    first, second = torch.tensor([0.5, -0.2, 0.1]), torch.tensor([0.3, 0.4, -0.6])
    own = torch.nn.functional.softplus(torch.tensor([0.2, -0.5]))
    deviation = float((first - second).square().sum() + own.square().sum()) ** 0.5
    places = np.linspace(-8, 8, 4001)
    wanted = np.trapezoid(norm.pdf(places) / (1 + np.exp(-(0.8 + deviation * places))), places)
    assert float(found) == pytest.approx(wanted, abs=0.003)


def noisy_line(num_examples: int = 616):
    """Values whose noise grows with the input: deviation ½ exp(0.7 x)."""
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, (num_examples, 1))
    y = 10 + 3 * (x + 0.5 * np.exp(0.7 * x) * random.normal(size=x.shape))
    feature = Feature("x", "vector", (1,))
    task = arrays_task(feature, x.astype(np.float32), y.astype(np.float32), "regress")
    body = Block("body", "dense", {"width": 32, "activation": "gelu"}, ("x",))
    return task, Spec(task.inputs, (body, Block("head", "head", {"shape": (1,)}, ("body",))), {"y": "head"})


@pytest.mark.parametrize("method", ["heteroscedastic", "quantile"])
def test_noise_that_grows_with_the_input_is_found(method):
    task, spec = noisy_line()
    row = METHODS[method]
    settings = small(row.defaults, steps=600, batch_size=64, learning_rate=0.01, keep="last")
    settings = MethodSettings(settings.fit, {} if method == "heteroscedastic" else {"levels": 19})
    with temporary_run() as run:
        found = row.function(task, spec, settings, run=run, name=method)
    x = np.array([[-1.8], [0.0], [1.8]], np.float32)
    said = found.say({"x": x, "y": np.zeros((3, 1), np.float32)})
    np.testing.assert_allclose(said.mean, 10 + 3 * x, atol=2.0)
    wanted = 3 * 0.5 * np.exp(0.7 * x)
    assert (said.deviation / wanted < 1.5).all()
    assert (said.deviation / wanted > 0.6).all()


def test_quantiles_that_cross_are_sorted():
    task, _ = noisy_line(40)
    scaled = np.array([[[0.5, -0.5, 0.0]]])
    said = said_of_quantiles(task, scaled, (0.25, 0.5, 0.75))
    assert said.quantiles is not None
    assert [float(said.quantiles[level][0, 0]) for level in (0.25, 0.5, 0.75)] == [8.5, 10.0, 11.5]


def test_what_a_method_is_not_for_is_refused_in_one_line():
    task, spec = sample("dense", "regress")
    with temporary_run() as run, pytest.raises(SettingError, match="for classify; task 'sample' is regress"):
        METHODS["evidential"].function(task, spec, MethodSettings(), run=run, name="e")
    with temporary_run() as run, pytest.raises(SettingError, match="levels must be odd"):
        METHODS["quantile"].function(task, spec, MethodSettings(own={"levels": 4}), run=run, name="q")
