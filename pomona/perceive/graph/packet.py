"""What goes into a pipeline and what comes out: a packet a frame, a result a frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pomona.perceive.graph.errors import StageError


@dataclass
class Packet:
    """One frame: its number and its real time in its source, and a value for each input of the graph."""

    frame: int
    time_s: float
    values: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """What became of a packet.

    When a stage failed, `error` names it (the first in the order of the graph, if several did) and `values`
    lacks what could not be made without it.
    """

    packet: Packet
    values: Mapping[str, Any]
    stage_ms: Mapping[str, float] = field(default_factory=dict)  # of the stages that ran
    error: StageError | None = None
    frame_ms: float = 0.0  # from being begun to being done; frames overlap, so this is not 1 / rate
