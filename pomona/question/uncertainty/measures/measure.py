"""What a measure is: a number that says how good what a method says is, with its interval over examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.foundation.statistics import Interval

Spread = Callable[[Any, np.ndarray, np.random.Generator], Interval | None]


@dataclass(frozen=True)
class Measure:
    """A number from what was said and the truth."""

    name: str
    value: Callable[[Any, np.ndarray], float | None]
    """From Said or SaidValues and the truth; None where it has no meaning, say of sets that no one made."""
    greater_is_better: bool | None
    """None for what is neither: it is to be read, not to be won."""
    formula: str
    """What it is, in words."""
    unit: str = ""
    """"target" is the unit of the target, "" a pure number."""
    spread: Spread | None = None
    """The 95 % interval over examples, where there is one."""
