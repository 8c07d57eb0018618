"""The graph that a user names: a family, a graph file, a model, a function."""

from pathlib import Path

from pomona.compile.placement.graph import Graph
from pomona.foundation.errors import unknown_name


def graph_of(subject: str) -> Graph:
    """The Graph for `subject`: a family such as "gnmt-8" or a graph file (.json, .npz)."""
    from pomona.compile.placement.families import FAMILIES
    from pomona.compile.placement.graph_file import read_graph

    if subject in FAMILIES:
        return FAMILIES[subject]()
    path = Path(subject)
    if path.suffix in (".json", ".npz"):
        return read_graph(path)
    raise unknown_name("graph", subject, FAMILIES)
