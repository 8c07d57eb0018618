"""Laplace's approximation says what laplace-torch says, and of a linear model what is exact."""

from pathlib import Path

import numpy as np
import pytest
import torch
from method_samples import arrays_task
from torch import nn

from pomona.foundation.errors import SettingError
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.question.uncertainty.methods.evidence import best_precision, log_evidence
from pomona.question.uncertainty.methods.laplace_answer import probit
from pomona.question.uncertainty.methods.laplace_kronecker import (
    head_variances,
    kronecker_blocks,
    linearised_members,
    weight_draws,
)
from pomona.question.uncertainty.methods.laplace_last_layer import (
    decomposed,
    head_curvature,
    output_covariances,
    output_variances,
    with_one,
)
from pomona.question.uncertainty.methods.prior_precision import (
    CANDIDATES,
    likeliest_precision,
    nats,
    prior_precision,
)
from pomona.tasks.feature import Feature

RECORDED = np.load(Path(__file__).parents[3] / "oracles" / "laplace_torch.npz")
PRECISION, OTHER_PRECISION, NOISE = 2.0, 5.0, 0.3


def recorded(case: str):
    """The network with the recorded weights, the task with the recorded examples, and what is asked."""
    found = {key.removeprefix(f"{case}/"): RECORDED[key] for key in RECORDED.files if key.startswith(case)}
    shape = found["x"].shape[1:]
    kind = "regress" if case == "regress" else "classify"
    feature = Feature("x", "image" if case == "image" else "vector", shape)
    # the last 16 examples of a task of arrays are not for training
    x, y = (np.concatenate([found[key], found[key][:16]]) for key in ("x", "y"))
    # recorded targets are scaled already; float64 throughout
    task = arrays_task(feature, x, y if kind == "classify" else 10 + 3 * y, kind, num_classes=4)
    if case == "image":
        body = (
            Block(
                "body", "convolution", {"width": 3, "stride": 2, "activation": "tanh", "norm": "none"}, ("x",)
            ),
            Block("flat", "flatten", {}, ("body",)),
        )
    else:
        body = (Block("body", "dense", {"width": 5, "activation": "tanh"}, ("x",)),)
    head = Block("head", "head", {"shape": (2 if kind == "regress" else 4,)}, (body[-1].id,))
    network = build(Spec(task.inputs, (*body, head), {"y": "head"}), 0).double().eval()
    weights = [torch.from_numpy(found[key]) for key in found if key.startswith("weights/")]
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), weights, strict=True):
            parameter.copy_(value)
    return network, task, torch.from_numpy(found["asked"]), found, NOISE**2 if kind == "regress" else 1.0


def check(found, structure, variances, logits, num_outputs):
    np.testing.assert_allclose(variances.numpy(), found[f"{structure}/variance"], rtol=1e-6)
    if f"{structure}/probabilities" in found:
        probabilities = probit(logits, variances).softmax(1).detach().numpy()
        np.testing.assert_allclose(probabilities, found[f"{structure}/probabilities"], rtol=1e-6)


@pytest.mark.parametrize("case", ["classify", "regress", "image"])
def test_the_last_layer_says_what_laplace_torch_says(case):
    network, task, asked, found, noise = recorded(case)
    head = network.blocks["head"]
    curvature = head_curvature(task, network, noise)
    covariances = output_covariances(*decomposed(curvature), PRECISION, head.linear.out_features)
    seen = []
    head.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    logits = network({"x": asked})["y"]
    with torch.no_grad():
        variances = output_variances(with_one(seen[0]), covariances)
    check(found, "full", variances, logits, logits.shape[1])
    square = float(sum(weight.detach().square().sum() for weight in head.parameters()))
    values = torch.linalg.eigvalsh(curvature).flatten()
    gained = log_evidence(values, square, OTHER_PRECISION) - log_evidence(values, square, PRECISION)
    np.testing.assert_allclose(float(gained), found["full/evidence"], rtol=1e-6)


@pytest.mark.parametrize("case", ["classify", "regress", "image"])
def test_kronecker_factors_say_what_laplace_torch_says(case):
    network, task, asked, found, noise = recorded(case)
    blocks = kronecker_blocks(task, network, noise, torch.Generator())
    logits, variances = head_variances(network, {"x": asked}, "y", blocks, torch.tensor([PRECISION, 7.0]))
    check(found, "kron", variances[0], logits, logits.shape[1])
    square = float(sum(weight.detach().square().sum() for weight in network.parameters()))
    values = torch.cat([block.eigenvalues.flatten() for block in blocks.values()])
    gained = log_evidence(values, square, OTHER_PRECISION) - log_evidence(values, square, PRECISION)
    np.testing.assert_allclose(float(gained), found["kron/evidence"], rtol=1e-6)


@pytest.mark.parametrize("case", ["classify", "image"])
def test_draws_of_the_linearised_network_have_the_variances_that_it_tells(case):
    network, task, asked, _, _ = recorded(case)
    blocks = kronecker_blocks(task, network, 1.0, torch.Generator())
    logits, variances = head_variances(network, {"x": asked}, "y", blocks, torch.tensor([PRECISION]))
    variances = variances[0]
    draws = weight_draws(network, blocks, PRECISION, torch.Generator().manual_seed(0), 800)
    with torch.no_grad():
        heads = linearised_members(network, {"x": asked}, "y", draws)
    torch.testing.assert_close(heads.var(0), variances, rtol=0.25, atol=0)
    error = (heads.mean(0) - logits).abs() / (variances / 800).sqrt()
    assert float(error.max()) < 4.5


@pytest.mark.parametrize("case", ["classify", "image"])
def test_labels_that_are_drawn_give_the_exact_curvature_on_average(case, monkeypatch):
    network, task, _, _, _ = recorded(case)
    exact = kronecker_blocks(task, network, 1.0, torch.Generator())
    monkeypatch.setattr("pomona.question.uncertainty.methods.loss_curvature.MOST_CLASSES", 1)
    monkeypatch.setattr("pomona.question.uncertainty.methods.loss_curvature.NUM_DRAWN", 600)
    drawn = kronecker_blocks(task, network, 1.0, torch.Generator().manual_seed(0))
    for key, block in exact.items():
        torch.testing.assert_close(drawn[key].left_values, block.left_values, rtol=0.2, atol=0.05)


def test_of_a_linear_model_the_posterior_is_exact():
    """Bayesian linear regression with known noise has a closed form."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 3)), random.normal(size=(40, 1))
    task = arrays_task(Feature("x", "vector", (3,)), x, 10 + 3 * y, "regress")
    spec = Spec(task.inputs, (Block("head", "head", {"shape": (1,)}, ("x",)),), {"y": "head"})
    network = build(spec, 0).double().eval()
    features = with_one(torch.from_numpy(x[:24]))
    exact = torch.linalg.inv(features.T @ features / 0.25 + 2.0 * torch.eye(4))
    curvature = head_curvature(task, network, 0.25)
    covariances = output_covariances(*decomposed(curvature), 2.0, 1)
    torch.testing.assert_close(covariances[0], exact)
    asked = torch.from_numpy(random.normal(size=(5, 3)))
    found = output_variances(with_one(asked), covariances)[:, 0]
    wanted = (with_one(asked) @ exact * with_one(asked)).sum(1)
    torch.testing.assert_close(found, wanted)


def test_one_block_an_output_is_the_diagonal_of_all(monkeypatch):
    network, task, *_ = recorded("classify")
    whole = head_curvature(task, network, 1.0)[0].reshape(4, 6, 4, 6)
    monkeypatch.setattr("pomona.question.uncertainty.methods.laplace_last_layer.MOST_WEIGHTS", 0)
    parts = head_curvature(task, network, 1.0)
    for output in range(4):
        torch.testing.assert_close(parts[output], whole[output, :, output])


def test_validation_chooses_the_precision_under_which_it_is_likeliest():
    """Of candidates on a grid, against the least cost by the formula, for classes and values."""
    for case in ("classify", "regress"):
        network, task, _, _, noise = recorded(case)
        blocks = kronecker_blocks(task, network, noise, torch.Generator())

        def variances(inputs, precisions, network=network, blocks=blocks):
            return head_variances(network, inputs, "y", blocks, precisions)

        found = likeliest_precision(task, network, variances)
        batch = task.splits["valid"].read(np.arange(8))
        head, under = variances({"x": torch.from_numpy(batch["x"])}, CANDIDATES)
        truth = torch.from_numpy(batch["y"] if case == "classify" else (batch["y"] - 10) / 3)
        costs = [nats(task.kind, head, one, truth) for one in under]
        assert found == CANDIDATES[int(np.argmin(costs))]
        assert len(set(costs)) > 20


def test_a_precision_that_is_given_is_taken_and_a_wrong_way_refused():
    own = {"prior_precision": 3.0, "chosen_by": "evidence"}
    nothing = (None, None)
    assert prior_precision(*nothing, own, None, None) == 3.0
    assert prior_precision(*nothing, {**own, "prior_precision": 0.0}, lambda: 7.0, None) == 7.0
    with pytest.raises(SettingError, match="no way to choose a precision 'evidenc'"):
        prior_precision(*nothing, {**own, "chosen_by": "evidenc"}, None, None)


def test_the_best_precision_is_the_best_of_those_around_it():
    values = torch.tensor([0.1, 3.0, 10.0, 40.0], dtype=torch.float64)
    best = best_precision(values, 0.8)
    around = [log_evidence(values, 0.8, best * factor) for factor in (0.7, 1.0, 1.4)]
    assert max(around) == around[1]


def test_a_layer_that_is_used_twice_has_the_sum_of_both_gradients():
    """One weight: its curvature by the chain rule, against the gradient that torch finds."""

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(1, 1, bias=False)

        def forward(self, inputs):
            return {"y": self.linear(torch.tanh(self.linear(inputs["x"])))}

    network = Twice().double().eval()
    x = torch.tensor([[0.3], [-1.2]], dtype=torch.float64)
    task = arrays_task(Feature("x", "vector", (1,)), np.zeros((24, 1)), np.zeros((24, 1)), "regress")
    blocks = kronecker_blocks(task, network, 1.0, torch.Generator())
    _, found = head_variances(network, {"x": x}, "y", blocks, torch.tensor([2.0]))
    slopes = [
        torch.autograd.grad(network({"x": one[None]})["y"].sum(), network.linear.weight)[0] for one in x
    ]
    wanted = torch.stack(slopes).flatten() ** 2 / (blocks["linear.weight"].eigenvalues.item() + 2.0)
    torch.testing.assert_close(found[0, :, 0], wanted)
