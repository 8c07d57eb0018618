"""Drawing from a diffusion model: from noise to an example in a few steps (DDIM, Song et al. 2021)."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from pomona.fit.evaluate import evaluating
from pomona.question.bootstrap.worlds.diffusion.denoising import waves

NUM_STEPS = 20


def sample(
    network: nn.Module,
    generator: np.random.Generator,
    num_examples: int,
    low: Float[np.ndarray, " number"],
    high: Float[np.ndarray, " number"],
) -> Float[np.ndarray, "example number"]:
    """Fresh examples within `low` and `high`; all their randomness is the generator's.

    The velocity is how an example moves with the angle πt/2 of its level. It is followed from noise to none,
    in each step that of its middle, told from the last two (Adams and Bashforth): with the first alone, what
    is drawn spreads too little.
    """
    x, last = generator.standard_normal((num_examples, len(low))), None
    with evaluating(network):
        for level in np.linspace(1, 0, NUM_STEPS, endpoint=False):
            now = _velocity(network, x, level)
            middle, last = now if last is None else 1.5 * now - 0.5 * last, now
            x -= middle * math.pi / 2 / NUM_STEPS
    return np.clip(x, low, high).astype(np.float32)


def _velocity(network: nn.Module, x: np.ndarray, level: float) -> np.ndarray:
    inputs = {
        "noisy": torch.from_numpy(x.astype(np.float32)),
        "level": torch.from_numpy(waves(np.full(len(x), level))),
    }
    return network(inputs)["velocity"].numpy().astype(np.float64)
