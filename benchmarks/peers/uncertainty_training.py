"""A question to other people's methods, Pomona's network as their packages want it, and how it is trained."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from pomona.fit.augment import augmentation
from pomona.fit.schedules import rate_factor
from pomona.fit.settings import FitSettings
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.feature import mask_key

NUM_LOOKS = 30

Say = Callable[[Tensor], Any]
"""From inputs to probabilities, or to means and deviations of scaled values."""


@dataclass(frozen=True)
class Question:
    """A task, its parts train, valid, calibrate and test, and what is to be fitted."""

    kind: str
    target: str
    spec: dict[str, Any]
    dropped: dict[str, Any]
    """The same network with dropout after every block with weights."""
    fit: dict[str, Any]
    points: dict[str, list[dict[str, float]]]
    """The settings to try, by method."""
    seeds: list[int]
    tuning_seed: int
    arrays: dict[str, dict[str, Tensor]]
    targets: dict[str, Tensor]

    @property
    def is_classes(self) -> bool:
        """Whether classes are asked for, or values."""
        return self.kind == "classify"

    @property
    def num_outputs(self) -> int:
        """Classes, or one value."""
        return int(max(part.max() for part in self.targets.values())) + 1 if self.is_classes else 1

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        """The parts' inputs, each as one tensor."""
        return {part: self.joined(arrays) for part, arrays in self.arrays.items()}

    def joined(self, arrays: dict[str, Tensor]) -> Tensor:
        """The one input; a mask, if any, as a second row."""
        (name,) = self.spec["inputs"]
        mask = arrays.get(mask_key(name))
        return arrays[name] if mask is None else torch.stack((arrays[name].float(), mask.float()), 1)

    def parted(self, x: Tensor) -> dict[str, Tensor]:
        """The arrays that were joined."""
        (name,) = self.spec["inputs"]
        if mask_key(name) not in self.arrays["train"]:
            return {name: x}
        return {name: x[:, 0].to(self.arrays["train"][name].dtype), mask_key(name): x[:, 1] > 0.5}

    @cached_property
    def varied(self) -> Callable[[Tensor, torch.Generator], Tensor]:
        """Training inputs varied at random as Pomona does it for this task, or not at all."""
        features = Spec.from_json(self.spec).inputs
        task: Any = SimpleNamespace(kind=self.kind, inputs=features)
        vary = augmentation(task, FitSettings.from_json(self.fit))
        if vary is None:
            return lambda x, generator: x
        return lambda x, generator: self.joined(vary(self.parted(x), generator))


class OneInput(nn.Module):
    """Pomona's network from one tensor to the raw output; `last` is its last layer."""

    def __init__(self, question: Question, seed: int, *, last: nn.Module | None = None, rate: float = 0.0):
        super().__init__()
        plain = question.dropped if rate else question.spec
        self.body = build(Spec.from_json(plain), seed)
        self.question, self.target = question, question.target
        head = self.body.spec.outputs[question.target]
        self.last = self.body.blocks[head].linear if last is None else last
        self.body.blocks[head] = nn.Identity()
        for name, part in self.body.blocks.items():
            if name.endswith("_dropout"):
                for layer in part.modules():
                    if isinstance(layer, nn.modules.dropout._DropoutNd):
                        layer.p = rate

    @property
    def width(self) -> int:
        """Features that the last layer reads."""
        return self.last.in_features

    def forward(self, x: Tensor) -> Any:
        return self.last(self.body(self.question.parted(x))[self.target])


def trained(
    question: Question,
    network: nn.Module,
    point: dict[str, float],
    seed: int,
    *,
    loss: Callable[[Any, Tensor], Tensor],
    meaning: Callable[[Any], Any],
) -> nn.Module:
    """The network after the question's steps, with the weights that were best on validation examples.

    `meaning` makes answers of what the network gives.
    """
    fit = FitSettings.from_json(question.fit)
    steps, optimiser = fit.steps or 100, optimiser_of(network, point)
    best, kept = math.inf, {}
    batches = stream_of_batches(question, fit.batch_size, seed)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = point["learning_rate"] * rate_factor(fit.schedule, step, steps, warmup=fit.warmup)
        network.train()
        x, y = next(batches)
        move(network, optimiser, loss(network(x), y))
        if (step + 1) % max(steps // NUM_LOOKS, 1) == 0 or step + 1 == steps:
            network.eval()
            with torch.no_grad():
                found = nll(question, meaning(network(question.inputs["valid"])), question.targets["valid"])
            if found < best:
                best, kept = found, {name: t.clone() for name, t in network.state_dict().items()}
    if kept:
        network.load_state_dict(kept)
    return network.eval()


def optimiser_of(network: nn.Module, point: dict[str, float]) -> torch.optim.Optimizer:
    """AdamW that decays matrices and kernels only."""
    weights = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": point["weight_decay"]},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], point["learning_rate"], fused=True)


def move(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down."""
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def stream_of_batches(question: Question, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of training examples without end, every pass in an order of its own."""
    generator = torch.Generator().manual_seed(seed)
    x, y = question.inputs["train"], question.targets["train"]
    size = min(batch_size, len(y))
    while True:
        order = torch.randperm(len(y), generator=generator)
        for start in range(0, len(y) - size + 1, size):
            rows = order[start : start + size]
            yield question.varied(x[rows], generator), y[rows]


def nll(question: Question, answers: Any, truth: Tensor) -> float:
    """What answers cost, in nats; of values without the constant, in the scaled unit."""
    if question.is_classes:
        chances = answers.gather(1, truth[:, None])
        return float(-chances.clamp_min(torch.finfo(torch.float64).tiny).log().mean())
    mean, deviation = answers
    return float((deviation.log() + ((truth - mean) / deviation) ** 2 / 2).mean())
