"""Weights that differ by member in a product of two vectors: W · s rᵀ, element by element."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.foundation.randomness import stream_seed
from pomona.nn.matrix_weights import flat_key, matrix_weights, vector_weights


class RankOne(nn.Module):
    """Gives every member its own r and s of each matrix and kernel, and what it adds to each bias.

    A member computes ((x · r) W) · s for the matrices of linear and recurrent layers and for kernels, r along
    inputs and s along outputs, with a bias of its own. Norms and embeddings are shared. `random_sign` above 0
    is the chance with which an entry starts as 1, otherwise -1; below 0 entries start normal around 1 with
    deviation -random_sign.
    """

    def __init__(self, network: nn.Module, num_members: int, random_sign: float, seed: int):
        super().__init__()
        self.num_members = num_members
        matrices, vectors = matrix_weights(network), vector_weights(network)
        self.shapes = {name: tuple(weight.shape) for name, weight in (matrices | vectors).items()}
        # one axis each, so that weight decay, which is for matrices, leaves them alone
        self.inward = nn.ParameterDict()
        self.outward = nn.ParameterDict()
        self.added = nn.ParameterDict()
        for name, weight in matrices.items():
            for part, size in ((self.inward, weight.shape[1]), (self.outward, weight.shape[0])):
                kind = "inward" if part is self.inward else "outward"
                generator = torch.Generator().manual_seed(stream_seed(seed, kind, name))
                start = random_start(num_members * size, random_sign, generator)
                part[flat_key(name)] = nn.Parameter(start)
        for name, bias in vectors.items():
            self.added[flat_key(name)] = nn.Parameter(torch.zeros(num_members * bias.shape[0]))

    def forward(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of every member, (member, *shape) each."""
        found = {}
        for name, shape in self.shapes.items():
            key = flat_key(name)
            if key in self.added:
                found[name] = weights[name] + self.added[key].view(self.num_members, -1)
            else:
                inward = self.inward[key].view(self.num_members, -1)
                outward = self.outward[key].view(self.num_members, -1)
                found[name] = weights[name] * outer(outward, inward, len(shape))
        return found

    def divergence(self, weights: Mapping[str, Tensor]) -> None:
        """No prior."""
        return None


def outer(
    outward: Float[Tensor, "member out"], inward: Float[Tensor, "member in"], num_axes: int
) -> Float[Tensor, "member out in ..."]:
    """The products s rᵀ, with an axis of size 1 for every axis of a kernel."""
    product = outward[:, :, None] * inward[:, None, :]
    return product.reshape(*product.shape, *[1] * (num_axes - 2))


def random_start(size: int, random_sign: float, generator: torch.Generator) -> Float[Tensor, " size"]:
    """Entries around 1, or 1 and -1; see `RankOne`."""
    if random_sign < 0:
        return 1 - random_sign * torch.randn(size, generator=generator)
    return 2.0 * (torch.rand(size, generator=generator) < random_sign) - 1.0
