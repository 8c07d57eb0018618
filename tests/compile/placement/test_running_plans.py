"""Plans on real workers: what comes out, in which order it ran, and what happens when a worker is killed."""

import os
import signal

import numpy as np
import pytest
import torch
from random_plan import random_plan
from torch import nn

from pomona.compile.placement.capture.torch_module import captured_program, export_program
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.placed import Placed
from pomona.compile.placement.running.programs import programs_of
from pomona.compile.placement.running.shared_values import SharedTensors
from pomona.foundation.errors import DataError, InputError, PomonaError, SettingError
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.tasks.feature import Feature


class Wired(nn.Module):
    """Views of one value read in several places, a tuple taken apart, outputs of which one views an input."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)

    def forward(self, x, pair):
        a, b = self.linear(x).chunk(2, dim=1)
        values, places = torch.sort(a + pair["y"], dim=1)
        return {"sum": values + b.t().t() * 2, "places": places, "view": x.t()}


def encoder():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), (torch.randn(2, 3, 16),)


def network():
    """A small network of the house: an image, residual blocks in channels-last memory, a head."""
    blocks = (
        Block("stem", "convolution", {"width": 8}, ("image",)),
        Block("residual", "inverted_residual", {"width": 8}, ("stem",)),
        Block("vector", "global_pool", {}, ("residual",)),
        Block("head", "dense", {"width": 3}, ("vector",)),
    )
    spec = Spec({"image": Feature("image", "image", (3, 8, 8))}, blocks, {"label": "head"})
    return build(spec, 0), ({"image": torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)},)


SUBJECTS = {
    "wired": lambda: (Wired(), (torch.randn(4, 6), {"y": torch.randn(4, 3)})),
    "encoder": encoder,
    "network": network,
}


@pytest.fixture(scope="module")
def programs():
    """Name → module, inputs, exported program and its graph, each made once."""
    made = {}

    def of(name):
        if name not in made:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                module, args = SUBJECTS[name]()
            program = export_program(module.eval(), args)
            made[name] = module, args, program, captured_program(program, name).graph
        return made[name]

    return of


def assert_same(found, want):
    torch.testing.assert_close(found, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("num_workers", [2, 3])
@pytest.mark.parametrize("name", SUBJECTS)
def test_processes_compute_what_the_module_does(programs, name, num_workers):
    module, args, program, graph = programs(name)
    with Placed(program, args, random_plan(graph, num_workers), num_workers=num_workers) as placed:
        for inputs in (args, torch.utils._pytree.tree_map(lambda one: one.flip(0), args)):
            with torch.no_grad():
                assert_same(placed(*inputs), module(*inputs))
        assert sum(map(len, placed.workers.ran)) > num_workers


@pytest.mark.parametrize("name", SUBJECTS)
def test_threads_with_devices_compute_what_the_module_does(programs, name):
    module, args, program, graph = programs(name)
    with Placed(program, args, random_plan(graph, 3, seed=1), devices=("cpu",) * 3) as placed:
        for _ in range(2):
            with torch.no_grad():
                assert_same(placed(*args), module(*args))


def test_a_worker_runs_what_is_ready_in_order_of_priority(programs):
    _, args, program, graph = programs("wired")
    plan = random_plan(graph, 1, seed=2)
    for order in (plan.priority, -plan.priority):
        with Placed(program, args, Plan(plan.device, order, plan.cluster)) as placed:
            placed(*args)
            (ran,) = placed.workers.ran
        assert list(ran) == listed(graph, order, set(ran))


def listed(graph, priority, units):
    """List scheduling on one worker: of the ready nodes always the one with the highest priority."""
    sources = {unit: {int(a) for a, b in graph.edges if b == unit} & units for unit in units}
    order = []
    while len(order) < len(units):
        ready = [unit for unit in units - set(order) if sources[unit] <= set(order)]
        order.append(max(ready, key=lambda unit: (priority[unit], -unit)))
    return order


def test_fused_clusters_run_in_one_go(programs):
    module, args, program, graph = programs("encoder")
    # neighbours in topological order never wait for each other in a circle
    clusters = np.arange(graph.num_nodes) // 4 * 4
    plan = Plan((clusters // 4) % 2, random_plan(graph, 2).priority, clusters)
    with Placed(program, args, plan) as placed:
        with torch.no_grad():
            assert_same(placed(*args), module(*args))
        assert sum(map(len, placed.workers.ran)) < graph.num_nodes - graph.is_stored.sum()


def test_a_value_crosses_once_for_each_worker_that_reads_it(programs):
    _, _, program, graph = programs("encoder")
    captured = captured_program(program, "encoder")
    alone = programs_of(captured, random_plan(graph, 1), 2)
    assert set(alone.crossing.values()) == {(2,)}  # the output, to the owner
    plan = random_plan(graph, 2)
    apart = programs_of(captured, plan, 2)
    readers = {
        (int(a), int(plan.device[b]))
        for a, b in graph.edges
        if plan.device[a] != plan.device[b] and not graph.is_stored[a]
    }
    assert sum(len([to for to in places if to < 2]) for places in apart.crossing.values()) == len(readers)


def test_a_killed_worker_is_named_in_one_line(programs):
    _, args, program, graph = programs("wired")
    placed = Placed(program, args, random_plan(graph, 2), num_workers=2)
    os.kill(placed.workers.process_ids[1], signal.SIGKILL)
    with pytest.raises(PomonaError) as error:
        placed(*args)
    assert str(error.value) == "worker 2 of 2 was ended by signal 9 (SIGKILL): make the workers again"
    with pytest.raises(PomonaError, match="have ended"):
        placed(*args)


def test_what_does_not_fit_is_refused(programs):
    _, args, program, graph = programs("wired")
    plan = random_plan(graph, 2)
    short = Plan(plan.device[1:], plan.priority[1:], plan.cluster[1:])
    with pytest.raises(InputError, match="use a plan that was made for this module"):
        Placed(program, args, short)
    with pytest.raises(InputError, match="names device 1, there are 1 workers"):
        Placed(program, args, plan, num_workers=1)
    with pytest.raises(SettingError, match="the plan has 2 devices, 1 are given"):
        Placed(program, args, plan, num_workers=2, devices=("cpu",))
    with pytest.raises(SettingError, match="no device 'somewhere'"):
        Placed(program, args, plan, devices=("cpu", "somewhere"))
    with Placed(program, args, plan, devices=("cpu", "cpu")) as placed:
        with pytest.raises(DataError, match=r"'x' was placed as float32 of shape \(4, 6\), got"):
            placed(torch.zeros(3, 6), args[1])
        with pytest.raises(DataError, match="arranged in another way"):
            placed(args[0])


def test_clusters_that_wait_for_each_other_are_refused(programs):
    _, _, program, graph = programs("encoder")
    cluster = np.arange(graph.num_nodes)
    chain = np.flatnonzero(~graph.is_stored)
    cluster[chain[2]] = chain[0]
    plan = Plan(np.zeros(graph.num_nodes), np.zeros(graph.num_nodes), cluster)
    with pytest.raises(InputError, match="wait for each other in a circle"):
        programs_of(captured_program(program, "encoder"), plan, 1)


def test_operations_in_place_are_refused():
    class Changing(nn.Module):
        def forward(self, x):
            return torch.relu_(x + 1) * 2

    captured = captured_program(torch.export.export(Changing(), (torch.ones(2),)), "changing")
    with pytest.raises(InputError, match="change nothing in place"):
        programs_of(captured, random_plan(captured.graph, 1), 1)


def test_shared_tensors_keep_layouts_and_lie_apart():
    examples = {
        "rows": torch.zeros(3, 4),
        "last": torch.zeros(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        "none": torch.zeros(0, 2),
        "flag": torch.zeros((), dtype=torch.bool),
        "half": torch.zeros(5, dtype=torch.bfloat16),
    }
    shared = SharedTensors(examples).tensors
    for place, name in enumerate(examples):
        shared[name].fill_(place)
    for place, (name, example) in enumerate(examples.items()):
        assert (shared[name].shape, shared[name].stride(), shared[name].dtype) == (
            example.shape,
            example.stride(),
            example.dtype,
        )
        assert (shared[name] == shared[name].new_full((), place)).all()
