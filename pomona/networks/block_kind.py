"""A kind of block: a function that makes a module, and what is known about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

Role = Literal["body", "adapter", "join", "head", "stem", "published"]
"""What part a block plays; one that is published is made for networks that are kept as they were."""


@dataclass(frozen=True, eq=False)
class BlockKind:
    """`build(signal, **args)` makes the module; a join's first parameter is `signals`, a tuple.

    The module's forward takes the tensor, a join's one tensor a source, and the mask if it has a parameter
    `mask`. It gives image, series or vector by the number of axes. A module that changes the length of a
    series has a method `mask_after(mask)`.
    """

    build: Callable[..., nn.Module]
    takes: tuple[str, ...]
    """Kinds of signal that it reads."""
    choices: Mapping[str, tuple] = field(default_factory=dict)
    """What a search may pick for an argument, small to large."""
    widens: tuple[str, ...] = ()
    """Arguments that can be doubled without changing what the network computes."""
    role: Role = "body"
    causal: Mapping[str, Any] | None = None
    """Arguments with which no step of a series sees a later one; None where no arguments do that."""
    source: str = ""
    """Hash of the source of a user's own block; empty for ours."""
