"""How the learning rate goes over a training: a factor in [0, 1] for every step."""

import math
from collections.abc import Callable


def rate_factor(schedule: str, step: int, num_steps: int, *, warmup: float) -> float:
    """The factor of the highest learning rate in step `step` of 0 … num_steps - 1.

    It rises in a line over the first `warmup` share of the steps, never from exactly 0, then follows
    `schedule`.

    >>> [round(rate_factor("linear", step, 4, warmup=0.5), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    if schedule == "one-cycle":
        warmup = max(warmup, ONE_CYCLE_WARMUP)
    rising = min(int(warmup * num_steps), num_steps - 1)
    if step < rising:
        return (step + 1) / rising
    return SCHEDULES[schedule]((step - rising) / (num_steps - rising))


def cosine(done: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov & Hutter 2017, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * done))


def constant(done: float) -> float:
    """Always 1."""
    return 1.0


def linear(done: float) -> float:
    """A line from 1 to 0."""
    return 1 - done


SCHEDULES: dict[str, Callable[[float], float]] = {
    "cosine": cosine,
    "constant": constant,
    "linear": linear,
    "one-cycle": cosine,
}
"""Name → factor after the warm-up, by the share of the steps after it that are done."""

ONE_CYCLE_WARMUP = 0.3
"""One cycle (Smith & Topin 2018) warms up over this share of the steps at least."""
