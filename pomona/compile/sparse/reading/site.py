"""What the reader of one node is given: the node, its inputs, and a builder that takes its steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.compile.sparse.network import Builder, Foreign, Value, image_shape
from pomona.compile.sparse.plan import Setting
from pomona.compile.sparse.reading.graph import Node
from pomona.foundation.errors import SpecError

Known = Value | Foreign | np.ndarray | None


@dataclass(frozen=True)
class Site:
    """One node. Its methods raise SpecError for what no step can stand for; the reason is for the user."""

    node: Node
    inputs: tuple[Known, ...]
    builder: Builder
    opset: int

    @property
    def name(self) -> str:
        """What a user calls the node."""
        return self.node.name or next(filter(None, self.node.outputs), self.node.op)

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute of the node."""
        return self.node.attributes.get(name, default)

    def value(self, index: int = 0) -> Value:
        """An input that is computed."""
        known = self.inputs[index] if index < len(self.inputs) else None
        if not isinstance(known, Value):
            raise SpecError(f"its input {index} is no image or vector of float32")
        return known

    def constant(self, index: int) -> np.ndarray | None:
        """An input that has to be constant; None where it is left out."""
        known = self.inputs[index] if index < len(self.inputs) else None
        if known is not None and not isinstance(known, np.ndarray):
            raise SpecError(f"its input {index} is computed, not constant")
        return known

    def weight(self, index: int) -> np.ndarray:
        """An input that has to be a constant of floats, as float32."""
        array = self.constant(index)
        if array is None or array.dtype.kind != "f":
            raise SpecError(f"its input {index} is no constant of floats")
        return np.ascontiguousarray(array, np.float32)

    def number(self, index: int, attribute: str, default: float) -> float:
        """A number that is an attribute in old opsets and an input in new ones."""
        if attribute in self.node.attributes:
            return float(self.attribute(attribute))
        array = self.constant(index)
        return default if array is None or not array.size else float(array.reshape(-1)[0])

    def image(self, index: int = 0) -> str:
        """An input as a tensor of three axes. Raises SpecError for one of other than three or four."""
        value = self.value(index)
        if len(value.shape) not in (3, 4):
            raise SpecError(f"its input has the shape {value.shape}, not that of images")
        return self.builder.shaped(value, image_shape(value.shape), name=self.name)

    def tensor(self, index: int = 0) -> str:
        """An input as a tensor of one or three axes."""
        value = self.value(index)
        return self.builder.shaped(value, image_shape(value.shape), name=self.name)

    def shape(self, tensor: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.builder.tensors[tensor].shape

    def emit(
        self,
        op: str,
        inputs: str | tuple[str, ...],
        shape: tuple[int, ...],
        *,
        weights: Mapping[str, np.ndarray] | None = None,
        settings: Mapping[str, Setting] | None = None,
    ) -> str:
        """Adds a step of the node's name; returns its output."""
        inputs = (inputs,) if isinstance(inputs, str) else inputs
        return self.builder.emit(op, inputs, shape, name=self.name, weights=weights, settings=settings)

    def scaled(self, tensor: str, scale: np.ndarray | np.floating, shift: np.ndarray | np.floating) -> str:
        """The tensor times `scale` plus `shift`, numbers or one of each for every channel."""
        shape = self.shape(tensor)
        weights = {
            "weight": np.array(np.broadcast_to(scale, shape[:1]), np.float32).reshape(-1, 1, 1),
            "bias": np.array(np.broadcast_to(shift, shape[:1]), np.float32),
        }
        settings: dict[str, Setting] = {"stride": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1)}
        return self.emit("depthwise", tensor, shape, weights=weights, settings=settings)


NodeReader = Callable[[Site], Known | tuple[Known, ...]]
"""What a node's outputs are, after its steps were added. Raises SpecError when no step can stand for it."""
