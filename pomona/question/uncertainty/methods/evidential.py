"""Evidential networks (Sensoy et al. 2018): the head counts evidence for each class of a Dirichlet law."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.fit.extension import Extension, TaskLoss
from pomona.fit.objectives import TargetLoss, Tensors, weighted_mean
from pomona.fit.trials.space import Float as FloatRange
from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Answer, Raw, fitted
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.task import Task

DEFAULTS = {"strength": 0.01, "annealed": 0.5}
SPACE = Space({"strength": FloatRange(1e-3, 1.0, log=True)})

MOST_LOG_EVIDENCE = 30.0


def evidential(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A network whose raw outputs are logarithms of evidence.

    The probability of a class is its evidence plus 1, over the sum of that over all classes.
    The loss is the cross-entropy that the law expects, plus the divergence of its wrong evidence from none,
    with a weight that rises to `strength` in the share `annealed` of the steps.
    """
    target, own = only_target(task, ("classify",)).name, settings.chosen(DEFAULTS)
    extension = Extension(
        lambda network, seed: EvidenceHeads(network, target),
        evidential_loss(target, own["strength"], own["annealed"]),
        key=f"evidential {own}",
    )
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)

    def raw_heads(inputs: Tensors) -> Raw:
        head = trained.network(inputs)[target]
        return Raw(head[None], scores={"evidence": head.shape[1] / head.exp().sum(1)})

    return fitted([trained], spec, Answer(task, trained.network, raw_heads), settings)


class EvidenceHeads(nn.Module):
    """The heads of a network; that of `target` as log(1 + evidence), so that its softmax is the mean.

    Evidence is the exponential of what the network gives, at most e³⁰. The softplus of the original makes it
    grow no faster than the raw output, so that a network is never sure.
    """

    def __init__(self, network: nn.Module, target: str):
        super().__init__()
        self.network = network
        self.target = target

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        heads = self.network(inputs)
        return {**heads, self.target: F.softplus(heads[self.target].clamp(max=MOST_LOG_EVIDENCE))}


def evidential_loss(
    target: str, strength: float, annealed: float
) -> Callable[[Tensors, Tensors, TaskLoss, float], Tensor]:
    """The expected cross-entropy plus the weighted divergence of what speaks for wrong classes."""

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        alpha = heads[target].exp()
        classes = torch.arange(alpha.shape[1], device=alpha.device)
        is_true = (batch[target][:, None] == classes).to(alpha.dtype)
        expected = torch.digamma(alpha.sum(1)) - (is_true * torch.digamma(alpha)).sum(1)
        wrong = is_true + (1 - is_true) * alpha
        weight = strength * min(1.0, share / max(annealed, 1e-6))
        costs = expected + weight * dirichlet_divergence(wrong)
        return weighted_mean(costs, TargetLoss(target, "classify", "cross-entropy").weights(batch))

    return objective


def dirichlet_divergence(alpha: Float[Tensor, "batch class"]) -> Float[Tensor, " batch"]:
    """Kullback and Leibler's, from a Dirichlet law to the one that knows nothing, in nats."""
    total, num_classes = alpha.sum(1), alpha.shape[1]
    constants = torch.lgamma(total) - torch.lgamma(alpha).sum(1)
    constants = constants - torch.lgamma(torch.full_like(total, float(num_classes)))
    return constants + ((alpha - 1) * (torch.digamma(alpha) - torch.digamma(total)[:, None])).sum(1)
