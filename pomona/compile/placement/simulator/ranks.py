"""How long the rest of a step still takes after each node: the priority that most schedulers start from."""

import numpy as np
from jaxtyping import Float64, Int

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.compiling import compiled


def upward_rank(
    problem: Problem, device: Int[np.ndarray, " node"] | None = None
) -> Float64[np.ndarray, " node"]:
    """The longest way from the begin of each node to the end of the step, in microseconds, links never busy.

    With `device` for that placement: times there, and transfers only between devices. Without it the mean
    over devices and over their links, the rank of HEFT (Topcuoglu, Hariri, Wu 2002).
    """
    from pomona.compile.placement.simulator.tables import tables_of

    tables = tables_of(problem)
    size = tables.output_bytes[tables.source]
    if device is None:
        run_us, move_us = tables.run_us.mean(axis=0), np.zeros(len(size))
        used = tables.routes[tables.routes >= 0]
        if len(used):
            # a node's mean over all pairs of devices, of which those within a device cost nothing
            share = len(used) / tables.routes.size
            move_us = share * (
                tables.latency_us[used].mean() + size * (1.0 / tables.link_bytes_per_us[used]).mean()
            )
    else:
        place = np.asarray(device)
        run_us = tables.run_us[place, np.arange(len(place))]
        link = tables.routes[place[tables.source], place[tables.target]]
        move_us = np.zeros(len(size))
        away = link >= 0
        move_us[away] = tables.latency_us[link[away]] + size[away] / tables.link_bytes_per_us[link[away]]
    return longest_to_end(tables.out_starts, tables.target, run_us, move_us)


@compiled
def longest_to_end(out_starts, target, node_cost, edge_cost):
    """The largest sum of costs on any way from each node, itself included, to the end."""
    rank = np.zeros(node_cost.size)
    for node in range(node_cost.size - 1, -1, -1):
        longest = 0.0
        for edge in range(out_starts[node], out_starts[node + 1]):
            longest = max(longest, edge_cost[edge] + rank[target[edge]])
        rank[node] = node_cost[node] + longest
    return rank
