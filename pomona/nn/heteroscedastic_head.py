"""Heads that also tell how noisy the target is: a normal law of logits, or of values."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.head import DEVIATION

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -10.0, 10.0


class NoisyLogits(nn.Module):
    """(batch, feature) → (batch, classes): logarithms of probabilities (Collier et al. 2021).

    Logits are normal with mean, low-rank factors and a diagonal that depend on the input; the probabilities
    are the mean over draws of their softmax at `temperature`. Draws come from torch's own generator.
    """

    def __init__(self, num_features: int, num_classes: int, *, num_factors: int, temperature: float):
        super().__init__()
        self.num_classes = num_classes
        self.num_factors = num_factors
        self.temperature = temperature
        self.num_samples = 1
        self.mean = nn.Linear(num_features, num_classes)
        self.factors = nn.Linear(num_features, num_classes * num_factors)
        self.diagonal = nn.Linear(num_features, num_classes)

    def forward(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch class"]:
        mean = self.mean(x)
        factors = self.factors(x).unflatten(1, (self.num_classes, self.num_factors))
        diagonal = F.softplus(self.diagonal(x))
        common = torch.randn(self.num_samples, len(x), self.num_factors, dtype=x.dtype, device=x.device)
        own = torch.randn(self.num_samples, len(x), self.num_classes, dtype=x.dtype, device=x.device)
        noise = torch.einsum("bcf,sbf->sbc", factors, common) + diagonal * own
        logarithms = ((mean + noise) / self.temperature).log_softmax(2)
        return logarithms.logsumexp(0) - math.log(self.num_samples)

    def start(self, generator: torch.Generator) -> None:
        """Small weights and little noise."""
        for layer in (self.mean, self.factors, self.diagonal):
            nn.init.trunc_normal_(layer.weight, std=DEVIATION, generator=generator)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.diagonal.bias, -1.0)


class NormalValues(nn.Module):
    """(batch, feature) → two of (batch, *shape): mean, and logarithm of the variance, between -10 and 10."""

    def __init__(self, num_features: int, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape
        self.mean = nn.Linear(num_features, math.prod(shape))
        self.log_variance = nn.Linear(num_features, math.prod(shape))

    def forward(self, x: Float[Tensor, "batch feature"]) -> tuple[Tensor, Tensor]:
        logarithm = self.log_variance(x).clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)
        return self.mean(x).reshape(-1, *self.shape), logarithm.reshape(-1, *self.shape)

    def start(self, generator: torch.Generator) -> None:
        """Small weights and variance 1."""
        for layer in (self.mean, self.log_variance):
            nn.init.trunc_normal_(layer.weight, std=DEVIATION, generator=generator)
            nn.init.zeros_(layer.bias)
