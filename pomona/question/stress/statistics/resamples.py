"""Models and examples drawn again with replacement, as counts; splits that share examples share the draws."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.randomness import stream

NUM_RESAMPLES = 500


@dataclass(frozen=True, eq=False)
class Resamples:
    """How often each model and each clean example was drawn."""

    models: Float[np.ndarray, "resample member"]
    examples: Float[np.ndarray, "resample batch"]
    seed: int

    def of(
        self, name: str, num_examples: int, pairs: Int[np.ndarray, " batch"] | None
    ) -> Float[np.ndarray, "resample batch"]:
        """The counts of a split's examples: those of the clean ones they were made from, or their own."""
        if pairs is not None:
            return self.examples[:, pairs]
        return _counts(stream(self.seed, "resamples", name), len(self.models), num_examples)


def resamples(num_models: int, num_examples: int, *, seed: int, number: int = NUM_RESAMPLES) -> Resamples:
    """Draws of so many models and clean examples; each has at least two unlike models."""
    generator = stream(seed, "resamples", "")
    models = _counts(generator, number, num_models)
    models[(models > 0).sum(1) < 2] = 1.0
    return Resamples(models, _counts(generator, number, num_examples), seed)


def _counts(generator: np.random.Generator, number: int, size: int) -> Float[np.ndarray, "resample size"]:
    drawn = generator.integers(0, size, (number, size))
    rows = np.arange(number)[:, None] * size
    return np.bincount((drawn + rows).ravel(), minlength=number * size).reshape(number, size).astype(float)
