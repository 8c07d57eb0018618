"""A worker of a plan: of what is ready, it runs what has the highest priority."""

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch.fx import Node
from torch.fx.node import map_arg

from pomona.compile.placement.running.programs import Unit


class Exchange(Protocol):
    """How values get from one worker to the others."""

    def send(self, name: str, value: torch.Tensor) -> None:
        """Makes a value known to the workers that need it."""
        ...

    def receive(self, *, wait: bool) -> Mapping[str, torch.Tensor]:
        """Values that have come since; with `wait` at least one."""
        ...


class Values:
    """What a worker knows in a step by name: what is kept over steps, what came, what it made, and views."""

    def __init__(
        self, kept: Mapping[str, Any], views: Mapping[str, Sequence[Node]], device: torch.device | None = None
    ):
        self._views, self._device = views, device
        self.known: dict[str, Any] = {}
        for name, value in kept.items():
            self.arrive(name, value)
        self._kept = dict(self.known)

    def begin(self) -> None:
        """Forgets all but what is kept."""
        self.known = dict(self._kept)

    def arrive(self, name: str, value: Any) -> list[str]:
        """Takes a value in and makes the views of it; returns the names that are known by that."""
        self.known[name] = value
        views = self._views.get(name, ())
        for node in views:
            self.compute(node)
        return [name, *(node.name for node in views)]

    def compute(self, node: Node) -> None:
        """Runs a node on what is known; tensors that it makes of nothing are made on this worker's device."""
        args = map_arg(node.args, lambda one: self.known[one.name])
        kwargs = map_arg(node.kwargs, lambda one: self.known[one.name])
        if self._device is not None and kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": self._device}
        assert callable(node.target)
        self.known[node.name] = node.target(*args, **kwargs)

    def read(self, argument: Any) -> Any:
        """An argument of a node with values in place of nodes."""
        return map_arg(argument, lambda one: self.known[one.name])


class Worker:
    """Runs the units of one worker. `ran` has the indices of the last step's units in the order they ran."""

    def __init__(self, units: Sequence[Unit], values: Values, crossing: Collection[str]):
        self._units = {unit.index: unit for unit in units}
        self._values, self._crossing = values, crossing
        self._readers: dict[str, list[int]] = {}
        for unit in units:
            for name in unit.reads:
                self._readers.setdefault(name, []).append(unit.index)
        self.ran: list[int] = []

    def step(self, inputs: Mapping[str, torch.Tensor], exchange: Exchange) -> None:
        """Runs every unit once."""
        self._values.begin()
        self._left = {name: len(readers) for name, readers in self._readers.items()}
        self._missing = {index: len(unit.reads) for index, unit in self._units.items()}
        self._ready: list[tuple[float, int]] = []
        self.ran = []
        for index, count in self._missing.items():
            if not count:
                self._push(index)
        self._known(list(self._values.known))
        for name, value in inputs.items():
            self._known(self._values.arrive(name, value))
        while len(self.ran) < len(self._units):
            for name, value in exchange.receive(wait=not self._ready).items():
                self._known(self._values.arrive(name, value))
            if self._ready:
                self._run(self._units[heapq.heappop(self._ready)[1]], exchange)

    def _push(self, index: int) -> None:
        heapq.heappush(self._ready, (-self._units[index].priority, index))

    def _known(self, names: list[str]) -> None:
        for name in names:
            for index in self._readers.get(name, ()):
                self._missing[index] -= 1
                if not self._missing[index]:
                    self._push(index)

    def _run(self, unit: Unit, exchange: Exchange) -> None:
        for node in unit.nodes:
            self._values.compute(node)
            if node.name in self._crossing:
                exchange.send(node.name, self._values.known[node.name])
        self.ran.append(unit.index)
        self._known([node.name for node in unit.nodes])
        self._forget(unit)

    def _forget(self, unit: Unit) -> None:
        """Lets go of what no unit here will read again."""
        for name in unit.reads:
            self._left[name] -= 1
        for name in (*unit.reads, *(node.name for node in unit.nodes)):
            if not self._left.get(name):
                self._values.known.pop(name, None)
