"""Placement: where each operation of a graph runs, in which order, and what runs as one."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Graph": "graph",
        "ordered": "graph",
        "read_graph": "graph_file",
        "write_graph": "graph_file",
        "Machine": "machine.machine",
        "machine_of": "machine.subject",
        "Problem": "problem",
        "problem_of": "problem",
        "Plan": "plan",
        "default_plan": "plan",
        "Found": "plan",
    },
)
