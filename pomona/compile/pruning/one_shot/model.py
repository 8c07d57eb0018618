"""An ONNX model that can be changed a layer at a time, and asked what any tensor in it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.compile.pruning.one_shot.found_layers import GraphLayer
from pomona.compile.sparse.reading.graph import OnnxGraph
from pomona.export.sessions.onnx import OnnxSession


class Model:
    """A copy of a graph's model."""

    def __init__(self, graph: OnnxGraph, *, threads: int = 1):
        self._graph, self.threads = graph, threads
        self.proto = type(graph.model)()
        self.proto.CopyFrom(graph.model)
        # before version 4 every constant had to be an input too
        self.proto.ir_version = max(self.proto.ir_version, 4)

    def replace(self, one: GraphLayer, weight: np.ndarray, bias: np.ndarray | None) -> None:
        """Gives a layer another weight (a row an output) and, where it takes one, bias."""
        node = self.proto.graph.node[one.node.position]
        node.input[1] = self._constant(f"{node.output[0]}.weight", one.stored(weight))
        if bias is not None and one.takes_bias:
            name = self._constant(f"{node.output[0]}.bias", bias.astype(np.float32))
            if len(node.input) > 2:
                node.input[2] = name
            else:
                node.input.append(name)

    def session(self, outputs: Sequence[str] | None = None) -> OnnxSession:
        """Runs the model as it is, or as far as these tensors need it, which then are its outputs."""
        if outputs is None:
            return OnnxSession(self.content(), threads=self.threads)
        part = type(self.proto)()
        part.CopyFrom(self.proto)
        needed = set(outputs)
        kept = []
        for node in reversed(self._graph.nodes):
            own = self.proto.graph.node[node.position]
            has_graph = any(attribute.HasField("g") for attribute in own.attribute)
            if has_graph or needed & set(own.output):
                needed.update(own.input)
                kept.append(node.position)
        del part.graph.node[:]
        part.graph.node.extend(self.proto.graph.node[position] for position in reversed(kept))
        del part.graph.output[:]
        for name in outputs:
            part.graph.output.add(name=name)
        return OnnxSession(part.SerializeToString(), threads=self.threads)

    def content(self) -> bytes:
        """The bytes of the file, without constants that nobody reads."""
        proto = self.proto.graph
        read = {name for node in proto.node for name in node.input} | {one.name for one in proto.output}
        # sub-graphs may read constants of the graph around them
        if not any(attribute.HasField("g") for node in proto.node for attribute in node.attribute):
            unread = {entry.name for entry in proto.initializer} - read
            for entries in (proto.initializer, proto.input):
                kept = [entry for entry in entries if entry.name not in unread]
                del entries[:]
                entries.extend(kept)
        return self.proto.SerializeToString()

    def _constant(self, name: str, array: np.ndarray) -> str:
        from onnx import numpy_helper

        initializers: Any = self.proto.graph.initializer
        places = {entry.name: place for place, entry in enumerate(initializers)}
        entry = numpy_helper.from_array(array, f"{name}.pruned")
        if entry.name in places:
            initializers[places[entry.name]].CopyFrom(entry)
        else:
            initializers.append(entry)
        return entry.name


def batches_of(inputs: Mapping[str, np.ndarray], size: int) -> list[dict[str, np.ndarray]]:
    """The inputs, `size` examples at a time; a shorter last batch only where any size will do."""
    count = len(next(iter(inputs.values())))
    return [
        {name: array[start : start + size] for name, array in inputs.items()}
        for start in range(0, count, size)
    ]
