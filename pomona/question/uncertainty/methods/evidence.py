"""How strong a prior the data speak for: the marginal likelihood under Laplace's approximation."""

import torch
from jaxtyping import Float
from torch import Tensor

CANDIDATES = torch.logspace(-3, 4, 141, dtype=torch.float64)


def log_evidence(
    eigenvalues: Float[Tensor, " weight"], square: float, precision: float | Tensor
) -> Float[Tensor, ""]:
    """The logarithm of the marginal likelihood, less that of the likelihood, the same for all priors.

    `eigenvalues` are those of the curvature of the loss summed over the data, `square` is the sum of squared
    weights, and the prior has mean 0 and this precision (MacKay 1992).
    """
    precision = torch.as_tensor(precision, dtype=torch.float64)
    shrinkage = torch.log1p(eigenvalues.double() / precision).sum()
    return -0.5 * (shrinkage + precision * square)


def best_precision(eigenvalues: Float[Tensor, " weight"], square: float) -> float:
    """The precision, of 141 from 10⁻³ to 10⁴, under which the data are most likely."""
    values = torch.stack([log_evidence(eigenvalues, square, candidate) for candidate in CANDIDATES])
    return float(CANDIDATES[int(values.argmax())])
