"""What a network says with a variance for each of its raw outputs, as Laplace's approximation gives it."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.evaluate import place_of
from pomona.fit.feeds import EVALUATED_AT_ONCE, held_out, to_tensors
from pomona.question.uncertainty.methods.answering import Raw, unknown_share
from pomona.question.uncertainty.methods.method import only_target
from pomona.tasks.source import batches
from pomona.tasks.task import Task

LEAST_NOISE_VARIANCE = 1e-6


def probit(
    logits: Float[Tensor, "batch class"], variances: Float[Tensor, "batch class"]
) -> Float[Tensor, "batch class"]:
    """l / √(1 + π/8 · variance), whose softmax is close to the mean under normal logits (MacKay 1992)."""
    return logits / (1 + math.pi / 8 * variances).sqrt()


def raw_of(task: Task, head: Tensor, variances: Tensor) -> Raw:
    """The answer of one network: classes with tempered logits, values with their variance."""
    if task.kind == "regress":
        return Raw(head[None], variances[None])
    logits = probit(head, variances)
    return Raw(logits[None], scores={"dempster-shafer": unknown_share(logits)})


@torch.no_grad()
def noise_variance(task: Task, network: nn.Module) -> float:
    """The mean squared error on the training examples, of scaled values; 1 for classes."""
    if task.kind == "classify":
        return 1.0
    target, place = only_target(task).name, place_of(network)
    squares = []
    for batch in batches(held_out(task.splits["train"], name="train", seed=0), EVALUATED_AT_ONCE):
        tensors = to_tensors(batch, task, place)
        squares.append(((network(tensors)[target] - tensors[target]) ** 2).flatten())
    return float(torch.cat(squares).mean().clamp_min(LEAST_NOISE_VARIANCE))
