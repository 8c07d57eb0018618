"""Training steps on real workers: loss, gradients and trainings equal those of the module alone."""

import copy

import pytest
import torch
from random_plan import random_plan
from torch import nn

from pomona.compile.placement.capture.torch_module import capture_training
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.placed_step import PlacedStep
from pomona.foundation.errors import DataError, InputError


class Classifier(nn.Module):
    """Words to classes; the head has the embedding's weights, and one layer does not learn."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(12, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.fixed = nn.Linear(8, 8).requires_grad_(False)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.words.weight
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, tokens, targets):
        found = self.head(self.fixed(self.encoder(self.words(tokens)))) * self.scale
        return nn.functional.cross_entropy(found.flatten(0, 1), targets.flatten())


def convolutions():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)
    )


SUBJECTS = {
    "words": (Classifier, lambda: (torch.randint(0, 12, (2, 5)), torch.randint(0, 12, (2, 5))), None),
    "images": (convolutions, lambda: (torch.randn(2, 3, 6, 6),), lambda out: out.square().mean()),
}


def made(name):
    make, draw, loss = SUBJECTS[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make()
        inputs = [draw() for _ in range(3)]
    captured = capture_training(module, inputs[0], loss=loss)
    return module, inputs, loss, captured.graph


@pytest.mark.parametrize("workers", [{"num_workers": 2}, {"devices": ("cpu",) * 3}])
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_placed_training_is_the_modules_own(name, workers):
    module, inputs, loss, graph = made(name)
    alone = copy.deepcopy(module)
    plan = random_plan(graph, workers.get("num_workers", 3))
    optimisers = [torch.optim.SGD(one.parameters(), 0.1, momentum=0.9) for one in (module, alone)]
    with PlacedStep(module, inputs[0], plan, loss=loss, **workers) as step:
        for given in inputs:
            found = step(*given)
            optimisers[1].zero_grad()
            wanted = alone(*given) if loss is None else loss(alone(*given))
            wanted.backward()
            torch.testing.assert_close(found, wanted.detach(), rtol=1e-5, atol=1e-6)
            for (key, one), other in zip(module.named_parameters(), alone.parameters(), strict=True):
                assert (one.grad is None) == (other.grad is None), key
                if other.grad is not None:
                    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)
            for optimiser in optimisers:
                optimiser.step()
    # the last steps began from weights that the first had changed
    for one, other in zip(module.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_every_worker_has_a_part_of_the_step():
    module, inputs, loss, graph = made("images")
    with PlacedStep(module, inputs[0], random_plan(graph, 2), loss=loss) as step:
        step(*inputs[0])
        assert all(len(units) > 2 for units in step.workers.ran)


def test_what_cannot_be_trained_on_workers_is_refused():
    module, inputs, loss, graph = made("images")
    plan = random_plan(graph, 2)
    short = Plan(plan.device[1:], plan.priority[1:], plan.cluster[1:])
    with pytest.raises(InputError, match="use a plan that was made for this module"):
        PlacedStep(module, inputs[0], short, loss=loss)
    norm = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).train()
    with pytest.raises(InputError, match=r"changes no buffers .* changes '1\.running_mean'"):
        PlacedStep(norm, (torch.randn(4, 3),), plan)
    wrong = pytest.raises(DataError, match=r"was placed as float32 of shape \(2, 3, 6, 6\), got")
    with PlacedStep(module, inputs[0], plan, loss=loss, devices=("cpu", "cpu")) as step, wrong:
        step(torch.zeros(1, 3, 6, 6))
