"""Modules around networks whose outputs are predictions: probabilities, or values in the target's unit.

They are what is exported, so that an ONNX file answers in the terms of the task and needs no code of ours.
`pomona.tasks.outputs.prediction` does the same to arrays.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from pomona.foundation.errors import unknown_name
from pomona.tasks.feature import Feature

CLASS_AXIS = {"classify": -1, "segment": 1, "sequence": -1, "language": -1}


class Predicting(nn.Module):
    """A network followed by what makes its heads predictions.

    `temperatures` divide the raw outputs of classifying heads, by head; a head that is not named has 1.
    """

    def __init__(
        self,
        network: nn.Module,
        kind: str,
        targets: Mapping[str, Feature],
        temperatures: Mapping[str, float] | None = None,
    ):
        super().__init__()
        self.network = network
        self.kind = kind
        self.targets = dict(targets)
        self.temperatures = dict(temperatures or {})

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Head → prediction, in float32."""
        heads = self.network(inputs)
        return {
            name: predicted(self.kind, heads[name].float(), feature, self.temperatures.get(name, 1.0))
            for name, feature in self.targets.items()
        }


class Averaging(nn.Module):
    """The weighted mean of several modules' predictions; the weights are made to sum to 1.

    Of classifying kinds the mean probabilities p become p^(1 / temperature), normalised.
    """

    def __init__(
        self,
        members: Sequence[nn.Module],
        weights: Sequence[float],
        kind: str,
        temperatures: Mapping[str, float] | None = None,
    ):
        super().__init__()
        self.members = nn.ModuleList(members)
        total = float(sum(weights))
        self.weights = tuple(float(weight) / total for weight in weights)
        self.kind = kind
        self.temperatures = dict(temperatures or {})

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Head → mean prediction."""
        each = [member(inputs) for member in self.members]
        means = {}
        for head in each[0]:
            weighted = [w * member[head] for w, member in zip(self.weights, each, strict=True)]
            means[head] = self._tempered(reduce(torch.add, weighted), self.temperatures.get(head, 1.0))
        return means

    def _tempered(self, mean: Tensor, temperature: float) -> Tensor:
        if temperature == 1.0:
            return mean
        smallest = torch.finfo(mean.dtype).tiny
        if self.kind == "multilabel":
            logits = (mean.clamp_min(smallest) / (1 - mean).clamp_min(smallest)).log()
            return (logits / temperature).sigmoid()
        if self.kind in CLASS_AXIS:
            return (mean.clamp_min(smallest).log() / temperature).softmax(CLASS_AXIS[self.kind])
        return mean


def predicted(kind: str, head: Tensor, feature: Feature, temperature: float = 1.0) -> Tensor:
    """The prediction that a head's raw output means, as the table of `Task` says."""
    if kind in CLASS_AXIS:
        return _tempered(head, temperature).softmax(CLASS_AXIS[kind])
    if kind == "multilabel":
        return _tempered(head, temperature).sigmoid()
    if kind in ("regress", "forecast"):
        return head * feature.scale + feature.center
    raise unknown_name("kind of task", kind, (*CLASS_AXIS, "multilabel", "regress", "forecast"))


def _tempered(head: Tensor, temperature: float) -> Tensor:
    return head if temperature == 1.0 else head / temperature
