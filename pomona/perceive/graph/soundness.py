"""Whether a graph can run: every edge has one maker, stages get what they take, nothing is idle."""

from collections import Counter
from graphlib import CycleError, TopologicalSorter

from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.parameters import check_parameters
from pomona.perceive.graph.stage import Graph, Stage


def check(graph: Graph) -> None:
    """Raises GraphError, naming stage and edge, unless the graph can run.

    Wrong are: a name given twice, an edge that nobody makes or that two make, a circle, a stage or an input
    that nobody uses, and a parameter that is missing, unknown or of a type that its edge cannot have.
    """
    if not graph.stages:
        raise GraphError("a graph needs at least one stage, got none")
    for stage in graph.stages:
        _check_stage(stage)
    _check_names(graph)
    makers = _makers(graph)
    _check_inputs(graph, makers)
    _check_circles(graph, makers)
    _check_use(graph)
    edges = graph.edges()
    for stage in graph.stages:
        check_parameters(stage, edges)


def _check_stage(stage: Stage) -> None:
    if isinstance(stage.inputs, str):
        raise GraphError(
            f"stage {stage.name!r}: inputs must be a tuple of edges, got the text {stage.inputs!r}; "
            f"write ({stage.inputs!r},)"
        )
    if not callable(stage.function):
        raise GraphError(f"stage {stage.name!r}: function must be callable, got {stage.function!r}")
    if stage.state is not None and not callable(stage.state):
        raise GraphError(f"stage {stage.name!r}: state must be a function that makes it, got {stage.state!r}")
    if stage.at_once < 1:
        raise GraphError(f"stage {stage.name!r}: at_once must be at least 1, got {stage.at_once}")
    if stage.state is not None and stage.at_once > 1:
        raise GraphError(
            f"stage {stage.name!r} has state and so takes one frame at a time, got at_once={stage.at_once}"
        )


def _check_names(graph: Graph) -> None:
    for kind, names in (("stage", [stage.name for stage in graph.stages]), ("output", graph.outputs)):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise GraphError(f"each {kind} needs a name of its own, got {twice[0]!r} twice")


def _makers(graph: Graph) -> dict[str, Stage | None]:
    # None is the maker of the graph's inputs
    makers: dict[str, Stage | None] = dict.fromkeys(graph.inputs)
    for stage in graph.stages:
        for edge in stage.outputs:
            if edge in makers:
                other = makers[edge]
                first = "the graph's inputs" if other is None else f"stage {other.name!r}"
                raise GraphError(f"edge {edge!r} must have one maker, got {first} and stage {stage.name!r}")
            makers[edge] = stage
    return makers


def _check_inputs(graph: Graph, makers: dict[str, Stage | None]) -> None:
    known = ", ".join(map(str, makers))
    for stage in graph.stages:
        for edge in stage.arguments.values():
            if edge not in makers:
                raise GraphError(
                    f"stage {stage.name!r} takes edge {edge!r}, which nobody makes; known: {known}"
                )
    for edge in graph.outputs:
        if edge not in makers:
            raise GraphError(f"the graph's output {edge!r} is an edge that nobody makes; known: {known}")
    if not graph.outputs:
        raise GraphError(f"a graph needs at least one output, got none; known edges: {known}")


def _check_circles(graph: Graph, makers: dict[str, Stage | None]) -> None:
    order: TopologicalSorter[str] = TopologicalSorter()
    for stage in graph.stages:
        sources = [makers[edge] for edge in stage.arguments.values()]
        order.add(stage.name, *(source.name for source in sources if source is not None))
    try:
        order.prepare()
    except CycleError as error:
        raise GraphError(f"stages wait for each other in a circle: {' → '.join(error.args[1])}") from None


def _check_use(graph: Graph) -> None:
    used = {edge for stage in graph.stages for edge in stage.arguments.values()} | set(graph.outputs)
    for edge in graph.inputs:
        if edge not in used:
            raise GraphError(f"the graph's input {edge!r} is used by no stage: take it out")
    for stage in graph.stages:
        if not used & set(stage.outputs):
            made = ", ".join(stage.outputs) or "nothing"
            raise GraphError(
                f"stage {stage.name!r} makes {made}, which no stage and no output uses: take it out"
            )
