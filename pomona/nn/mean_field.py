"""Weights that are drawn, each from a normal law of its own (Blundell et al. 2015)."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.nn.matrix_weights import flat_key, matrix_weights, vector_weights


class MeanField(nn.Module):
    """Gives `num_members` draws of the matrices, kernels and biases of a network; its weights are the means.

    The prior of a matrix or kernel is normal around 0 with variance `prior`² · 2 / fan in, as He et al. 2015
    start it, that of a bias with variance `prior`². Deviations start at `start` times the prior's. Norms and
    embeddings are not drawn. In evaluation there is one member, at the means.
    """

    def __init__(self, network: nn.Module, num_members: int, *, prior: float, start: float):
        super().__init__()
        self.num_members = num_members
        self.prior = {name: prior * math.sqrt(2 / fan_in(w)) for name, w in matrix_weights(network).items()}
        self.prior |= {name: prior for name in vector_weights(network)}
        shapes = {**matrix_weights(network), **vector_weights(network)}
        # one axis each, so that weight decay, which is for matrices, leaves them alone
        self.log_deviation = nn.ParameterDict(
            {
                flat_key(name): nn.Parameter(torch.full((shapes[name].numel(),), math.log(start * deviation)))
                for name, deviation in self.prior.items()
            }
        )

    def forward(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of every member, (member, *shape) each."""
        return self.drawn(weights) if self.training else {name: weights[name][None] for name in self.prior}

    def drawn(
        self, weights: Mapping[str, Tensor], generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """One draw of every member's weights."""
        found = {}
        for name in self.prior:
            mean = weights[name]
            shape = (self.num_members, *mean.shape)
            noise = torch.randn(shape, dtype=mean.dtype, device=mean.device, generator=generator)
            found[name] = mean + self._deviation(name).view_as(mean) * noise
        return found

    def divergence(self, weights: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Kullback and Leibler's divergence from the prior, in nats."""
        parts = []
        for name, prior in self.prior.items():
            deviation = self._deviation(name)
            square = (deviation**2 + weights[name].flatten() ** 2) / prior**2
            parts.append(((square - 1) / 2 - torch.log(deviation / prior)).sum())
        return torch.stack(parts).sum()

    def _deviation(self, name: str) -> Tensor:
        return self.log_deviation[flat_key(name)].exp()


def fan_in(weight: Tensor) -> int:
    """How many inputs each output of a matrix or kernel adds up."""
    return math.prod(weight.shape[1:])
