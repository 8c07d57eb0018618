from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pomona.compile.placement.capture.onnx_file import capture_onnx
from pomona.compile.placement.op_names import HEAVY
from pomona.foundation.errors import DataError

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def model_of(nodes, inputs, *, weights=(), functions=(), outputs=("y",)):
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    read = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in dict(weights).items()]
    graph = helper.make_graph(nodes, "made", read, made, stored)
    imports = [helper.make_opsetid("", 23), *([helper.make_opsetid("own", 1)] if functions else [])]
    return helper.make_model(graph, opset_imports=imports, functions=functions).SerializeToString()


def heavy_flops(graph):
    is_heavy = np.isin(graph.op, [graph.op_names.index(name) for name in HEAVY if name in graph.op_names])
    return graph.flops[is_heavy].sum()


def floats(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize(
    ("name", "giga_multiply_adds"),
    # as their articles or model zoos give them for one image
    [("resnet50", 4.1), ("squeezenet", 0.35), ("bvlc_alexnet", 0.66), ("densenet121", 2.9)],
)
def test_published_networks_of_old_opsets_have_their_published_work(name, giga_multiply_adds):
    graph = capture_onnx(LIGHT / f"light_{name}.onnx")
    assert heavy_flops(graph) / 2e9 == pytest.approx(giga_multiply_adds, rel=0.03)


def test_open_axes_take_the_batch_and_the_sizes_given():
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    model = model_of([node], {"x": ["batch", "length", 4]}, weights={"w": floats(4, 6)})
    graph = capture_onnx(model, batch=3, sizes={"length": 5})
    assert graph.flops.sum() == 2 * 3 * 5 * 4 * 6
    with pytest.raises(DataError, match="'length'"):
        capture_onnx(model, batch=3)


def test_views_constants_and_shapes_have_no_node():
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Transpose", ["w"], ["turned"]),
        helper.make_node("MatMul", ["x", "turned"], ["h"]),
        helper.make_node("Reshape", ["h", "shape"], ["seen"]),
        helper.make_node("Relu", ["seen"], ["y"]),
    ]
    graph = capture_onnx(model_of(nodes, {"x": [4, 4]}, weights={"w": floats(4, 4)}))
    assert [graph.op_names[op] for op in graph.op] == ["input", "parameter", "matmul", "relu"]
    assert graph.edges.tolist() == [[0, 2], [1, 2], [2, 3]]
    assert graph.traffic_bytes.tolist() == [0, 0, 3 * 64, 2 * 64]


@pytest.mark.parametrize(
    ("node", "inputs", "weights", "flops"),
    [
        (("Gemm", {"transA": 1, "transB": 1}), {"a": [3, 2]}, {"b": floats(5, 3)}, 2 * 2 * 3 * 5),
        (
            ("Conv", {"group": 2, "strides": [2, 2]}),
            {"a": [1, 4, 7, 7]},
            {"b": floats(6, 2, 3, 3)},
            2 * 54 * 18,
        ),
        (("ConvTranspose", {}), {"a": [1, 4, 5, 5]}, {"b": floats(4, 3, 2, 2)}, 2 * 100 * 12),
        (
            ("LSTM", {"hidden_size": 5}),
            {"a": [7, 2, 3]},
            {"b": floats(1, 20, 3), "c": floats(1, 20, 5)},
            2 * 14 * 160,
        ),
        (("Einsum", {"equation": "bik, bkj->bij"}), {"a": [2, 3, 4]}, {"b": floats(2, 4, 5)}, 2 * 120),
        (("Attention", {}), {"a": [2, 3, 5, 8], "b": [2, 3, 7, 8], "c": [2, 3, 7, 4]}, {}, 2 * 30 * 7 * 12),
        (("MatMul", {}), {"a": [2, 3, 4]}, {"b": floats(4, 5)}, 2 * 120),
    ],
)
def test_flops_match_closed_forms(node, inputs, weights, flops):
    operator, attributes = node
    made = helper.make_node(operator, [*inputs, *weights], ["y"], **attributes)
    assert capture_onnx(model_of([made], inputs, weights=weights)).flops.sum() == flops


def test_several_outputs_are_items_and_functions_are_inlined():
    inner = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 23)],
    )
    nodes = [
        helper.make_node("Split", ["x"], ["left", "right"], axis=1, num_outputs=2),
        helper.make_node("Twice", ["left"], ["more"], domain="own"),
        helper.make_node("Mul", ["more", "right"], ["y"]),
    ]
    graph = capture_onnx(model_of(nodes, {"x": [2, 6]}, functions=[inner]))
    assert [graph.op_names[op] for op in graph.op] == ["input", "split", "item", "item", "add", "multiply"]
    assert graph.groups.tolist() == [0, 1, 1, 1, 4, 5]


def test_an_inner_graph_needs_what_it_takes_from_outside():
    def branch(operator):
        made = helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])
        return helper.make_graph([helper.make_node(operator, ["h"], ["out"])], operator, [], [made])

    nodes = [
        helper.make_node("Relu", ["x"], ["h"]),
        helper.make_node("ReduceMax", ["x"], ["top"], keepdims=0),
        helper.make_node("Cast", ["top"], ["is_on"], to=TensorProto.BOOL),
        helper.make_node("If", ["is_on"], ["y"], then_branch=branch("Neg"), else_branch=branch("Exp")),
    ]
    graph = capture_onnx(model_of(nodes, {"x": [2]}))
    kind = [label.split("/")[0] for label in graph.labels]
    assert {kind[a] for a, b in graph.edges.tolist() if kind[b] == "If"} == {"Relu", "Cast"}


def test_shapes_that_depend_on_data_are_read_off_a_run():
    nodes = [
        helper.make_node("NonZero", ["x"], ["places"]),
        helper.make_node("Cast", ["places"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats"], ["y"], keepdims=0),
    ]
    graph = capture_onnx(model_of(nodes, {"x": [2, 3]}))
    # of zeros none is found
    assert graph.shapes[1].tolist() == [2, 0, 0, 0]


def test_what_is_no_model_is_refused_in_one_line(tmp_path):
    (tmp_path / "text.onnx").write_text("not a model at all, but long enough to look like something")
    (tmp_path / "empty.onnx").write_bytes(b"")
    node = helper.make_node("Unheard", ["x"], ["h"], domain="own")
    unknown = helper.make_node("Relu", ["h"], ["y"])
    (tmp_path / "own.onnx").write_bytes(model_of([node, unknown], {"x": [2]}, functions=()))
    for name, message in (
        ("text", "ONNX model"),
        ("empty", "has none"),
        ("none", "cannot read"),
        ("own", "domain own"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            capture_onnx(tmp_path / f"{name}.onnx")
        assert "\n" not in str(caught.value)
