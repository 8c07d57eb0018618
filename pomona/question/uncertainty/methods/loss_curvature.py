"""The second derivative of a task's loss by its head, as columns whose products add up to it."""

import torch
from jaxtyping import Float
from torch import Tensor

MOST_CLASSES = 20
"""Up to here the curvature is exact; beyond, labels are drawn, as many columns as `NUM_DRAWN`."""

NUM_DRAWN = 4


def curvature_columns(
    head: Float[Tensor, "batch output"], kind: str, noise_variance: float, generator: torch.Generator
) -> list[Float[Tensor, "batch output"]]:
    """Columns c with Σ c cᵀ = ∂² loss / ∂ head², for cross-entropy or half the squared error over the noise.

    Of many classes only the expectation over drawn labels is that.
    """
    num_outputs = head.shape[1]
    if kind == "regress":
        rows = torch.eye(num_outputs, dtype=head.dtype) / noise_variance**0.5
        return [row.expand_as(head) for row in rows]
    probabilities = head.detach().softmax(1)
    if num_outputs <= MOST_CLASSES:
        roots = probabilities.sqrt()
        classes = torch.eye(num_outputs, dtype=head.dtype)
        return [roots[:, c, None] * (classes[c] - probabilities) for c in range(num_outputs)]
    labels = torch.multinomial(probabilities, NUM_DRAWN, replacement=True, generator=generator)
    drawn = torch.nn.functional.one_hot(labels, num_outputs).to(head.dtype)
    return [(drawn[:, index] - probabilities) / NUM_DRAWN**0.5 for index in range(NUM_DRAWN)]


def class_curvature(probabilities: Float[Tensor, "batch class"]) -> Float[Tensor, "batch class class"]:
    """diag(p) - p pᵀ of every example."""
    return torch.diag_embed(probabilities) - probabilities[:, :, None] * probabilities[:, None, :]
