"""A graph that cannot run is refused before it runs, and the message names stage and edge."""

from functools import partial
from typing import Any, Literal

import numpy as np
import pytest
from jaxtyping import Float, Shaped, UInt8

from pomona.foundation.errors import InputError, PomonaError
from pomona.perceive.graph import Graph, GraphError, Packet, Runner, Stage, StageError, check
from pomona.perceive.graph.edge_types import classes, fits, type_name

Image = UInt8[np.ndarray, "height width 3"]
Points = Float[np.ndarray, "33 5"]


def _double(x: int):
    return {"y": 2 * x}


def _sum(y: int, more: int = 0):
    return {"z": y + more}


def _count(x: int, state: int):
    return {"y": x}, state + 1


DOUBLE = Stage("double", _double, ("x",), {"y": int})
SUM = Stage("sum", _sum, ("y",), {"z": int})


def _graph(*stages, inputs=None, outputs=("z",)):
    return Graph({"x": int} if inputs is None else inputs, stages, outputs)


def test_a_graph_that_can_run_is_let_through():
    check(_graph(DOUBLE, SUM))
    check(_graph(SUM, DOUBLE, outputs=("z", "y", "x")))
    check(_graph(Stage("count", _count, ("x",), {"y": int}, state=int), SUM))
    check(_graph(Stage("double", partial(_double), {"x": "x"}, {"y": int}), SUM))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (_graph(), "at least one stage"),
        (_graph(DOUBLE, outputs=()), "at least one output"),
        (_graph(DOUBLE, DOUBLE, SUM), "each stage needs a name of its own, got 'double' twice"),
        (_graph(DOUBLE, SUM, outputs=("z", "z")), "each output needs a name of its own, got 'z' twice"),
        (_graph(SUM, outputs=("z",)), "stage 'sum' takes edge 'y', which nobody makes; known: x, z"),
        (_graph(DOUBLE), "output 'z' is an edge that nobody makes; known: x, y"),
        (
            _graph(DOUBLE, Stage("again", _double, ("x",), {"y": int}), SUM),
            "edge 'y' must have one maker, got stage 'double' and stage 'again'",
        ),
        (
            _graph(DOUBLE, SUM, inputs={"x": int, "y": int}),
            "edge 'y' must have one maker, got the graph's inputs and stage 'double'",
        ),
        (
            _graph(Stage("double", _double, {"x": "z"}, {"y": int}), SUM, inputs={}),
            "in a circle: .*(double → sum → double|sum → double → sum)",
        ),
        (_graph(DOUBLE, SUM, inputs={"x": int, "w": int}), "input 'w' is used by no stage"),
        (
            _graph(DOUBLE, SUM, Stage("idle", _double, ("x",), {"w": int})),
            "stage 'idle' makes w, which no stage and no output uses",
        ),
        (
            _graph(Stage("double", _double, {"number": "x"}, {"y": int}), SUM),
            "stage 'double': its function has no parameter 'number' that can be given by name; it has: x",
        ),
        (
            _graph(DOUBLE, Stage("sum", lambda y, z: {}, ("y",), {"z": int})),
            "stage 'sum': nothing is given for the parameter 'z' of its function; it takes edges: y",
        ),
        (
            _graph(Stage("count", _count, ("x",), {"y": int}), SUM),
            "stage 'count': nothing is given for the parameter 'state'",
        ),
        (
            _graph(Stage("double", _double, ("x",), {"y": int}, state=int), SUM),
            "stage 'double': its function has no parameter 'state'",
        ),
        (
            _graph(Stage("double", _double, ("x",), {"y": str}), SUM),
            "stage 'sum': parameter 'y' wants int, got edge 'y' of type str",
        ),
        (_graph(Stage("double", _double, "x", {"y": int}), SUM), r"got the text 'x'; write \('x',\)"),
        (_graph(Stage("double", 3, ("x",), {"y": int}), SUM), "function must be callable, got 3"),
        (_graph(Stage("count", _count, ("x",), {"y": int}, state=0), SUM), "a function that makes it, got 0"),
        (_graph(Stage("double", _double, ("x",), {"y": int}, at_once=0), SUM), "at least 1, got 0"),
        (
            _graph(Stage("count", _count, ("x",), {"y": int}, state=int, at_once=2), SUM),
            "'count' has state and so takes one frame at a time, got at_once=2",
        ),
    ],
)
def test_a_wrong_graph_is_refused_by_name(graph, message):
    with pytest.raises(GraphError, match=message) as caught:
        check(graph)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, InputError)
    with pytest.raises(GraphError):
        Runner(graph, threads=1)


@pytest.mark.parametrize(
    ("made", "wanted", "expected"),
    [
        (int, int, True),
        (int, str, False),
        (bool, int, True),
        (int, float, True),
        (float, int, False),
        (int, int | None, True),
        (int | None, int, False),
        (int | str, int | str | None, True),
        (Any, int, True),
        (int, Any, True),
        (int, "Undefined", True),
        (None, int | None, True),
        (list[int], list[int], True),
        (list[int], list[str], False),
        (list[int], list, True),
        (list[int], tuple[int, ...], False),
        (Literal["a"], str, True),
        (Literal["a"], Literal["a", "b"], True),
        (Literal["c"], Literal["a", "b"], False),
        (str, Literal["a"], True),
        (int, Literal["a"], False),
        (Image, np.ndarray, True),
        (np.ndarray, Image, True),
        (Image, UInt8[np.ndarray, "h w 3"], True),
        (Image, UInt8[np.ndarray, "h w 4"], False),
        (Image, UInt8[np.ndarray, "h w"], False),
        (Image, UInt8[np.ndarray, "... 4"], True),
        (Image, Float[np.ndarray, "h w 3"], False),
        (Image, Shaped[np.ndarray, "h w 3"], True),
        (Points | None, Points, False),
        (Points, Points | None, True),
        (Points, list, False),
    ],
)
def test_types_fit_unless_they_certainly_cannot(made, wanted, expected):
    assert fits(made, wanted) is expected


@pytest.mark.parametrize(
    ("type_", "right", "wrong"),
    [
        (int, [3, True, np.int64(3)], [3.5, "3", None]),
        (float, [3.5, 3, np.float32(3)], ["3", None]),
        (int | None, [3, None], ["3"]),
        (Points | None, [np.zeros((33, 5)), None], [[1.0]]),
        (tuple[int, ...], [(1, 2), ("a",)], [[1]]),
        (Literal["a", "b"], ["a"], [1]),
        (None, [None], [0]),
    ],
)
def test_a_value_is_told_by_its_class(type_, right, wrong):
    known = classes(type_)
    assert known is not None
    assert all(isinstance(value, known) for value in right)
    assert not any(isinstance(value, known) for value in wrong)


@pytest.mark.parametrize("type_", [Any, object, "int", int | Any])
def test_of_some_types_nothing_can_be_told(type_):
    assert classes(type_) is None


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (tuple[int, ...], "tuple[int, …]"),
        (dict[str, list[float]], "dict[str, list[float]]"),
        (Image, "UInt8[height width 3]"),
        (Points | None, "Float[33 5] | None"),
        (Literal["a"], "Literal['a']"),
        (Any, "Any"),
    ],
)
def test_types_are_named_as_one_would_write_them(type_, name):
    assert type_name(type_) == name


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"y": "2"}, "edge 'y' must be int, got str"),
        ({}, "must return a dict of y; got none"),
        ({"y": 1, "w": 2}, "must return a dict of y; got y, w"),
        (None, "must return a dict of y; got NoneType"),
        (({"y": 1}, 0), "must return a dict of y; got tuple"),
    ],
)
def test_what_a_stage_makes_is_held_to_its_word(answer, message):
    graph = _graph(Stage("double", lambda x: answer, ("x",), {"y": int}), SUM)
    with Runner(graph, threads=1) as runner, pytest.raises(StageError, match=message) as caught:
        runner.once(Packet(4, 0.5, {"x": 1}))
    assert (caught.value.stage, caught.value.frame, caught.value.time_s) == ("double", 4, 0.5)


def test_a_stage_with_state_must_return_it():
    graph = _graph(Stage("count", lambda x, state: {"y": 1}, ("x",), {"y": int}, state=int), SUM)
    wanted = r"must return \(outputs, state\), got dict"
    with Runner(graph, threads=1) as runner, pytest.raises(StageError, match=wanted):
        runner.once(Packet(0, 0.0, {"x": 1}))


@pytest.mark.parametrize("values", [{}, {"image": 1}, {"x": 1, "image": 1}])
def test_a_packet_must_bring_the_inputs_and_no_more(values):
    with Runner(_graph(DOUBLE, SUM), threads=1) as runner:
        with pytest.raises(GraphError, match="frame 7 must bring x, got"):
            runner.once(Packet(7, 0.0, values))
        with pytest.raises(GraphError, match="frame 7 must bring x, got"):
            list(runner.files([Packet(7, 0.0, values)]))


def test_a_stage_error_keeps_its_cause_and_exits_as_it_would():
    import pickle

    error = StageError("pose", 12, 0.4, InputError("the model is not there"))
    assert str(error) == "stage 'pose' failed on frame 12 (0.400 s): InputError: the model is not there"
    assert error.exit_code == InputError.exit_code
    assert StageError("pose", 12, 0.4, ValueError()).exit_code == PomonaError.exit_code
    assert str(StageError("pose", 0, 0.0, ValueError())).endswith("ValueError")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.stage, again.frame) == (str(error), "pose", 12)


def test_the_traceback_of_a_failed_stage_leads_to_its_cause():
    def fail(x):
        raise ZeroDivisionError("no zero please")

    graph = _graph(Stage("double", fail, ("x",), {"y": int}), SUM)
    with Runner(graph, threads=2) as runner, pytest.raises(StageError) as caught:
        list(runner.files([Packet(0, 0.0, {"x": 0})]))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__traceback__ is not None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_stages_that_fail_the_first_in_the_graph_is_named(order):
    def fail(x):
        raise ValueError("no")

    stages = [Stage(name, fail, ("x",), {name: int}) for name in ("left", "right")]
    graph = Graph({"x": int}, tuple(stages[index] for index in order), ("left", "right"))
    with Runner(graph, threads=2) as runner, pytest.raises(StageError) as caught:
        runner.once(Packet(0, 0.0, {"x": 0}))
    assert caught.value.stage == graph.stages[0].name
