import numpy as np
import pytest
import torch

from pomona.compile.placement.capture.torch_module import capture_forward
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.graph_file import write_graph
from pomona.compile.placement.op_names import HEAVY
from pomona.compile.placement.subject import graph_of
from pomona.export.example import random_batch
from pomona.export.predictors.network import save_network
from pomona.foundation.errors import InputError
from pomona.foundation.randomness import stream
from pomona.networks.build import build
from pomona.networks.cost import flops
from pomona.networks.default import default_spec
from pomona.tasks import load_task

SOURCE = """
import torch
from pomona.compile.placement.families import FAMILIES

def module():
    return torch.nn.Linear(3, 4), (torch.zeros(2, 3),)

def by_name():
    return torch.nn.Linear(3, 4), {"input": torch.zeros(5, 3)}

def with_loss():
    return torch.nn.Linear(3, 4), (torch.zeros(2, 3),), lambda made: made.square().sum()

def graph():
    return FAMILIES["inception"](size=0.1)

def number():
    return 3
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_models.py").write_text(SOURCE)
    return tmp_path / "own_models.py"


def heavy_flops(graph):
    heavy = np.isin(graph.op, [graph.op_names.index(op) for op in HEAVY if op in graph.op_names])
    return graph.flops[heavy].sum()


def test_families_and_graph_files_are_subjects(tmp_path):
    graph = graph_of("inception", size=0.1)
    assert graph.num_nodes == FAMILIES["inception"](size=0.1).num_nodes
    write_graph(graph, tmp_path / "graph.npz")
    assert np.array_equal(graph_of(str(tmp_path / "graph.npz")).edges, graph.edges)


def test_functions_give_modules_and_graphs(source):
    assert graph_of(f"{source}:by_name").flops.sum() == 2 * 5 * 3 * 4
    assert graph_of("own_models:graph").name == "inception-32"
    # backward has the product for the weight; the input wants no gradient
    training = graph_of("own_models:module", training=True)
    matmul = training.op == training.op_names.index("matmul")
    assert training.flops[matmul].tolist() == [48, 48]
    assert "weight/update" in training.labels
    assert "power" in graph_of("own_models:with_loss", training=True).op_names


@pytest.mark.parametrize(
    ("subject", "settings", "message"),
    [
        ("gnmt-9", {}, "did you mean 'gnmt-8'"),
        ("inception", {"size": 0.0}, "size should be"),
        ("inception", {"batch": 0}, "batch should be"),
        ("own_models:number", {}, "returned int"),
        ("own_models:modul", {}, "did you mean 'module'"),
        ("no_models:module", {}, "cannot import 'no_models'"),
        ("own_models.py", {}, "wanted a family"),
        (".", {}, "no artifact"),
        ("some/where", {}, "wanted a family"),
        ("none.onnx", {}, "cannot read none.onnx"),
        ("none.onnx", {"training": True}, "leave out training"),
        ("none.npz", {}, "cannot read the graph"),
    ],
)
def test_what_is_no_subject_is_refused_in_one_line(source, subject, settings, message):
    with pytest.raises(InputError) as caught:
        graph_of(subject, **settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "shapes", "tagged-words", "small-grammar", "seasonal-series"])
def test_networks_of_the_house_have_the_flops_that_their_specs_say(name):
    task = load_task(name)
    spec = default_spec(task)
    example = random_batch(task.inputs, 1, generator=stream(0, "example"))
    inputs = {key: torch.as_tensor(array) for key, array in example.items()}
    graph = capture_forward(build(spec, 0), (inputs,)).graph
    assert heavy_flops(graph) == flops(spec)


def test_artifacts_are_subjects_that_predict_or_learn(tmp_path):
    task = load_task("iris")
    spec = default_spec(task)
    folder = save_network(tmp_path / "artifact", task, spec, build(spec, 0).state_dict())
    predicting = graph_of(str(folder), batch=5)
    assert heavy_flops(predicting) == 5 * flops(spec)
    assert "update" not in predicting.op_names
    learning = graph_of(str(folder), training=True, batch=5)
    # the first layer's input wants no gradient, so backward is a little less than twice forward
    assert 0.95 * 15 * flops(spec) < heavy_flops(learning) < 15 * flops(spec)
    assert "update" in learning.op_names
