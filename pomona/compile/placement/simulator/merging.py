"""Merging of clusters while they stay without a cycle, by keeping an order of all clusters up to date.

Clusters hold positions in a topological order. One may be merged with another behind it when nothing between
the two is reached from the first and reaches the second; then that part alone is put in order again, as in
the incremental topological sort of Pearce and Kelly (2006).
"""

from typing import NamedTuple

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled, inlined

FURTHEST = 1024
"""Positions between two clusters that are still looked through; what is further apart is not merged."""


class _Clusters(NamedTuple):
    of: np.ndarray  # node: the least node of its cluster
    next_member: np.ndarray  # node: another of its cluster, -1 after the last
    last_member: np.ndarray  # cluster
    load: np.ndarray  # cluster
    is_heavy: np.ndarray  # cluster
    position: np.ndarray  # cluster
    at: np.ndarray  # position: its cluster, -1 for none
    seen: np.ndarray  # cluster: the search that met it last
    stack: np.ndarray
    later: np.ndarray


@compiled
def merged(tables, device, priority, load, most_load, is_heavy):
    """Clusters of at most `most_load` and one heavy node on one device, and a position for each in an order.

    Producers are taken by priority, the highest first, and merged with their consumers in program order.
    """
    num_nodes = device.size
    nodes = np.arange(num_nodes).astype(np.int32)
    clusters = _Clusters(
        nodes.copy(),
        np.full(num_nodes, -1, np.int32),
        nodes.copy(),
        load.copy(),
        is_heavy.copy(),
        nodes.copy(),
        nodes.copy(),
        np.full(num_nodes, -1, np.int64),
        np.empty(num_nodes, np.int32),
        np.empty(num_nodes, np.int32),
    )
    _merge_all(
        tables,
        device,
        priority,
        np.argsort(-priority, kind="mergesort"),
        most_load,
        clusters,
    )
    return clusters.of, clusters.position


@inlined
def _merge_all(tables, device, priority, order, most_load, clusters):
    search = 0
    for node in order:
        if priority[node] < 0:
            break
        if tables.is_stored[node]:
            continue
        for edge in range(tables.out_starts[node], tables.out_starts[node + 1]):
            first, second = clusters.of[node], clusters.of[tables.target[edge]]
            if (
                first == second
                or device[first] != device[second]
                or clusters.load[first] + clusters.load[second] > most_load
                or (clusters.is_heavy[first] and clusters.is_heavy[second])
                or clusters.position[second] - clusters.position[first] > FURTHEST
            ):
                continue
            search += 1
            if not _leads_around(tables, first, second, search, clusters):
                _join(first, second, search, clusters)


@inlined
def _leads_around(tables, first, second, search, clusters):
    # whether a way from the first reaches the second through a third; marks all that is reached before it
    clusters.stack[0] = first
    count = 1
    clusters.seen[first] = search
    end = clusters.position[second]
    while count > 0:
        count -= 1
        cluster = clusters.stack[count]
        member = cluster
        while member >= 0:
            for edge in range(tables.out_starts[member], tables.out_starts[member + 1]):
                reader = clusters.of[tables.target[edge]]
                if reader == second:
                    if cluster != first:
                        return True
                elif clusters.seen[reader] != search and clusters.position[reader] < end:
                    clusters.seen[reader] = search
                    clusters.stack[count] = reader
                    count += 1
            member = clusters.next_member[member]
    return False


@inlined
def _join(first, second, search, clusters):
    # what is reached from the merged cluster comes behind it, the rest of the part between before it
    begin, end = clusters.position[first], clusters.position[second]
    root, other = min(first, second), max(first, second)
    free, num_later = begin, 0
    for position in range(begin, end + 1):
        cluster = clusters.at[position]
        clusters.at[position] = -1
        if cluster < 0 or cluster in (first, second):
            continue
        if clusters.seen[cluster] == search:
            clusters.later[num_later] = cluster
            num_later += 1
        else:
            clusters.at[free] = cluster
            clusters.position[cluster] = free
            free += 1
    clusters.at[free] = root
    clusters.position[root] = free
    for index in range(num_later):
        clusters.at[free + 1 + index] = clusters.later[index]
        clusters.position[clusters.later[index]] = free + 1 + index
    clusters.next_member[clusters.last_member[root]] = other
    clusters.last_member[root] = clusters.last_member[other]
    clusters.load[root] += clusters.load[other]
    clusters.is_heavy[root] |= clusters.is_heavy[other]
    member = other
    while member >= 0:
        clusters.of[member] = root
        member = clusters.next_member[member]
