"""What training minimises: a loss for every element of a target, weighted and averaged over a batch.

An element is an example, a step, a pixel or a number, whichever the target has. Masked elements and examples
of weight 0 count as if they were not there, in the value and in every gradient.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError, SpecError
from pomona.networks.spec import Spec
from pomona.tasks.feature import mask_key
from pomona.tasks.task import Task

Tensors = dict[str, Tensor]
Reduction = Literal["none", "mean"]

SMALLEST_TOTAL = 1e-12
"""A batch in which nothing counts has loss 0, not 0 / 0."""

SCALED_KINDS = ("number", "vector", "keypoints", "series")
"""Kinds of targets that are learned as (value - center) / scale."""


def cross_entropy(
    head: Float[Tensor, "batch classes *axes"], target: Tensor, label_smoothing: float, reduction: Reduction
) -> Tensor:
    """Nats that the truth costs. With label smoothing the truth is spread over all classes by that share."""
    return functional.cross_entropy(head, target, reduction=reduction, label_smoothing=label_smoothing)


def binary_cross_entropy(
    head: Tensor, target: Tensor, label_smoothing: float, reduction: Reduction
) -> Tensor:
    """Nats that each yes or no costs; label smoothing draws the truth towards one half."""
    truth = target * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else target
    return functional.binary_cross_entropy_with_logits(head, truth, reduction=reduction)


def squared_error(head: Tensor, target: Tensor, label_smoothing: float, reduction: Reduction) -> Tensor:
    """Squared differences of scaled values."""
    return functional.mse_loss(head, target, reduction=reduction)


def huber(head: Tensor, target: Tensor, label_smoothing: float, reduction: Reduction) -> Tensor:
    """Half the squared difference up to 1, the difference less 0.5 beyond (Huber 1964), of scaled values."""
    return functional.huber_loss(head, target, reduction=reduction)


OBJECTIVES: dict[str, Callable[[Tensor, Tensor, float, Reduction], Tensor]] = {
    "cross-entropy": cross_entropy,
    "binary-cross-entropy": binary_cross_entropy,
    "squared-error": squared_error,
    "huber": huber,
}
"""Name → losses, from a head with its classes on axis 1, a target, the label smoothing and the reduction: a
loss an element, in the shape of the target, or the mean of all."""

OBJECTIVES_OF: dict[str, tuple[str, ...]] = {
    "classify": ("cross-entropy",),
    "multilabel": ("binary-cross-entropy",),
    "regress": ("squared-error", "huber"),
    "segment": ("cross-entropy",),
    "sequence": ("cross-entropy",),
    "language": ("cross-entropy",),
    "forecast": ("huber", "squared-error"),
}
"""Kind of task → its objectives, the usual one first."""


@dataclass(frozen=True, eq=False)
class TargetLoss:
    """The loss of one head."""

    target: str
    kind: str
    objective: str
    label_smoothing: float = 0.0
    class_weights: Float[Tensor, " classes"] | None = None

    def elements(self, head: Tensor, truth: Tensor) -> Float[Tensor, "batch *axes"]:
        """The loss of every element, unweighted, in the shape of the target."""
        return self._reduced(head, truth, "none").view_as(truth)

    def mean(self, head: Tensor, truth: Tensor) -> Float[Tensor, ""]:
        """The mean loss of all elements, unweighted: for the most usual case one call instead of three."""
        return self._reduced(head, truth, "mean")

    def weights(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "batch *axes"] | None:
        """How much every element counts; None when all count alike."""
        truth, mask = batch[self.target], batch.get(mask_key(self.target))
        factors = [batch[key] for key in ("weight",) if key in batch]
        factors += [] if mask is None else [mask.float()]
        # token 0 is padding
        factors += [(truth != 0).float()] if self.kind == "language" else []
        factors += [] if self.class_weights is None else [self._of_classes(truth, self.class_weights)]
        if not factors:
            return None
        product = _spread(factors[0], truth)
        for factor in factors[1:]:
            product = product * _spread(factor, truth)
        return product.expand_as(truth)

    def _reduced(self, head: Tensor, truth: Tensor, reduction: Reduction) -> Tensor:
        function = OBJECTIVES[self.objective]
        if self.kind in ("sequence", "language"):
            # classes come last: flat, they need no transposed copy
            return function(head.flatten(0, -2), truth.flatten(), self.label_smoothing, reduction)
        return function(head, truth, self.label_smoothing, reduction)

    def _of_classes(self, truth: Tensor, class_weights: Tensor) -> Tensor:
        return (
            torch.where(truth > 0.5, class_weights, 1.0)
            if self.kind == "multilabel"
            else class_weights[truth]
        )


@dataclass(frozen=True, eq=False)
class Loss:
    """The loss of all heads of a network: the sum over targets of weighted means over elements."""

    targets: tuple[TargetLoss, ...]

    def __call__(self, heads: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """The loss of a batch."""
        values = []
        for loss in self.targets:
            head, truth, weights = heads[loss.target], batch[loss.target], loss.weights(batch)
            if weights is None:
                values.append(loss.mean(head, truth))
            else:
                values.append(weighted_mean(loss.elements(head, truth), weights))
        return values[0] if len(values) == 1 else torch.stack(values).sum()

    def totals(self, batch: Mapping[str, Tensor]) -> list[Tensor | float]:
        """What the elements of a batch count together, for each target."""
        found: list[Tensor | float] = []
        for loss in self.targets:
            weights = loss.weights(batch)
            found.append(float(batch[loss.target].numel()) if weights is None else weights.sum())
        return found

    def sums(self, heads: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> list[Tensor]:
        """The weighted sum over elements, for each target."""
        found = []
        for loss in self.targets:
            elements, weights = loss.elements(heads[loss.target], batch[loss.target]), loss.weights(batch)
            found.append((elements if weights is None else _counted(elements, weights)).sum())
        return found

    def share(
        self, heads: Mapping[str, Tensor], piece: Mapping[str, Tensor], totals: list[Tensor | float]
    ) -> Float[Tensor, ""]:
        """What a piece adds to the loss of the batch with these `totals`: the shares add up to it."""
        parts = [
            value / (total.clamp_min(SMALLEST_TOTAL) if isinstance(total, Tensor) else total)
            for value, total in zip(self.sums(heads, piece), totals, strict=True)
        ]
        return parts[0] if len(parts) == 1 else torch.stack(parts).sum()


def task_loss(
    task: Task, settings: FitSettings, *, class_weights: Mapping[str, Float[Tensor, " classes"]] | None = None
) -> Loss:
    """The loss that `settings` ask for. Raises SettingError when it is not for this kind of task."""
    wanted = settings.objective if settings.objective != "auto" else task.objective
    choices = OBJECTIVES_OF[task.kind]
    if wanted and wanted not in choices:
        raise SettingError(f"objective {wanted!r} is not for {task.kind}; choose of {', '.join(choices)}")
    return Loss(
        tuple(
            TargetLoss(
                name,
                task.kind,
                wanted or choices[0],
                settings.label_smoothing,
                (class_weights or {}).get(name),
            )
            for name in task.targets
        )
    )


def plain_loss(loss: Loss) -> Loss:
    """The same objectives without label smoothing and class weights: what validation reports."""
    return Loss(tuple(TargetLoss(part.target, part.kind, part.objective) for part in loss.targets))


def weighted_mean(elements: Tensor, weights: Tensor | None) -> Float[Tensor, ""]:
    """The mean of elements that count as much as their weights; 0 where nothing counts."""
    if weights is None:
        return elements.mean()
    return _counted(elements, weights).sum() / weights.sum().clamp_min(SMALLEST_TOTAL)


def example_losses(loss: TargetLoss, head: Tensor, batch: Mapping[str, Tensor]) -> Float[Tensor, " batch"]:
    """The mean loss of every example over its real elements, 0 for one without any; weights do not count."""
    elements = loss.elements(head, batch[loss.target])
    weights = loss.weights({name: tensor for name, tensor in batch.items() if name != "weight"})
    if weights is None:
        weights = torch.ones_like(elements)
    elements, weights = elements.reshape(len(elements), -1), weights.reshape(len(elements), -1)
    return _counted(elements, weights).sum(1) / weights.sum(1).clamp_min(SMALLEST_TOTAL)


def check_heads(task: Task, spec: Spec) -> None:
    """Raises SpecError unless a network has the inputs and heads of a task."""
    for name in task.targets:
        if name not in spec.outputs:
            raise SpecError(
                f"task {task.name!r} needs a head {name!r}; the network has {', '.join(spec.outputs)}"
            )
    for name in spec.inputs:
        if name not in task.inputs:
            raise SpecError(f"the network reads {name!r}; task {task.name!r} has {', '.join(task.inputs)}")


def _counted(elements: Tensor, weights: Tensor) -> Tensor:
    # 0 · inf is NaN: what does not count is taken out, not multiplied away
    return torch.where(weights > 0, elements * weights, 0.0)


def _spread(factor: Float[Tensor, "batch *some"], like: Tensor) -> Tensor:
    return factor.reshape(factor.shape + (1,) * (like.ndim - factor.ndim))
