import itertools

import numpy as np
import onnx
import pytest
from pipeline_models import entries, skipping_model

from pomona.compile.pipeline.chain import read_chain, whole_model
from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.traced import trace
from pomona.foundation.errors import ArtifactError


@pytest.fixture(scope="module")
def traced():
    return trace(read_chain(skipping_model()), entries(1)[0])


def run_parts(traced, places, entry):
    """The outputs of parts that run one after the other, each given nothing but what crosses its cut."""
    chain, live = traced.chain, dict(entry)
    for start, end in itertools.pairwise(places):
        session = PartSession(chain.part_model(start, end, traced.tensors))
        made = session.run({name: live[name] for name in session.inputs})
        live = {name: made.get(name, live.get(name)) for name in chain.live[end]}
    return live


def test_parts_of_every_cut_compute_what_the_whole_does(traced):
    entry = entries(2)[1]
    want = PartSession(skipping_model()).run(entry)
    for place in range(1, len(traced.chain.nodes)):
        found = run_parts(traced, (0, place, len(traced.chain.nodes)), entry)
        assert found.keys() == want.keys()
        for name, array in want.items():
            np.testing.assert_array_equal(found[name], array)


def test_a_model_of_one_node_a_part_computes_the_same(traced):
    entry = entries(3)[2]
    found = run_parts(traced, range(len(traced.chain.nodes) + 1), entry)
    for name, array in PartSession(skipping_model()).run(entry).items():
        np.testing.assert_array_equal(found[name], array)


def test_what_crosses_is_what_is_made_before_and_read_after(traced):
    chain = traced.chain
    for place, live in enumerate(chain.live):
        before = set(chain.inputs) | {name for node in chain.nodes[:place] for name in node.output}
        after = {name for node in chain.nodes[place:] for name in node.input} | set(chain.outputs)
        assert set(live) == before & after
        assert len(live) == len(set(live))


def test_nodes_that_read_no_input_are_in_every_part_that_needs_them(traced):
    chain = traced.chain
    assert {"half", "minus_half"} <= set(chain.constants)
    place = next(k for k, node in enumerate(chain.nodes) if node.op_type == "Mul")
    names = {
        node.op_type
        for node in onnx.load_from_string(chain.part_model(place, place + 1, traced.tensors)).graph.node
    }
    assert names == {"Constant", "Neg", "Mul"}


def test_no_cut_stands_before_what_is_done_with_the_node_before_it(traced):
    kinds = [traced.chain.nodes[place].op_type for place in traced.places[1:-1]]
    assert "Relu" not in kinds
    assert traced.places[0] == 0
    assert traced.places[-1] == len(traced.chain.nodes)


def test_a_branch_that_reads_outside_tensors_carries_them(traced):
    helper = onnx.helper
    info = helper.make_tensor_value_info
    branch = helper.make_graph([helper.make_node("Add", ["p", "x"], ["t"])], "b", [], [info("t", 1, [2])])
    nodes = [
        helper.make_node("Neg", ["x"], ["p"]),
        helper.make_node("Greater", ["p", "x"], ["g"]),
        helper.make_node("ReduceMax", ["gi"], ["c1"], keepdims=0),
    ]
    nodes[2:] = [
        helper.make_node("Cast", ["g"], ["gi"], to=6),
        helper.make_node("ReduceMax", ["gi"], ["c1"], keepdims=0),
        helper.make_node("Cast", ["c1"], ["c"], to=9),
        helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
    ]
    graph = helper.make_graph(nodes, "g", [info("x", 1, [2])], [info("y", 1, [2])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    entry = {"x": np.array([-1, 2], np.float32)}
    branched = trace(read_chain(model.SerializeToString()), entry)
    assert {"p", "x", "c"} == set(branched.chain.live[5])
    np.testing.assert_array_equal(run_parts(branched, (0, 2, 5, 6), entry)["y"], [0, 0])


def test_weights_in_files_beside_the_model_are_read(tmp_path):
    path, content = tmp_path / "model.onnx", skipping_model()
    onnx.save(onnx.load_from_string(content), path, save_as_external_data=True, size_threshold=0)
    assert len(path.read_bytes()) < len(content)
    (entry,) = entries(1)
    for name, array in PartSession(content).run(entry).items():
        np.testing.assert_array_equal(PartSession(whole_model(path)).run(entry)[name], array)
    next(one for one in tmp_path.iterdir() if one != path).unlink()
    with pytest.raises(ArtifactError, match="cannot read"):
        whole_model(path)


def test_what_is_no_model_is_refused_in_one_line():
    with pytest.raises(ArtifactError, match="cannot read these bytes as an ONNX model"):
        read_chain(b"no model")
    with pytest.raises(ArtifactError, match="no nodes"):
        read_chain(onnx.ModelProto().SerializeToString())
