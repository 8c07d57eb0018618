"""When, on the way through a training, how much is pruned or exchanged."""

import math


def cubic(final: float, progress: float, *, initial: float = 0.0) -> float:
    """The sparsity after a share `progress` of the way: much is pruned early, little late.

    Zhu and Gupta 2017, To prune, or not to prune, equation 1.

    >>> cubic(0.8, 0.5)
    0.7
    """
    left = 1 - min(max(progress, 0.0), 1.0)
    return final + (initial - final) * left**3


def cosine(first: float, progress: float) -> float:
    """The share of weights that is exchanged: from `first` to 0.

    Evci et al. 2020, Rigging the Lottery, section 3 (3).
    """
    return first / 2 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))


def update_step(step: int, num_steps: int, *, start: float, end: float, updates: int) -> bool:
    """Whether zeros are decided anew at `step`, counted from 0; the last time is `end` of all steps."""
    first, last = bounds(num_steps, start=start, end=end)
    every = max(1, round((last - first) / updates))
    return first <= step <= last and ((step - first) % every == 0 or step == last)


def bounds(num_steps: int, *, start: float, end: float) -> tuple[int, int]:
    """The first and the last step at which zeros are decided."""
    first = min(math.floor(start * num_steps), num_steps - 1)
    return first, max(first, min(math.ceil(end * num_steps), num_steps - 1))
