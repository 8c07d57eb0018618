"""Whether a network is sparse: how many of the weights of its 1×1 convolutions are zero."""

from dataclasses import dataclass

from pomona.compile.sparse.network import Network
from pomona.compile.sparse.plan import Step, sparsity

LEAST_SPARSITY = 0.25
"""Of all weights of 1×1 convolutions; below it no dense runtime is beaten, so nothing is tried."""


@dataclass(frozen=True)
class Detection:
    """What was found. The sparsity is that of the weights of all 1×1 convolutions together."""

    num_pointwise: int
    sparsity: float

    @property
    def is_sparse(self) -> bool:
        """Whether it is worth trying sparse kernels."""
        return self.num_pointwise > 0 and self.sparsity >= LEAST_SPARSITY

    @property
    def reason(self) -> str:
        """What was found, in words."""
        if not self.num_pointwise:
            return "the model has no 1×1 convolution"
        zeros = f"{self.sparsity:.0%} of the weights of its {self.num_pointwise} 1×1 convolutions are zero"
        return zeros if self.is_sparse else f"the model is not sparse: {zeros}"


def detect(network: Network) -> Detection:
    """How sparse a simplified network is."""
    layers = [step for step in network.steps if isinstance(step, Step) and step.op == "pointwise"]
    sizes = [step.weights["weight"].size for step in layers]
    zeros = sum(sparsity(step) * size for step, size in zip(layers, sizes, strict=True))
    return Detection(len(layers), zeros / max(1, sum(sizes)))
