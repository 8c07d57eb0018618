"""A mixture of Gaussians whose best possible error is known in closed form.

Two classes lie in four clouds in the corners of a square, equal corners opposite each other, so that no line
parts them; further directions are noise, and a rotation mixes all of them. A teacher that knows the mixture
draws the class of a point from the point's true probabilities. With the corners at ±DISTANCE and deviation 1,
a coordinate x tells its sign with probability (1 + tanh(DISTANCE · x)) / 2.
"""

import math

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.question.bootstrap.worlds.drawn_task import drawn_task
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

DISTANCE = 2.0
"""Of a corner from either axis, in deviations."""

NUM_DIRECTIONS = 20
"""Numbers of an example; two of them, before the rotation, tell the class."""


def mixture(*, seed: int = 0) -> Task:
    """Which of two classes a point is of; nobody can be better than `bayes_error`."""
    about = (
        "which of two classes a point is of, in a mixture of Gaussians whose best possible error is "
        f"{bayes_error():.3f}, soft error {bayes_soft_error():.3f} (drawn without end)"
    )
    return drawn_task("mixture", draw_points, "side", seed=seed, about=about, licence="CC0-1.0")


def draw_points(generator: np.random.Generator, num_points: int) -> Batch:
    """Points from the mixture, and classes that the teacher draws for them."""
    corners = DISTANCE * generator.choice([-1.0, 1.0], (num_points, 2))
    plain = generator.standard_normal((num_points, NUM_DIRECTIONS))
    plain[:, :2] += corners
    is_odd = generator.random(num_points) < odd_probability(plain)
    return {"point": plain @ _rotation(), "side": np.where(is_odd, "odd", "even").astype(object)}


def odd_probability(plain: Float[np.ndarray, "point direction"]) -> Float[np.ndarray, " point"]:
    """The probability, given a point before its rotation, that the signs of its corner differ."""
    return (1 - np.tanh(DISTANCE * plain[:, :2]).prod(1)) / 2


def bayes_error() -> float:
    """The lowest share of wrong answers that is possible: exactly one of two signs is misread."""
    misread = 0.5 * math.erfc(DISTANCE / math.sqrt(2))
    return 2 * misread * (1 - misread)


def bayes_soft_error() -> float:
    """The soft error of the true probabilities: E[2 p (1 − p)] = (1 − E[tanh²(DISTANCE · x)]²) / 2."""
    from scipy.integrate import quad

    def integrand(x: float) -> float:
        density = math.exp(-0.5 * (x - DISTANCE) ** 2) / math.sqrt(2 * math.pi)
        return math.tanh(DISTANCE * x) ** 2 * density

    sharpness = quad(integrand, DISTANCE - 12, DISTANCE + 12)[0]
    return (1 - sharpness**2) / 2


def _rotation() -> Float[np.ndarray, "direction direction"]:
    """An orthogonal matrix, always the same."""
    plain = stream(0, "mixture", "rotation").standard_normal((NUM_DIRECTIONS, NUM_DIRECTIONS))
    return np.linalg.qr(plain)[0]
