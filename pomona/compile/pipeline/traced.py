"""What stands at every place of a chain on one example, and where it may be cut."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pomona.compile.pipeline.chain import Chain
from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.tensor import Tensor, tensor_of
from pomona.foundation.errors import ArtifactError

CHEAP = frozenset(
    {
        *(
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Neg",
            "Pow",
            "Sqrt",
            "Min",
            "Max",
            "Clip",
            "Cast",
            "Identity",
            "Dropout",
        ),
        *("Relu", "LeakyRelu", "PRelu", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Gelu", "Erf", "Elu"),
        *("Softplus", "BatchNormalization", "Reshape", "Squeeze", "Unsqueeze", "Flatten"),
    }
)
"""Operations that are mostly done together with the one before them."""


@dataclass(frozen=True, eq=False)
class Traced:
    """A chain with the tensors of one example."""

    chain: Chain
    values: Mapping[str, np.ndarray]
    tensors: Mapping[str, Tensor]
    places: tuple[int, ...]
    """Where it may be cut, in order; the first is the beginning and the last the end."""

    def live_bytes(self, place: int) -> int:
        """Bytes that cross a cut."""
        return sum(self.tensors[name].size_bytes for name in self.chain.live[place])


def trace(chain: Chain, example: Mapping[str, np.ndarray]) -> Traced:
    """Runs the model on one example and finds the cuts that make sense.

    Raises ArtifactError when ONNX Runtime cannot run it, DataError when the example does not fit.
    """
    values = _values(chain, example)
    tensors = {name: tensor_of(name, array) for name, array in values.items()}
    last = len(chain.nodes)
    if missing := [name for name in (*chain.live[0], *chain.outputs) if name not in tensors]:
        raise ArtifactError(f"{missing[0]!r} of the model is no tensor of numbers: a chain cannot carry it")
    traced = Traced(chain, values, tensors, ())
    possible = [place for place in range(1, last) if _can_cross(traced, place)]
    places = [place for place in possible if not _is_better_later(traced, place)]
    return Traced(chain, values, tensors, (0, *places, last))


def _values(chain: Chain, example: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every tensor that crosses a place, of those that are arrays of numbers."""
    wanted = dict.fromkeys(name for names in chain.live for name in names if name not in chain.inputs)
    model = type(chain.model)()
    model.CopyFrom(chain.model)
    known = {entry.name for entry in model.graph.output}
    for name in wanted:
        if name not in known:
            model.graph.output.add().name = name
    found = PartSession(model.SerializeToString()).run(example)
    arrays = {
        name: array
        for name, array in found.items()
        if isinstance(array, np.ndarray) and array.dtype.kind in "biuf"
    }
    return {name: np.asarray(example[name]) for name in chain.inputs} | arrays


def _can_cross(traced: Traced, place: int) -> bool:
    names = traced.chain.live[place]
    return bool(names) and all(name in traced.tensors for name in names)


def _is_better_later(traced: Traced, place: int) -> bool:
    """Whether the next node is done together with the one before it, and leaves no more to be sent."""
    node = traced.chain.nodes[place]
    if node.op_type not in CHEAP or not _can_cross(traced, place + 1):
        return False
    return traced.live_bytes(place + 1) <= traced.live_bytes(place)
