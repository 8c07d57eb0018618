import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pomona.compile.placement.capture.onnx_file import capture_onnx
from pomona.compile.placement.capture.torch_flops import plain_kernels
from pomona.compile.placement.capture.torch_module import capture_forward, capture_training
from pomona.compile.placement.op_names import HEAVY
from pomona.foundation.errors import InputError


class Convolving(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, groups=1)
        self.norm = nn.GroupNorm(2, 8)
        self.second = nn.Conv2d(8, 6, (1, 3), groups=2, bias=False)
        self.out = nn.Linear(6, 5)

    def forward(self, x):
        x = self.second(torch.relu(self.norm(self.first(x))))
        return self.out(x.mean((2, 3)))


class Attending(nn.Module):
    """Every kind of weight once: a table that is tied, a recurrent layer, attention of a split product."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 8)
        self.memory = nn.LSTM(8, 8, batch_first=True)
        self.project = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)

    def forward(self, tokens):
        x, _ = self.memory(self.table(tokens))
        query, key, value = self.project(x).chunk(3, -1)
        x = self.norm(x + torch.softmax(query @ key.transpose(1, 2), -1) @ value)
        return x @ self.table.weight.t()


CASES = {
    "convolving": (Convolving, lambda: torch.randn(2, 3, 9, 11)),
    "attending": (Attending, lambda: torch.arange(4).reshape(2, 2)),
}


def heavy_flops(graph):
    is_heavy = np.isin(graph.op, [graph.op_names.index(name) for name in HEAVY if name in graph.op_names])
    return graph.flops[is_heavy].sum()


def by_label(graph):
    return {label: node for node, label in enumerate(graph.labels)}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    make, example = CASES[request.param]
    module = make()
    return module, example(), capture_forward(module, (example(),)), capture_training(module, (example(),))


def test_flops_are_those_of_torchs_counter(case):
    module, example, forward, training = case
    with plain_kernels():
        with FlopCounterMode(display=False) as once:
            made = module(example)
        with FlopCounterMode(display=False) as back:
            made.mean().backward()
    assert heavy_flops(forward.graph) == once.get_total_flops()
    assert heavy_flops(training.graph) == once.get_total_flops() + back.get_total_flops()


def test_weights_are_stored_and_each_is_updated_beside_its_place(case):
    module, _, forward, training = case
    sizes = {name.replace(".", "/"): weight.numel() * 4 for name, weight in module.named_parameters()}
    for captured in (forward, training):
        nodes = by_label(captured.graph)
        assert {name: captured.graph.output_bytes[nodes[name]] for name in sizes} == sizes
        assert all(captured.graph.is_stored[nodes[name]] for name in sizes)
    nodes, graph = by_label(training.graph), training.graph
    for name, size_bytes in sizes.items():
        update = nodes[f"{name}/update"]
        assert graph.groups[update] == graph.groups[nodes[name]]
        assert graph.resident_bytes[nodes[name]] == 2 * size_bytes


def test_a_tiny_network_is_as_counted_by_hand():
    class Tiny(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 6))

        def forward(self, x):
            left, right = torch.relu(x @ self.weight.view(4, 6)).chunk(2, -1)
            return left * right.sum(-1, keepdim=True)

    graph = capture_forward(Tiny(), (torch.ones(5, 4),)).graph
    assert [graph.op_names[op] for op in graph.op] == [
        *("parameter", "input", "matmul", "relu", "sum", "multiply")
    ]
    # views are their sources, and cost nothing
    assert graph.edges.tolist() == [[0, 2], [1, 2], [2, 3], [3, 4], [3, 5], [4, 5]]
    assert graph.flops.tolist() == [0, 0, 2 * 5 * 4 * 6, 30, 15, 15]
    assert graph.output_bytes.tolist() == [96, 80, 120, 120, 20, 60]
    assert graph.traffic_bytes.tolist() == [0, 0, 96 + 80 + 120, 240, 60 + 20, 60 + 20 + 60]
    assert graph.shapes[4].tolist() == [5, 1, 0, 0]


def test_labels_are_paths_and_backward_nodes_stand_beside_their_module(case):
    module, _, _, training = case
    graph = training.graph
    heavy = [label for label, op in zip(graph.labels, graph.op, strict=True) if graph.op_names[op] in HEAVY]
    if isinstance(module, Convolving):
        assert heavy == [
            *("first/convolution", "second/convolution", "out/addmm"),
            *("out/gradient/mm", "out/gradient/mm.1"),
            *("second/gradient/convolution_backward", "first/gradient/convolution_backward"),
        ]
    else:
        assert {label.split("/")[0] for label in heavy if "/gradient/" in label} == {"memory", "project"}


def test_several_outputs_are_items_of_one_group():
    class Norm(nn.Module):
        def forward(self, x):
            mean, variance = torch.ops.aten.var_mean.correction(x, [1])
            return mean * variance

    graph = capture_forward(Norm(), (torch.ones(3, 4),)).graph
    assert [graph.op_names[op] for op in graph.op] == ["input", "mean", "item", "item", "multiply"]
    assert graph.groups.tolist() == [0, 1, 1, 1, 4]
    assert graph.output_bytes.tolist() == [48, 0, 12, 12, 12]
    assert graph.is_free.tolist() == [True, False, True, True, False]


def test_every_fx_node_is_found_again(case):
    _, _, forward, training = case
    for captured in (forward, training):
        for node in captured.module.graph.nodes:
            if node.op == "call_function" and isinstance(node.meta.get("val"), torch.Tensor):
                assert 0 <= captured.node_of[node.name] < captured.graph.num_nodes


def test_the_loss_may_be_given_and_frozen_weights_have_no_update():
    def loss(made):
        return torch.nn.functional.cross_entropy(made, torch.tensor([1, 2]))

    module = Convolving()
    module.first.requires_grad_(False)
    graph = capture_training(module, (torch.randn(2, 3, 9, 11),), loss=loss).graph
    assert "loss_backward" in graph.op_names
    assert "second/weight/update" in graph.labels
    assert "first/weight/update" not in graph.labels


def test_what_cannot_be_captured_is_refused_in_one_line():
    class Asking(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    class Counting(nn.Module):
        def forward(self, x):
            return x.long()

    with pytest.raises(InputError, match="can capture was wanted, Asking is not") as caught:
        capture_forward(Asking(), (torch.ones(2),))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="an output of floats"):
        capture_training(Counting(), (torch.ones(2),))
    with pytest.raises(InputError, match="loss has gradients"):
        capture_training(nn.Flatten(), (torch.ones(2, 3),))


@pytest.mark.slow
def test_an_export_to_onnx_has_the_work_of_the_module(tmp_path):
    module, example = Convolving().eval(), torch.randn(2, 3, 9, 11)
    path = tmp_path / "model.onnx"
    torch.onnx.export(module, (example,), path, dynamo=True, verbose=False)
    ours, theirs = capture_onnx(path), capture_forward(module, (example,)).graph
    assert heavy_flops(ours) == heavy_flops(theirs)
    stored = [graph.output_bytes[graph.is_stored].sum() for graph in (ours, theirs)]
    # the exporter writes a group norm with other constants
    assert stored[0] == pytest.approx(stored[1], rel=0.1)


def test_onnx_and_torch_agree_on_the_work_of_one_network():
    def node(operator, *names, **attributes):
        return helper.make_node(operator, list(names[:-1]), [names[-1]], **attributes)

    module, example = Convolving(), torch.randn(2, 3, 9, 11)
    weights = {name: weight.detach().numpy() for name, weight in module.named_parameters()}
    graph = helper.make_graph(
        [
            node("Conv", "x", "first.weight", "first.bias", "a", strides=[2, 2]),
            node("Relu", "a", "b"),
            node("Conv", "b", "second.weight", "c", group=2),
            node("GlobalAveragePool", "c", "d"),
            node("Flatten", "d", "e"),
            node("Gemm", "e", "out.weight", "out.bias", "y", transB=1),
        ],
        "convolving",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(example.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    ours, theirs = capture_onnx(model.SerializeToString()), capture_forward(module, (example,)).graph
    assert heavy_flops(ours) == heavy_flops(theirs)
    for op in ("convolution", "matmul"):
        bytes_of = [
            graph.output_bytes[graph.op == graph.op_names.index(op)].tolist() for graph in (ours, theirs)
        ]
        assert bytes_of[0] == bytes_of[1]
