"""Drawing from a diffusion model: from noise to an example in a few steps (Ho, Jain and Abbeel 2020)."""

import itertools

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from pomona.fit.evaluate import evaluating
from pomona.question.bootstrap.worlds.diffusion.denoising import shares, waves

NUM_STEPS = 20


def sample(
    network: nn.Module,
    generator: np.random.Generator,
    num_examples: int,
    low: Float[np.ndarray, " number"],
    high: Float[np.ndarray, " number"],
) -> Float[np.ndarray, "example number"]:
    """Fresh examples within `low` and `high`; all their randomness is the generator's.

    Each step guesses the example, goes back to a lower level of noise, and puts in fresh noise as the
    ancestral sampler does.
    """
    x = generator.standard_normal((num_examples, len(low)))
    with evaluating(network):
        for level, lower in itertools.pairwise(np.linspace(1, 0, NUM_STEPS + 1)):
            clean, dirty = shares(level)
            guess = np.clip(clean * x - dirty * _velocity(network, x, level), low, high)
            noise = (x - clean * guess) / dirty
            x = _lowered(guess, noise, clean, dirty, shares(lower), generator)
    return x.astype(np.float32)


def _lowered(
    guess: np.ndarray,
    noise: np.ndarray,
    clean: np.ndarray,
    dirty: np.ndarray,
    lower: tuple[np.ndarray, np.ndarray],
    generator: np.random.Generator,
) -> np.ndarray:
    """The example at a lower level; the noise that is fresh has the variance of the true step back."""
    kept, left = lower
    fresh = (left / dirty) ** 2 * max(1 - (clean / kept) ** 2, 0.0)
    old = np.sqrt(max(left**2 - fresh, 0.0))
    return kept * guess + old * noise + np.sqrt(fresh) * generator.standard_normal(guess.shape)


def _velocity(network: nn.Module, x: np.ndarray, level: float) -> np.ndarray:
    inputs = {
        "noisy": torch.from_numpy(x.astype(np.float32)),
        "level": torch.from_numpy(waves(np.full(len(x), level))),
    }
    return network(inputs)["velocity"].numpy().astype(np.float64)
