"""Small ONNX models put together by hand, and what ONNX Runtime and the steps say of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper
from plan_reference import run_plan

from pomona.compile.sparse.network import Network, Value, plan_of
from pomona.compile.sparse.reading import read_graph, read_onnx
from pomona.compile.sparse.simplify import simplify
from pomona.export.sessions.onnx import OnnxSession

Arrays = dict[str, np.ndarray]


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """A node; names stand with spaces between them, "_" is one that is left out."""
    names = [["" if name == "_" else name for name in text.split()] for text in (inputs, outputs)]
    return helper.make_node(op, *names, name=f"{op} to {outputs}", **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    weights: Mapping[str, Any] | None = None,
    *,
    opset: int = 17,
    outputs: Sequence[str] = ("y",),
) -> bytes:
    """The bytes of a model; axes that are words are free."""
    arrays = {name: np.asarray(value) for name, value in (weights or {}).items()}
    arrays = {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in arrays.items()}
    graph = helper.make_graph(
        list(nodes),
        "sample",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8
    return made.SerializeToString()


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers in float32."""
    return np.random.default_rng((seed, *shape)).standard_normal(shape).astype(np.float32)


def network_of(content: bytes) -> Network:
    """The simplified network of a model."""
    return simplify(read_onnx(read_graph(content)))


def by_steps(network: Network, inputs: Arrays) -> Arrays:
    """What the reference makes of a network's steps, for a batch of one."""
    plan = plan_of(network)
    arrays = [inputs[n][0].reshape(plan.shape(value.tensor)) for n, value in network.inputs.items()]
    results = run_plan(plan, *arrays)
    shapes = [value.shape for value in network.outputs.values() if isinstance(value, Value)]
    return {
        name: result.reshape(shape)
        for name, result, shape in zip(network.outputs, results, shapes, strict=True)
    }


def assert_reads(content: bytes, inputs: Arrays) -> Network:
    """The network, all of whose nodes were read and whose steps give what ONNX Runtime gives."""
    network = network_of(content)
    assert not network.externals, [(e.node.where, e.reason) for e in network.externals]
    got = by_steps(network, inputs)
    for name, wanted in OnnxSession(content).run(inputs).items():
        np.testing.assert_allclose(got[name], wanted, rtol=1e-4, atol=1e-5 * max(1, np.abs(wanted).max()))
    return network
