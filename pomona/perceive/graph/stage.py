"""The nouns of a pipeline: stages, and the graph that their named edges make of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stage:
    """A function in a pipeline.

    It is called with its inputs by keyword and returns a dict of exactly its outputs. A stage with state is
    called with `state` too and returns (outputs, next state); it must leave the state that it was given as it
    is, so that a frame can fail, or be taken back, without a trace. It sees one frame at a time, in order.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...] | Mapping[str, str]
    """The edges that it takes, each as the parameter of that name; or a mapping from parameter to edge."""

    outputs: Mapping[str, Any]
    """The type of each edge that it makes."""

    state: Callable[[], Any] | None = None
    """Makes the state for the first frame; None for a stage that remembers nothing."""

    at_once: int = 1
    """How many frames a stage without state may work on at the same time."""

    @property
    def arguments(self) -> dict[str, str]:
        """The edge that each parameter takes."""
        if isinstance(self.inputs, Mapping):
            return dict(self.inputs)
        return {edge: edge for edge in self.inputs}


@dataclass(frozen=True)
class Graph:
    """A pipeline: what comes in with each frame, the stages, and which edges are the result.

    The order of the stages decides who goes first where nothing else does; it has no part in the answer.
    """

    inputs: Mapping[str, Any]
    """The type of each edge that comes with a frame."""

    stages: tuple[Stage, ...]
    outputs: tuple[str, ...]

    def edges(self) -> dict[str, Any]:
        """The type of every edge, inputs first."""
        made = {edge: type_ for stage in self.stages for edge, type_ in stage.outputs.items()}
        return {**self.inputs, **made}
