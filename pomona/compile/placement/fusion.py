"""Fusion: which neighbouring operations run as one, decided by a priority for each node.

Nodes are taken in order of their fusion priority, the highest first. Each producer's cluster is merged with
the clusters of its consumers, in program order, wherever the rules allow:

- both are on one device, neither is stored data, and not more than 64 nodes come together;
- at most one heavy operation (matrix units: products, convolutions, recurrences, attention) is among them;
- no way leads out of the merged cluster and back into it, so that clusters can still be ordered; the two
  are at most 1,024 clusters apart in that order.

A node with a negative priority is not merged with its consumers. Free nodes (views) merge like others and
cost nothing, so they block nothing.
"""

import numpy as np
from jaxtyping import Float, Int, Int32

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import compiled_play
from pomona.foundation.errors import InputError

MOST_MEMBERS = 64
"""Nodes in a cluster."""


def fuse(
    problem: Problem, device: Int[np.ndarray, " node"], fusion_priority: Float[np.ndarray, " node"]
) -> Int32[np.ndarray, " node"]:
    """Clusters, numbered by their least node. Ties of priority go in program order.

    Deterministic. Raises InputError where a priority or device is missing.
    """
    num_nodes = problem.graph.num_nodes
    if np.shape(device) != (num_nodes,) or np.shape(fusion_priority) != (num_nodes,):
        raise InputError(
            f"a device and a fusion priority for each of {num_nodes} nodes were wanted, got shapes "
            f"{np.shape(device)} and {np.shape(fusion_priority)}: give one number a node"
        )
    compiled_play()
    from pomona.compile.placement.simulator.merging import merged
    from pomona.compile.placement.simulator.tables import tables_of

    tables = tables_of(problem)
    priority, ones = np.array(fusion_priority, np.float64), np.ones(num_nodes)
    return merged(tables, np.array(device, np.int32), priority, ones, MOST_MEMBERS, tables.is_heavy)[0]
