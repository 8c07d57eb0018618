"""A network ready to run: its parts as native programs and ONNX Runtime's sessions, an example at a time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from pomona.compile.sparse.network import Foreign, Network, Value, key_of
from pomona.compile.sparse.parts import NativePart, OnnxPart, Part
from pomona.compile.sparse.plan import without_weights
from pomona.export.sessions.onnx import OnnxSession, head_name
from pomona.foundation.console import Console
from pomona.foundation.errors import DataError

if TYPE_CHECKING:
    from pomona.compile.sparse.program import Program

Arrays = dict[str, np.ndarray]


class Running:
    """The parts of a network, compiled. It holds buffers: run it in one thread at a time."""

    def __init__(
        self, network: Network, parts: tuple[Part, ...], *, threads: int, console: Console | None = None
    ):
        self.inputs = dict(network.inputs)
        self.outputs = dict(network.outputs)
        self._shapes = {name: tensor.shape for name, tensor in network.tensors.items()}
        self._parts = [
            _Native(part, threads, console)
            if isinstance(part, NativePart)
            else _InOnnx(part, self._shapes, threads)
            for part in parts
        ]

    def kernels(self) -> dict[str, str]:
        """Output of a step → how it is computed, of the steps that a kernel was chosen for."""
        return {
            name: f"{choice.kernel}, {choice.rows} rows"
            for program in self._programs()
            for name, choice in program.choices.items()
        }

    def times(self) -> dict[str, float]:
        """Output of a step → its microseconds on one thread, measured now."""
        each = [time for program in self._programs() for time in program.step_times()]
        times: dict[str, float] = {}
        for time in each:
            times[time.output] = times.get(time.output, 0.0) + time.microseconds
        return times

    def _programs(self) -> "list[Program]":
        return [part.program for part in self._parts if isinstance(part, _Native)]

    def run(self, inputs: Mapping[str, Shaped[np.ndarray, "batch ..."]]) -> Arrays:
        """Output → its array. Raises DataError when an input is missing or has another shape."""
        size = self._checked_size(inputs)
        rows = [self._one(inputs, index) for index in range(size)]
        if len(rows) == 1:
            return rows[0]
        if not rows:
            return {name: self._empty(value) for name, value in self.outputs.items()}
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _one(self, inputs: Mapping[str, np.ndarray], index: int) -> Arrays:
        arrays: Arrays = {}
        for name, value in self.inputs.items():
            example = np.ascontiguousarray(inputs[name][index], np.float32)
            arrays[value.tensor] = example.reshape(self._shapes[value.tensor])
        for part in self._parts:
            part.run(arrays)
        return {
            name: arrays[key_of(value)].reshape(value.shape)
            if isinstance(value, Value)
            else arrays[value.name]
            for name, value in self.outputs.items()
        }

    def _empty(self, value: Value | Foreign) -> np.ndarray:
        shape = value.shape[1:] if isinstance(value, Value) else ()
        return np.zeros((0, *shape), np.float32)

    def _checked_size(self, inputs: Mapping[str, np.ndarray]) -> int:
        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise DataError(f"the model reads {', '.join(self.inputs)}; the batch lacks {', '.join(missing)}")
        sizes = set()
        for name, value in self.inputs.items():
            array = inputs[name]
            if array.shape[1:] != value.shape[1:] or not array.ndim or array.dtype.kind not in "fiub":
                wanted = f"(batch, {', '.join(map(str, value.shape[1:]))})"
                raise DataError(f"input {name!r} is {array.dtype} of {array.shape}, wanted {wanted}")
            sizes.add(len(array))
        if len(sizes) != 1:
            raise DataError(f"the inputs hold different numbers of examples: {sorted(sizes)}")
        return sizes.pop()


class _Native:
    def __init__(self, part: NativePart, threads: int, console: Console | None):
        from pomona.compile.sparse.program import compile_plan
        from pomona.compile.sparse.tune import tune

        self._inputs = [tensor.name for tensor in part.plan.inputs]
        self._outputs = part.plan.outputs
        choices = tune(part.plan, console=console)
        self.program = compile_plan(part.plan, threads=threads, choices=choices)
        self.program.plan = without_weights(part.plan)

    def run(self, arrays: Arrays) -> None:
        results = self.program.run(*(arrays[name] for name in self._inputs))
        arrays.update(zip(self._outputs, results, strict=True))


class _InOnnx:
    def __init__(self, part: OnnxPart, shapes: Mapping[str, tuple[int, ...]], threads: int):
        self._inputs = part.inputs
        self._outputs = part.outputs
        self._shapes = shapes
        self._session = OnnxSession(part.model, threads=threads)

    def run(self, arrays: Arrays) -> None:
        feeds = {
            name: arrays[key_of(value)].reshape(value.shape)
            if isinstance(value, Value)
            else arrays[value.name]
            for name, value in self._inputs.items()
        }
        results = self._session.run(feeds)
        for name, value in self._outputs.items():
            result = results[head_name(name)]
            arrays[key_of(value)] = (
                result.reshape(self._shapes[value.tensor]) if isinstance(value, Value) else result
            )
