"""Curvature of a loss by the weights of a layer, as a Kronecker product (Martens and Grosse 2015)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class KroneckerBlock:
    """The curvature left ⊗ right of a matrix (output, input), summed over the data, by its eigenvectors."""

    left_values: Float[Tensor, " output"]
    left_vectors: Float[Tensor, "output output"]
    right_values: Float[Tensor, " input"]
    right_vectors: Float[Tensor, "input input"]

    @property
    def eigenvalues(self) -> Float[Tensor, "output input"]:
        """Those of the product."""
        return self.left_values[:, None] * self.right_values

    def turned(self, gradients: Float[Tensor, "batch output input"]) -> Float[Tensor, "batch output input"]:
        """Gradients by the matrix, seen along the eigenvectors."""
        return self.left_vectors.to(gradients).T @ gradients @ self.right_vectors.to(gradients)

    def shares(self, precisions: Float[Tensor, " prior"]) -> Float[Tensor, "prior output input"]:
        """The variance along each pair of eigenvectors, under priors with these precisions."""
        return 1 / (self.eigenvalues + precisions[:, None, None])

    def drawn(
        self, num_draws: int, precision: float, generator: torch.Generator
    ) -> Float[Tensor, "draw output input"]:
        """How far draws of the matrix are from its mean, under a prior with this precision."""
        shape = (num_draws, *self.eigenvalues.shape)
        noise = torch.randn(shape, generator=generator, dtype=self.left_values.dtype)
        return self.left_vectors @ (noise / (self.eigenvalues + precision).sqrt()) @ self.right_vectors.T


def kronecker_block(
    left: Float[Tensor, "output output"], right: Float[Tensor, "input input"]
) -> KroneckerBlock:
    """The block of two symmetric matrices without negative eigenvalues; those that rounding made are zero."""
    left_values, left_vectors = torch.linalg.eigh(left)
    right_values, right_vectors = torch.linalg.eigh(right)
    return KroneckerBlock(
        left_values.clamp_min(0.0), left_vectors, right_values.clamp_min(0.0), right_vectors
    )


def variances_of(
    turned: Float[Tensor, "batch output input"], shares: Float[Tensor, "prior output input"]
) -> Float[Tensor, "prior batch"]:
    """Of what has these gradients, turned, where each pair of eigenvectors has its share."""
    return shares.flatten(1) @ turned.flatten(1).square().T


def variances_of_outer(
    left: Float[Tensor, "batch output"],
    right: Float[Tensor, "batch input"],
    shares: Float[Tensor, "prior output input"],
) -> Float[Tensor, "prior batch"]:
    """The same, for gradients that are outer products of two turned vectors, which are never formed."""
    return ((left.square() @ shares) * right.square()).sum(2)
