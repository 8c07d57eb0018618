"""What bodies are written in.

goal      the last block gives                   for
vector    a vector                               one answer an example
horizon   a vector that knows the last steps     forecasts
steps     a series as long as the input          an answer at every step, which may look ahead
next      the same, and no step looks ahead      the next token
pixels    an image as large as the input         an answer at every pixel
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pomona.foundation.errors import SpecError
from pomona.networks.signal import Signal
from pomona.networks.spec import Block

Goal = Literal["vector", "horizon", "steps", "next", "pixels"]

Layer = tuple[str, str, Mapping[str, Any]]
"""Id, block, arguments."""

Body = Callable[..., list[Block]]
"""(signal, source, goal="vector", prefix="") → blocks; ids start with `prefix`."""


def chain(source: str, layers: Sequence[Layer], prefix: str = "") -> list[Block]:
    """The layers one after another, the first one reading `source`."""
    blocks: list[Block] = []
    for name, block, args in layers:
        blocks.append(Block(prefix + name, block, args, (source,)))
        source = prefix + name
    return blocks


def series_stem(signal: Signal, width: int, goal: Goal) -> list[Layer]:
    """The layers that make a series of what is none; a series stays as it is."""
    if goal == "pixels":
        raise SpecError(f"an answer at every pixel needs an image, got {signal}")
    stems: dict[str, list[Layer]] = {
        "series": [],
        "tokens": [("embed", "embed", {"width": width})],
        "audio": [("mel", "melspectrogram", {})],
        "image": [("rows", "rows", {})],
        "vector": [("steps", "steps", {"size": 1})],
    }
    return stems[signal.kind]


def is_causal(goal: Goal) -> bool:
    """Whether no step may look ahead: what has come last is what a forecast starts from."""
    return goal in ("next", "horizon")
