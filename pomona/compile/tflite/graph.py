"""An ONNX graph in the making: images lie channels first in it, where TFLite has them last."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pomona.compile.tflite.read import TfliteModel
from pomona.foundation.errors import ArtifactError

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class Builder:
    """Nodes and constants that were made, and under which name each tensor of the TFLite model is found.

    A tensor of four axes is an image, (batch, channel, height, width) here; all others are as they were.
    """

    def __init__(self, model: TfliteModel):
        self.model = model
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.names: dict[str, str] = {}
        self._num_made = 0

    def add(self, op: str, inputs: Sequence[str], *, to: str = "", label: str = "", **attributes: Any) -> str:
        """Adds a node with one output; returns its name, which is that of the tensor `to` if one is given."""
        from onnx import helper

        output = self._new(label or op)
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        if to:
            self.names[to] = output
        return output

    def constant(self, array: np.ndarray, label: str = "constant") -> str:
        """Adds a constant; returns its name."""
        from onnx import numpy_helper

        name = self._new(label)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def known(self, tensor: str) -> np.ndarray:
        """The value of a tensor that has to be a constant."""
        if tensor not in self.model.constants:
            raise ArtifactError(f"{tensor} is computed, where only constant weights are read")
        return self.model.constants[tensor]

    def get(self, tensor: str, *, rank: int = 0) -> str:
        """The name under which a tensor is found; constants become images beside images of `rank` 4."""
        if tensor in self.names:
            return self.names[tensor]
        array = self.known(tensor)
        if rank == 4 and array.ndim < 4:
            array = array.reshape((1,) * (4 - array.ndim) + array.shape)
        return self.constant(array.transpose(FIRST) if array.ndim == 4 else array)

    def channels_last(self, tensor: str) -> str:
        """The tensor with the axes that it has in TFLite."""
        name = self.get(tensor)
        if len(self.model.shapes[tensor]) != 4:
            return name
        return self.add("Transpose", [name], perm=LAST)

    def shape(self, tensor: str) -> tuple[int, ...]:
        """TFLite's."""
        return self.model.shapes[tensor]

    def _new(self, label: str) -> str:
        self._num_made += 1
        return f"{label.lower()}_{self._num_made}"
