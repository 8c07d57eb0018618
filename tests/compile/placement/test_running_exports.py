"""Plans in the words of torch's pipelining and of accelerate, checked with real modules."""

import numpy as np
import pytest
import torch
from torch import nn

from pomona.compile.placement.capture.torch_module import capture_forward
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import problem_of
from pomona.compile.placement.running.device_map import device_map
from pomona.compile.placement.running.split_points import balanced_split_points, split_points
from pomona.foundation.errors import InputError, SettingError


class Model(nn.Module):
    """Parts in a list, one of them larger, a weight of the model's own, and a head."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 8)) for width in (16, 16, 64, 16)
        )
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = x * self.scale
        for layer in self.layers:
            x = x + layer(x)
        return self.head(x)


@pytest.fixture(scope="module")
def captured():
    module = Model().eval()
    x = torch.randn(4, 8)
    return module, x, capture_forward(module, (x,)).graph


def plan_of(graph, device_by_name):
    """A plan that puts whole modules, by the beginnings of labels, on devices."""
    device = np.zeros(graph.num_nodes, np.int32)
    for name, number in device_by_name.items():
        for node, label in enumerate(graph.labels):
            if label == name or label.startswith(f"{name}/"):
                device[node] = number
    return Plan(device, np.zeros(graph.num_nodes), np.arange(graph.num_nodes))


def device_of(found, name):
    """What accelerate makes of a device map: the longest name that is a beginning of a weight's."""
    best = max((key for key in found if not key or name == key or name.startswith(f"{key}.")), key=len)
    return found[best]


def test_the_split_of_a_pipeline_plan_is_accepted_by_torch_and_computes_the_same(captured):
    from torch.distributed.pipelining import SplitPoint, pipeline

    module, x, graph = captured
    plan = plan_of(graph, {"layers/2": 1, "layers/3": 2, "head": 2})
    split = split_points(module, graph, plan)
    assert split.names == ("layers.2", "layers.3")
    assert split.devices == (0, 1, 2)
    # what adds a part to its residual stands in no part
    assert split.agreement > 0.9
    pipe = pipeline(module, mb_args=(x,), split_spec=dict.fromkeys(split.names, SplitPoint.BEGINNING))
    assert pipe.num_stages == 3
    value = x
    for place in range(3):
        stage = pipe.get_stage_module(place)
        value = stage(*value) if isinstance(value, tuple) else stage(value)
    torch.testing.assert_close(value, module(x))


def test_stages_follow_the_order_of_execution_whatever_the_devices_are_called(captured):
    module, _, graph = captured
    split = split_points(module, graph, plan_of(graph, {"": 1, **{f"layers/{k}": 1 for k in (0, 1, 2)}}))
    assert split.devices == (1, 0)
    assert split.names == ("layers.3",)


def test_a_plan_that_is_no_pipeline_gets_the_split_that_agrees_most(captured):
    module, _, graph = captured
    split = split_points(module, graph, plan_of(graph, {"layers/1": 1, "layers/3": 1, "head": 1}))
    assert split.devices == (0, 1)
    assert split.names == ("layers.3",)
    assert 0.5 < split.agreement < 1


def test_a_balanced_split_is_the_best_of_all(captured):
    module, _, graph = captured
    problem = problem_of(graph, machine_of("cpu-2"))
    split = balanced_split_points(module, problem, 2)
    starts = {f"layers.{k}": f"layers/{k}/" for k in range(4)} | {"head": "head/"}
    nodes = [node for node in range(graph.num_nodes) if not graph.is_stored[node]]

    def slowest(name):
        first = next(k for k in nodes if graph.labels[k].startswith(starts[name]))
        before, after = [k for k in nodes if k < first], [k for k in nodes if k >= first]
        crossing = {a for a, b in graph.edges if a in before and b in after}
        sent = problem.transfer_us(0, 1, sum(graph.output_bytes[k] for k in crossing))
        return max(problem.run_us[0][before].sum(), problem.run_us[0][after].sum()) + sent

    (name,) = split.names
    assert slowest(name) == pytest.approx(min(map(slowest, starts)))
    with pytest.raises(SettingError, match="99 stages are wanted"):
        balanced_split_points(module, problem, 99)


def test_a_device_map_covers_every_weight_in_few_names(captured):
    module, _, graph = captured
    plan = plan_of(graph, {"layers/2": 1, "layers/3": 1, "head": 1})
    found = device_map(module, graph, plan, devices=("cuda:0", "cpu"))
    assert found == {
        "scale": "cuda:0",
        "layers.0": "cuda:0",
        "layers.1": "cuda:0",
        "layers.2": "cpu",
        "layers.3": "cpu",
        "head": "cpu",
    }
    names = {name for name, _ in module.named_modules()} | {name for name, _ in module.named_parameters()}
    assert found.keys() <= names
    for name in module.state_dict():
        want = "cpu" if name.startswith(("layers.2", "layers.3", "head")) else "cuda:0"
        assert device_of(found, name) == want


def test_a_device_map_of_one_device_is_one_entry(captured):
    module, _, graph = captured
    assert device_map(module, graph, plan_of(graph, {})) == {"": 0}


def test_a_split_inside_a_part_is_told_by_its_parts(captured):
    module, _, graph = captured
    found = device_map(module, graph, plan_of(graph, {"layers/2/2": 1}))
    assert found["layers.2.0"] == 0
    assert found["layers.2.2"] == 1
    assert found["layers.0"] == 0
    assert all(device_of(found, name) == int(name.startswith("layers.2.2")) for name in module.state_dict())


def test_what_does_not_belong_together_is_refused(captured):
    module, _, graph = captured
    plan = plan_of(graph, {"head": 1})
    with pytest.raises(InputError, match="2 devices, 1 names are given"):
        device_map(module, graph, plan, devices=("cpu",))
    with pytest.raises(InputError, match="captured from the module"):
        device_map(nn.Sequential(nn.Linear(2, 2)), graph, plan)
    short = Plan(plan.device[1:], plan.priority[1:], plan.cluster[1:])
    with pytest.raises(InputError, match="give the plan's graph"):
        device_map(module, graph, short)
