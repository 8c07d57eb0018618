"""Writes down a forward computation, then derives the training step: backward and update nodes.

Gradients that meet at one tensor are added in pairs as they come, as PyTorch does.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from pomona.compile.placement.graph import Graph, ordered
from pomona.compile.placement.op_costs import light_flops

FLOAT_BYTES = 4
UPDATE_SLOTS = 2
"""Tensors of a weight's size that the optimiser keeps: Adam's moments, RMSProp's mean square and momentum."""


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
        self._ops: list[str] = []
        self._labels: list[str] = []
        self._flops: list[float] = []
        self._traffic: list[float] = []
        self._output: list[float] = []
        self._resident: list[float] = []
        self._is_stored: list[bool] = []
        self._shapes: list[tuple[int, ...]] = []
        self._groups: list[int] = []
        self._edges: list[tuple[int, int]] = []
        self._scope = ""
        self._parameters: list[tuple[str, Value]] = []
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
        return self._stored("input", label, tuple(shape), learns=False)

    def state(self, label: str, shape: Sequence[int]) -> Value:
        """What an earlier step left, such as a recurrent layer's first state: stored, without a gradient."""
        return self._stored("state", label, tuple(shape), learns=False)

    def parameter(self, label: str, shape: Sequence[int]) -> Value:
        """A weight: stored, updated at the end, with the optimiser's tensors resident beside it."""
        value = self._stored("parameter", label, tuple(shape), learns=True)
        self._resident[value.node] = float(UPDATE_SLOTS * FLOAT_BYTES * prod(shape))
        self._groups[value.node] = value.node
        self._parameters.append((self._labels[value.node], value))
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
        learns = any(value.learns for value in inputs)
        made = self._add(op, label or op, tuple(shape), flops, traffic_bytes, FLOAT_BYTES * size, learns)
        self._edges.extend((value.node, made.node) for value in inputs)
        return made

    def items(self, op: str, inputs: Sequence[Value], shapes: Sequence[Sequence[int]]) -> list[Value]:
        """An operation with several outputs: a node that has none, and a free node of its group for each."""
        total = sum(prod(shape) for shape in shapes)
        whole = self.node(op, inputs, (total,))
        self._output[whole.node] = 0.0
        self._groups[whole.node] = whole.node
        made = []
        for shape in shapes:
            size_bytes = FLOAT_BYTES * prod(shape)
            item = self._add("item", f"{op}/item", tuple(shape), 0.0, 0.0, size_bytes, whole.learns)
            self._groups[item.node] = whole.node
            self._edges.append((whole.node, item.node))
            made.append(item)
        return made

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
        """The graph of a training step that lowers `loss`: forward, backward and an update a weight."""
        seed = self.node("fill", [], (1,), traffic_bytes=FLOAT_BYTES, label="gradient/fill")
        self._gradients[loss.node] = seed
        for node, scope, backward in reversed(self._steps):
            gradient = self._gradients.pop(node, None)
            if gradient is not None:
                self._scope = f"{scope}gradient/"
                backward(gradient)
        self._scope = ""
        for label, weight in self._parameters:
            gradient = self._gradients.get(weight.node)
            if gradient is not None:
                self._update(label, weight, gradient)
        return self.forward_graph()

    def forward_graph(self) -> Graph:
        """The graph of what was written so far."""
        return ordered(
            self.name,
            self._ops,
            self._labels,
            flops=self._flops,
            traffic_bytes=self._traffic,
            output_bytes=self._output,
            resident_bytes=self._resident,
            is_stored=self._is_stored,
            shapes=self._shapes,
            edges=self._edges,
            groups=self._groups,
        )

    def _update(self, label: str, weight: Value, gradient: Value) -> None:
        # reads weight, gradient and slots, writes weight and slots; the new weight takes the old one's place
        size_bytes = FLOAT_BYTES * prod(weight.shape)
        traffic = float((3 + 2 * UPDATE_SLOTS) * size_bytes)
        made = self.node(
            "update", [weight, gradient], weight.shape, traffic_bytes=traffic, label=f"{label}/update"
        )
        self._output[made.node] = 0.0
        self._groups[made.node] = weight.node

    def _stored(self, op: str, label: str, shape: tuple[int, ...], *, learns: bool) -> Value:
        made = self._add(op, label, shape, 0.0, 0.0, FLOAT_BYTES * prod(shape), learns)
        self._is_stored[made.node] = True
        return made

    def _add(
        self,
        op: str,
        label: str,
        shape: tuple[int, ...],
        flops: float,
        traffic_bytes: float,
        output_bytes: float,
        learns: bool,
    ) -> Value:
        self._ops.append(op)
        self._labels.append(self._scope + label)
        self._flops.append(flops)
        self._traffic.append(traffic_bytes)
        self._output.append(float(output_bytes))
        self._resident.append(0.0)
        self._is_stored.append(False)
        self._shapes.append(shape)
        self._groups.append(-1)
        return Value(len(self._ops) - 1, shape, learns)
