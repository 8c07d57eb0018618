"""Which prior Laplace's approximation goes by."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.fit.evaluate import place_of
from pomona.fit.feeds import held_out, to_tensors
from pomona.fit.objectives import Tensors
from pomona.foundation.errors import unknown_name
from pomona.question.uncertainty.methods.answering import LEAST_NOISE_SHARE
from pomona.question.uncertainty.methods.laplace_answer import probit
from pomona.question.uncertainty.methods.method import only_target
from pomona.tasks.task import Task

DEFAULTS = {"prior_precision": 0.0, "chosen_by": "validation"}
"""Precision 0 is to be chosen, by "validation" examples or by the "evidence" of the training examples."""

CANDIDATES = torch.logspace(-2, 4, 25, dtype=torch.float64)

Variances = Callable[[Tensors, Tensor], tuple[Tensor, Tensor]]
"""From inputs and precisions to the raw head and the variance of each of its numbers under each of them,
(prior, batch, …)."""


def prior_precision(
    task: Task,
    network: nn.Module,
    own: dict[str, float | str],
    evident: Callable[[], float],
    variances: Variances,
) -> float:
    """The precision that the settings give or, where it is 0, the one chosen as they say."""
    if own["chosen_by"] not in ("validation", "evidence"):
        raise unknown_name("way to choose a precision", own["chosen_by"], ("validation", "evidence"))
    if own["prior_precision"]:
        return float(own["prior_precision"])
    return evident() if own["chosen_by"] == "evidence" else likeliest_precision(task, network, variances)


def likeliest_precision(task: Task, network: nn.Module, variances: Variances) -> float:
    """The precision, of 25 from 10⁻² to 10⁴, under which answers to validation examples are likeliest.

    It asks for up to 512 examples, evenly spread over the split, and fewer where there are many classes.
    """
    target = only_target(task)
    source = held_out(task.splits["valid"], name="valid", seed=0)
    most = max(64, min(512, 10_240 // max(1, len(target.classes))))
    ids = np.unique(np.linspace(0, source.size - 1, min(most, source.size)).astype(np.int64))
    tensors = to_tensors(source.read(ids), task, place_of(network))
    with torch.no_grad():
        head, under = variances(tensors, CANDIDATES)
        costs = [nats(task.kind, head, one, tensors[target.name]) for one in under]
    return float(CANDIDATES[int(np.argmin(costs))])


def nats(
    kind: str, head: Float[Tensor, "batch ..."], variances: Float[Tensor, "batch ..."], truth: Tensor
) -> float:
    """What the truth costs on average; for values with the noise that their errors leave over."""
    if kind == "classify":
        return float(F.cross_entropy(probit(head, variances), truth))
    square = (truth - head) ** 2
    noise = (square.mean() - variances.mean()).clamp_min(LEAST_NOISE_SHARE * float(square.mean()))
    whole = variances + noise
    return float((0.5 * whole.log() + square / (2 * whole)).mean())
