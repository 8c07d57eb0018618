"""From logits to probabilities."""

import numpy as np
from jaxtyping import Float


def logistic(logits: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 / (1 + exp(-x)), for any x: written so that no exponential overflows."""
    return 0.5 * np.tanh(0.5 * logits) + 0.5
