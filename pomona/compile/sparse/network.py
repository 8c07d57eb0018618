"""A network while it is read and simplified: steps of a plan, and nodes that ONNX Runtime has to run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pomona.compile.sparse.plan import Plan, Setting, Step, Tensor
from pomona.compile.sparse.reading.graph import Node


@dataclass(frozen=True)
class Value:
    """Where a value of the file lives: in this tensor, in the same order, with this shape in the file.

    The shape's first axis is the batch, of one.
    """

    tensor: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Foreign:
    """A value of a type or shape that no tensor has; only ONNX Runtime's nodes read it."""

    name: str
    type: int = 0
    """ONNX's number for the type, 0 where it is not known."""


@dataclass(frozen=True)
class External:
    """A node that no step can stand for, and why. Tensors carry its values; foreign values go by their name.

    `inputs` and `outputs` map names in the file to what is known of them; constants are arrays.
    """

    node: Node
    reason: str
    inputs: Mapping[str, Value | Foreign | np.ndarray]
    outputs: Mapping[str, Value | Foreign]

    @property
    def reads(self) -> tuple[str, ...]:
        """Every tensor or foreign value that it reads."""
        return tuple(key_of(value) for value in self.inputs.values() if not isinstance(value, np.ndarray))

    @property
    def makes(self) -> tuple[str, ...]:
        """Every tensor or foreign value that it makes."""
        return tuple(map(key_of, self.outputs.values()))


@dataclass(frozen=True)
class Network:
    """What was read of a file. `outputs` maps the names of its outputs to where they are."""

    inputs: Mapping[str, Value]
    tensors: Mapping[str, Tensor]
    steps: tuple[Step | External, ...]
    outputs: Mapping[str, Value | Foreign]

    @property
    def externals(self) -> tuple[External, ...]:
        """The nodes that no step stands for."""
        return tuple(step for step in self.steps if isinstance(step, External))

    def with_steps(self, steps: list[Step | External]) -> "Network":
        """The same network with other steps."""
        return replace(self, steps=tuple(steps))


def key_of(value: Value | Foreign) -> str:
    """The tensor's name, or the foreign value's."""
    return value.tensor if isinstance(value, Value) else value.name


def made_by(step: Step | External) -> tuple[str, ...]:
    """The names of what a step makes."""
    return step.makes if isinstance(step, External) else (step.output,)


def image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a plan's tensor for a value of the file: without the batch, one or three axes.

    (1, c) is a vector, (1, c, n) an image of one row; more than four axes become three by joining the last.
    """
    axes = shape[1:] or (1,)
    if len(axes) == 1:
        return axes
    if len(axes) == 2:
        return (axes[0], 1, axes[1])
    return (axes[0], axes[1], int(np.prod(axes[2:], dtype=np.int64)))


@dataclass
class Builder:
    """Collects the steps of a network in order."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    steps: list[Step | External] = field(default_factory=list)

    def tensor(self, shape: tuple[int, ...]) -> str:
        """A new tensor's name."""
        name = f"t{len(self.tensors)}"
        self.tensors[name] = Tensor(name, shape)
        return name

    def emit(
        self,
        op: str,
        inputs: tuple[str, ...],
        shape: tuple[int, ...],
        *,
        name: str,
        weights: Mapping[str, np.ndarray] | None = None,
        settings: Mapping[str, Setting] | None = None,
    ) -> str:
        """Adds a step; returns its output, a new tensor of this shape."""
        output = self.tensor(shape)
        self.steps.append(Step(op, inputs, output, weights or {}, settings or {}, name=name))
        return output

    def shaped(self, value: Value, shape: tuple[int, ...], *, name: str) -> str:
        """The value as a tensor of this shape, through a reshape step where it has another one."""
        if self.tensors[value.tensor].shape == shape:
            return value.tensor
        return self.emit("reshape", (value.tensor,), shape, name=name)


def plan_of(network: Network) -> Plan:
    """The plan of a network without external nodes."""
    inputs = tuple(network.tensors[value.tensor] for value in network.inputs.values())
    steps = tuple(step for step in network.steps if isinstance(step, Step))
    return Plan(inputs, network.tensors, steps, tuple(key_of(v) for v in network.outputs.values()))
