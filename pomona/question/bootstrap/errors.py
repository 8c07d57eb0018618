"""Soft and hard errors of a network on examples."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pomona.fit.evaluate import evaluating
from pomona.fit.feeds import EVALUATED_AT_ONCE
from pomona.fit.objectives import Tensors


def errors(network: nn.Module, examples: Tensors, target: str) -> tuple[float, float]:
    """The soft and the hard error of the head `target`; NaN for both when it is not finite.

    The soft error is the mean of 1 − the probability of the true class (Nakkiran et al. 2021); the hard error
    is the share of examples whose most probable class is not the true one.
    """
    soft, hard, count = 0.0, 0, 0
    with evaluating(network):
        for batch in _parts(examples):
            head, truth = network(batch)[target].float(), batch[target].long()
            if not bool(head.isfinite().all()):
                return float("nan"), float("nan")
            said = head.softmax(1).gather(1, truth[:, None])
            soft += float((1 - said).sum())
            hard += int((head.argmax(1) != truth).sum())
            count += len(truth)
    return soft / count, hard / count


def first(examples: Tensors, count: int) -> Tensors:
    """The first examples, all of them when there are fewer."""
    return {name: tensor[:count] for name, tensor in examples.items()}


def _parts(examples: Tensors) -> Iterator[dict[str, Tensor]]:
    names, parts = list(examples), [torch.split(tensor, EVALUATED_AT_ONCE) for tensor in examples.values()]
    for together in zip(*parts, strict=True):
        yield dict(zip(names, together, strict=True))
