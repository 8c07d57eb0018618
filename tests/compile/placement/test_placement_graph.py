from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.compile.placement.graph import Graph, ordered
from pomona.compile.placement.graph_file import read_graph, write_graph
from pomona.compile.placement.machine.presets import one_bus
from pomona.compile.placement.machine.subject import machine_of
from pomona.compile.placement.plan import Plan, check_plan, default_plan, read_plan, write_plan
from pomona.compile.placement.problem import problem_of
from pomona.foundation.errors import DataError, InputError

FIELDS = [field.name for field in fields(Graph) if field.name not in ("name", "op_names", "labels")]


def small(edges, num=4, **fields):
    ops = fields.pop("ops", ["matmul", "add", "add", "relu", "relu", "sum"][:num])
    costs = {"flops": np.arange(num) * 0.1 + 1, "traffic_bytes": [8.0] * num, "output_bytes": [4.0] * num}
    return ordered("small", ops, [f"n{i}" for i in range(num)], edges=edges, **{**costs, **fields})


@st.composite
def shuffled_graphs(draw):
    num = draw(st.integers(1, 8))
    rank = draw(st.permutations(range(num)))
    pairs = draw(st.lists(st.tuples(st.integers(0, num - 1), st.integers(0, num - 1)), max_size=16))
    return num, [(a, b) for a, b in pairs if rank[a] < rank[b]]


@settings(max_examples=40, deadline=None)
@given(shuffled_graphs())
def test_ordering_keeps_every_edge_and_every_node(case):
    num, edges = case
    graph = small(edges, num, ops=["add"] * num, flops=np.arange(1.0, num + 1))
    named = {(graph.labels[a], graph.labels[b]) for a, b in graph.edges.tolist()}
    assert named == {(f"n{a}", f"n{b}") for a, b in edges}
    assert np.all(graph.edges[:, 0] < graph.edges[:, 1])
    assert {label: flops for label, flops in zip(graph.labels, graph.flops, strict=True)} == {
        f"n{i}": i + 1.0 for i in range(num)
    }


@settings(max_examples=40, deadline=None)
@given(shuffled_graphs(), st.integers(0, 7), st.integers(0, 7))
def test_an_edge_back_along_a_path_is_refused_and_named(case, start, end):
    num, edges = case
    start, end = start % num, end % num
    reached = {start}
    for _ in range(num):
        reached |= {b for a, b in edges if a in reached}
    closes = end in reached
    if not closes:
        small([*edges, (end, start)], num, ops=["add"] * num, flops=[1.0] * num)
        return
    with pytest.raises(InputError, match="needs its own output"):
        small([*edges, (end, start)], num, ops=["add"] * num, flops=[1.0] * num)


def test_nodes_in_order_stay_where_they_were():
    assert small([(0, 2), (1, 2), (2, 3), (0, 2)]).labels == ("n0", "n1", "n2", "n3")
    assert small([(0, 2), (1, 2), (2, 3), (0, 2)]).num_edges == 3


def test_group_numbers_are_those_of_their_first_nodes():
    graph = small([], groups=[-1, 7, -1, 7])
    assert graph.groups.tolist() == [0, 1, 2, 1]


def test_labels_that_occur_again_are_numbered_without_a_clash():
    graph = ordered(
        "g",
        ["add"] * 4,
        ["a", "a.1", "a", "a"],
        edges=[],
        flops=[0] * 4,
        traffic_bytes=[0] * 4,
        output_bytes=[0] * 4,
    )
    assert graph.labels == ("a", "a.1", "a.2", "a.3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flops": [1, np.nan, 1, 1]}, "flops of 'n1'"),
        ({"output_bytes": [1, 1, 1, -2]}, "output_bytes of 'n3'"),
        ({"is_stored": [False, True, False, False]}, "'n1' is stored"),
        ({"edges": [(0, 4)]}, "not one of the 4 nodes"),
        ({"flops": [1, 1, 1, 1], "traffic_bytes": [[1, 1, 1, 1]] * 4}, "traffic_bytes of graph"),
    ],
)
def test_what_makes_no_graph_is_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message) as caught:
        small(**{"edges": [(0, 1), (1, 2)], **change})
    assert "\n" not in str(caught.value)


def test_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        small([]).flops[0] = 3


@pytest.mark.parametrize("suffix", ["json", "npz"])
@pytest.mark.parametrize("edges", [[], [(0, 1), (1, 3)]])
def test_files_give_the_same_graph_back(tmp_path, suffix, edges):
    graph = small(edges, shapes=[(2, 3), (), (1, 2, 3, 4, 5), (7,)], groups=[1, 1, -1, -1])
    path = tmp_path / f"graph.{suffix}"
    write_graph(graph, path)
    again = read_graph(path)
    assert (again.name, again.op_names, again.labels) == (graph.name, graph.op_names, graph.labels)
    for field in FIELDS:
        kept, given = getattr(again, field), getattr(graph, field)
        assert kept.dtype == given.dtype
        assert np.array_equal(kept, given)


def test_files_that_are_no_graphs_are_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.npz").write_bytes(b"nothing")
    (tmp_path / "d.json").write_text('{"format": "pomona-graph", "version": 1, "name": "x"}')
    for name in ("a.json", "b.json", "c.npz", "d.json", "none.json"):
        with pytest.raises(DataError, match=name[0]):
            read_graph(tmp_path / name)
    with pytest.raises(DataError, match="rename"):
        write_graph(small([]), tmp_path / "graph.txt")


def test_run_times_follow_the_roofline():
    graph = small([(0, 1)], flops=[14e6, 0, 0, 7], traffic_bytes=[0, 9e6, 0, 9e2])
    run_us = problem_of(graph, machine_of("2")).run_us
    # 14 TFLOP/s and 900 GB/s with a launch of 5 us; a free node costs nothing
    assert np.allclose(run_us, [[1 + 5, 10 + 5, 0, 1e-3 + 5]] * 2)


def test_neighbours_are_the_edges():
    problem = problem_of(small([(0, 2), (1, 2), (0, 3), (2, 3)]), one_bus(3))
    assert [problem.sources_of.of(i).tolist() for i in range(4)] == [[], [], [0, 1], [0, 2]]
    assert [problem.consumers_of.of(i).tolist() for i in range(4)] == [[2, 3], [2], [3], []]
    assert problem.transfer_us(0, 2, 12e3) == pytest.approx(11)
    assert problem.transfer_us(1, 1, 12e3) == 0


def test_plans_survive_their_files_and_are_checked(tmp_path):
    problem = problem_of(small([(0, 1)], groups=[-1, 2, 2, -1]), machine_of("2"))
    plan = default_plan(problem, np.array([0, 1, 1, 0]))
    write_plan(plan, tmp_path / "plan.json")
    again = read_plan(tmp_path / "plan.json")
    for field in ("device", "priority", "cluster"):
        assert np.array_equal(getattr(again, field), getattr(plan, field))
    check_plan(again, problem)
    for device, message in (
        ([0, 1, 0, 0], "must stay together"),
        ([0, 2, 2, 0], "device 2"),
        ([0], "4 nodes"),
    ):
        with pytest.raises(InputError, match=message):
            check_plan(default_plan(problem, np.array(device)) if len(device) > 1 else short(), problem)
    with pytest.raises(InputError, match="fused cluster"):
        check_plan(Plan(plan.device, plan.priority, np.array([0, 0, 2, 3])), problem)
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(DataError, match="should be a plan"):
        read_plan(tmp_path / "x.json")


def short():
    return Plan(np.zeros(1), np.zeros(1), np.zeros(1))


def test_graphs_are_graphs():
    assert isinstance(small([]), Graph)
    assert "4 nodes" in repr(small([]))
