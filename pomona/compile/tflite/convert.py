"""From a TFLite file to an ONNX model that computes the same."""

import re
from pathlib import Path

from pomona.compile.tflite.graph import FIRST, Builder
from pomona.compile.tflite.operations import OPERATIONS
from pomona.compile.tflite.read import read_tflite
from pomona.foundation.errors import ArtifactError, MissingExtraError

OPSET = 17


def tflite_as_onnx(path: str | Path) -> bytes:
    """The content of an ONNX file of a float TFLite model, with its inputs and outputs as they are there.

    Weights in half precision become float32. Raises ArtifactError, naming it, for an operation it lacks.

    >>> Path("hand.onnx").write_bytes(tflite_as_onnx("hand_landmark_full.tflite"))  # doctest: +SKIP
    """
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx") from error
    model = read_tflite(path)
    graph, inputs = Builder(model), []
    for tensor in model.inputs:
        name = _plain_name(tensor)
        inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, model.shapes[tensor]))
        graph.names[tensor] = name
        if len(model.shapes[tensor]) == 4:
            graph.add("Transpose", [name], to=tensor, perm=FIRST)
    for one in model.operations:
        if one.name not in OPERATIONS:
            raise ArtifactError(
                f"{path}: the operation {one.name} is not read; known: {', '.join(OPERATIONS)}"
            )
        try:
            OPERATIONS[one.name](graph, one)
        except (KeyError, IndexError, ValueError) as error:
            raise ArtifactError(f"{path}: {one.name} is not as it should be ({error})") from error
    outputs = []
    for tensor in model.outputs:
        last = graph.channels_last(tensor)
        graph.nodes.append(helper.make_node("Identity", [last], [_plain_name(tensor)]))
        outputs.append(
            helper.make_tensor_value_info(_plain_name(tensor), TensorProto.FLOAT, model.shapes[tensor])
        )
    made = helper.make_graph(graph.nodes, Path(path).stem, inputs, outputs, graph.initializers)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        made, opset_imports=opset, producer_name="pomona", ir_version=8
    ).SerializeToString()


def _plain_name(tensor: str) -> str:
    """A tensor's own name, without its number and what ONNX tools stumble over."""
    return re.sub(r"\W+", "_", tensor.partition(":")[2]) or f"tensor_{tensor.partition(':')[0]}"
