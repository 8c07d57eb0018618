"""A graph made ready to run: stages by index, who waits for whom, and what each call must give."""

from dataclasses import dataclass
from typing import Any

from pomona.perceive.graph.edge_types import classes, type_name
from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.packet import Packet
from pomona.perceive.graph.soundness import check
from pomona.perceive.graph.stage import Graph, Stage


@dataclass(frozen=True)
class Step:
    """A stage and its place among the others."""

    stage: Stage
    arguments: tuple[tuple[str, str], ...]  # parameter, edge
    edges: frozenset[str]  # what it must make
    kinds: tuple[tuple[str, tuple[type, ...], str], ...]  # edge, the classes it may have, the type as written
    producers: frozenset[int]
    consumers: tuple[int, ...]
    upstream: frozenset[int]  # itself and all that must run before it

    def call(self, values: dict[str, Any], state: Any) -> tuple[dict[str, Any], Any]:
        """What the stage makes of the edges' values, and its next state. TypeError for a wrong answer."""
        given = {parameter: values[edge] for parameter, edge in self.arguments}
        if self.stage.state is None:
            made = self.stage.function(**given)
        else:
            answer = self.stage.function(**given, state=state)
            if type(answer) is not tuple or len(answer) != 2:
                raise TypeError(f"must return (outputs, state), got {type(answer).__name__}")
            made, state = answer
        if not isinstance(made, dict) or made.keys() != self.edges:
            got = ", ".join(map(str, made)) or "none" if isinstance(made, dict) else type(made).__name__
            raise TypeError(f"must return a dict of {', '.join(sorted(self.edges))}; got {got}")
        for edge, kinds, name in self.kinds:
            if not isinstance(made[edge], kinds):
                raise TypeError(f"edge {edge!r} must be {name}, got {type(made[edge]).__name__}")
        return made, state


@dataclass(frozen=True)
class Plan:
    """The steps of a checked graph, in its order."""

    graph: Graph
    steps: tuple[Step, ...]

    def check_packet(self, packet: Packet) -> None:
        """Raises GraphError unless the packet has a value for each input of the graph and no more."""
        if packet.values.keys() != self.graph.inputs.keys():
            raise GraphError(
                f"frame {packet.frame} must bring {', '.join(self.graph.inputs) or 'nothing'}, "
                f"got {', '.join(packet.values) or 'nothing'}"
            )


def make_plan(graph: Graph) -> Plan:
    """The plan of a graph. Raises GraphError when it cannot run."""
    check(graph)
    maker = {edge: index for index, stage in enumerate(graph.stages) for edge in stage.outputs}
    producers = [
        frozenset(maker[edge] for edge in stage.arguments.values() if edge in maker) for stage in graph.stages
    ]
    steps = []
    for index, stage in enumerate(graph.stages):
        kinds = [(edge, classes(type_), type_name(type_)) for edge, type_ in stage.outputs.items()]
        steps.append(
            Step(
                stage=stage,
                arguments=tuple(stage.arguments.items()),
                edges=frozenset(stage.outputs),
                kinds=tuple((edge, known, name) for edge, known, name in kinds if known is not None),
                producers=producers[index],
                consumers=tuple(other for other, sources in enumerate(producers) if index in sources),
                upstream=_upstream(index, producers),
            )
        )
    return Plan(graph, tuple(steps))


def _upstream(index: int, producers: list[frozenset[int]]) -> frozenset[int]:
    return frozenset({index}).union(*(_upstream(source, producers) for source in producers[index]))
