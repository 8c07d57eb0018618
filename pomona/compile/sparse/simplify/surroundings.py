"""Who makes and who reads what in a network, and changes to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pomona.compile.sparse.network import External, Network, Value, key_of, made_by
from pomona.compile.sparse.plan import Step, Tensor


@dataclass(frozen=True)
class Change:
    """Steps that take the places of others (by position), and tensors read in place of others."""

    steps: Mapping[int, tuple[Step, ...]] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()
    """New ones, or ones of another shape."""

    def applied(self, network: Network) -> Network:
        """The changed network."""
        steps: list[Step | External] = []
        for position, step in enumerate(network.steps):
            steps += self.steps.get(position, (step,))
        tensors = {**network.tensors, **{tensor.name: tensor for tensor in self.tensors}}
        if not self.instead:
            return replace(network, steps=tuple(steps), tensors=tensors)
        outputs = {
            name: replace(value, tensor=self._now(value.tensor)) if isinstance(value, Value) else value
            for name, value in network.outputs.items()
        }
        return replace(network, steps=tuple(map(self._rewired, steps)), tensors=tensors, outputs=outputs)

    def _now(self, name: str) -> str:
        return self.instead.get(name, name)

    def _rewired(self, step: Step | External) -> Step | External:
        if isinstance(step, External):
            inputs = {
                name: replace(value, tensor=self._now(value.tensor)) if isinstance(value, Value) else value
                for name, value in step.inputs.items()
            }
            return replace(step, inputs=inputs)
        return replace(
            step,
            inputs=tuple(map(self._now, step.inputs)),
            residual=step.residual and self._now(step.residual),
            scale=step.scale and self._now(step.scale),
        )


@dataclass(frozen=True)
class Surroundings:
    """A network with who makes and who reads each tensor."""

    network: Network

    @property
    def steps(self) -> tuple[Step | External, ...]:
        """The network's steps."""
        return self.network.steps

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.network.tensors[name].shape

    def step(self, position: int, *ops: str) -> Step | None:
        """The step there, if it is one of these operations."""
        step = self.steps[position]
        return step if isinstance(step, Step) and step.op in ops else None

    def maker(self, name: str, *ops: str) -> int | None:
        """The position of the step of one of these operations that makes a tensor nobody else reads."""
        position = self._makers.get(name)
        if position is None or self.num_readers(name) != 1:
            return None
        return position if self.step(position, *ops) is not None else None

    def position(self, name: str) -> int:
        """Where a tensor is made; -1 for an input."""
        return self._makers.get(name, -1)

    def reader(self, name: str, *ops: str) -> int | None:
        """The position of the step of one of these operations that alone reads a tensor."""
        readers = self._readers.get(name, [])
        if len(readers) != 1 or readers[0] < 0:
            return None
        return readers[0] if self.step(readers[0], *ops) is not None else None

    def num_readers(self, name: str) -> int:
        """How often a tensor is read, outputs of the network counted."""
        return len(self._readers.get(name, []))

    @cached_property
    def _makers(self) -> dict[str, int]:
        return {name: position for position, step in enumerate(self.steps) for name in made_by(step)}

    @cached_property
    def _readers(self) -> dict[str, list[int]]:
        readers: dict[str, list[int]] = {}
        for position, step in enumerate(self.steps):
            for name in step.reads:
                readers.setdefault(name, []).append(position)
        for value in self.network.outputs.values():
            readers.setdefault(key_of(value), []).append(-1)
        return readers
