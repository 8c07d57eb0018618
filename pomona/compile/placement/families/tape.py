"""Writes down a forward computation, then derives the training step: backward and update nodes.

Gradients that meet at one tensor are added in pairs as they come, as PyTorch does.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from pomona.compile.placement.graph import Graph
from pomona.compile.placement.node_list import NodeList
from pomona.compile.placement.op_costs import light_flops

FLOAT_BYTES = 4


class Value(NamedTuple):
    """A tensor: the node that makes it. `learns` says whether a gradient is wanted."""

    node: int
    shape: tuple[int, ...]
    learns: bool

    def shaped(self, *shape: int) -> "Value":
        """The same tensor seen in another shape, at no cost."""
        return Value(self.node, shape, self.learns)

    def stopped(self) -> "Value":
        """The same tensor, through which no gradient flows."""
        return Value(self.node, self.shape, False)


class Tape:
    """Collects nodes; labels are paths of the scopes that were open, then the operation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes = NodeList()
        self._scope = ""
        self._parameters: list[Value] = []
        self._steps: list[tuple[int, str, Callable[[Value], None]]] = []
        self._gradients: dict[int, Value] = {}

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Puts `name/` before the labels of what is made inside."""
        outer, self._scope = self._scope, f"{self._scope}{name}/"
        yield
        self._scope = outer

    def input(self, label: str, shape: Sequence[int]) -> Value:
        """Data of the step: stored, without a gradient."""
        return self._stored("input", label, shape, learns=False)

    def state(self, label: str, shape: Sequence[int]) -> Value:
        """What an earlier step left, such as a recurrent layer's first state: stored, without a gradient."""
        return self._stored("state", label, shape, learns=False)

    def parameter(self, label: str, shape: Sequence[int]) -> Value:
        """A weight: stored, and updated at the end of a training step."""
        value = self._stored("parameter", label, shape, learns=True)
        self._parameters.append(value)
        return value

    def node(
        self,
        op: str,
        inputs: Sequence[Value],
        shape: Sequence[int],
        *,
        flops: float | None = None,
        traffic_bytes: float | None = None,
        label: str = "",
    ) -> Value:
        """An operation with one output. FLOPs and traffic follow from the shapes unless given."""
        sizes = [prod(value.shape) for value in inputs]
        size = prod(shape)
        if flops is None:
            flops = light_flops(op, max(sizes, default=0), size, num_inputs=len(sizes))
        if traffic_bytes is None:
            traffic_bytes = float(FLOAT_BYTES * (sum(sizes) + size))
        made = self._nodes.add(
            op,
            self._scope + (label or op),
            shape,
            FLOAT_BYTES * size,
            sources=[value.node for value in inputs],
            flops=flops,
            traffic_bytes=traffic_bytes,
        )
        return Value(made, tuple(shape), any(value.learns for value in inputs))

    def items(self, op: str, inputs: Sequence[Value], shapes: Sequence[Sequence[int]]) -> list[Value]:
        """An operation with several outputs."""
        whole = self.node(op, inputs, (sum(prod(shape) for shape in shapes),))
        return [
            Value(
                self._nodes.add_item(whole.node, shape, FLOAT_BYTES * prod(shape)), tuple(shape), whole.learns
            )
            for shape in shapes
        ]

    def on_gradient(self, output: Value, backward: Callable[[Value], None]) -> None:
        """`backward` is called with the gradient of `output`, where there is one, and hands on those of its
        inputs by `give`."""
        if output.learns:
            self._steps.append((output.node, self._scope, backward))

    def give(self, value: Value, gradient: Value) -> None:
        """Adds to the gradient of `value`; nothing where none is wanted."""
        if not value.learns:
            return
        earlier = self._gradients.get(value.node)
        if earlier is not None:
            gradient = self.node("add", [earlier, gradient], gradient.shape, label="accumulate")
        self._gradients[value.node] = gradient

    def training_graph(self, loss: Value) -> Graph:
        """The graph of a training step that lowers `loss`: forward, backward and an update a weight.

        What neither the loss nor an update needs is left out.
        """
        seed = self.node("fill", [], (1,), label="gradient/fill")
        self._gradients[loss.node] = seed
        for node, scope, backward in reversed(self._steps):
            gradient = self._gradients.pop(node, None)
            if gradient is not None:
                self._scope = f"{scope}gradient/"
                backward(gradient)
        self._scope = ""
        pairs = [(weight.node, self._gradients.get(weight.node)) for weight in self._parameters]
        updates = [
            self._nodes.add_update(weight, gradient.node)
            for weight, gradient in pairs
            if gradient is not None
        ]
        return self._nodes.graph(self.name, wanted=[loss.node, *updates])

    def _stored(self, op: str, label: str, shape: Sequence[int], *, learns: bool) -> Value:
        size_bytes = FLOAT_BYTES * prod(shape)
        node = self._nodes.add(op, self._scope + label, shape, size_bytes, is_stored=True)
        return Value(node, tuple(shape), learns)
