"""What runs as one, how long that takes and what it writes to memory; and which transfers a plan needs.

A cluster's time is the larger of its calculation (each member with its own efficiency) and its remaining
traffic, plus one launch. A member's read of what the same cluster makes is dropped; its write is dropped too
when nobody outside reads it, directly or through views. Stored data is always read.
"""

from typing import NamedTuple

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled


class Units(NamedTuple):
    """Units are numbered by their least member."""

    unit_of: np.ndarray  # node
    member_starts: np.ndarray  # node + 1
    members: np.ndarray
    run_us: np.ndarray  # unit
    is_free: np.ndarray  # unit: takes no time and waits for no device
    urgency: np.ndarray  # unit: less is first; the highest priority of its members, negated
    own_bytes: np.ndarray  # node: memory that its output takes where it was made
    start_bytes: np.ndarray  # node: memory that is taken as it starts: its output and its items


class Transfers(NamedTuple):
    """One for each node and other device that reads it, in the order of nodes, then devices."""

    of_edge: np.ndarray  # edge: its transfer, -1 when both ends share a device
    node: np.ndarray
    to: np.ndarray
    link: np.ndarray
    uses: np.ndarray  # reads of the copy
    link_starts: np.ndarray  # link + 1: room for the queues of each link


@compiled
def units_of(tables, device, priority, cluster):
    """The units of a plan whose clusters share a device each."""
    num_nodes = device.size
    starts = np.zeros(num_nodes + 1, np.int32)
    run_us = np.zeros(num_nodes)
    is_free = np.ones(num_nodes, np.bool_)
    urgency = np.full(num_nodes, np.inf)
    is_fused = False
    for node in range(num_nodes):
        unit = cluster[node]
        starts[unit + 1] += 1
        is_fused |= unit != node
        run_us[unit] = tables.run_us[device[node], node]
        is_free[unit] &= tables.is_free[node]
        urgency[unit] = min(urgency[unit], -priority[node])
    for node in range(num_nodes):
        starts[node + 1] += starts[node]
    members = np.empty(num_nodes, np.int32)
    filled = starts[:-1].copy()
    for node in range(num_nodes):
        members[filled[cluster[node]]] = node
        filled[cluster[node]] += 1
    own_bytes = np.where(tables.is_view, 0.0, tables.output_bytes)
    if is_fused:
        escapes = _escapes(tables, cluster)
        for unit in range(num_nodes):
            if starts[unit + 1] - starts[unit] > 1:
                some = members[starts[unit] : starts[unit + 1]]
                run_us[unit] = _fused_us(tables, device[unit], some, cluster, escapes)
                for node in some:
                    maker = tables.item_of[node]
                    if not escapes[node] and (maker < 0 or cluster[maker] == unit):
                        own_bytes[node] = 0.0
    start_bytes = own_bytes.copy()
    for node in range(num_nodes):
        if tables.item_of[node] >= 0:
            start_bytes[tables.item_of[node]] += own_bytes[node]
            start_bytes[node] -= own_bytes[node]
    return Units(cluster, starts, members, run_us, is_free, urgency, own_bytes, start_bytes)


@compiled
def transfers_of(tables, device):
    """The transfers that a placement needs."""
    num_devices = tables.routes.shape[0]
    num_edges = tables.source.size
    of_edge = np.full(num_edges, -1, np.int32)
    reads = np.zeros(num_devices, np.int32)
    number = np.empty(num_devices, np.int32)
    node_of, to = np.empty(num_edges, np.int32), np.empty(num_edges, np.int32)
    link, uses = np.empty(num_edges, np.int32), np.empty(num_edges, np.int32)
    link_starts = np.zeros(tables.latency_us.size + 1, np.int32)
    count = 0
    for node in range(device.size):
        begin, end, home = tables.out_starts[node], tables.out_starts[node + 1], device[node]
        num_away = 0
        for edge in range(begin, end):
            reader = device[tables.target[edge]]
            if reader != home:
                reads[reader] += 1
                num_away += 1
        if num_away == 0:
            continue
        for other in range(num_devices):
            if reads[other] > 0:
                node_of[count], to[count], uses[count] = node, other, reads[other]
                link[count] = tables.routes[home, other]
                link_starts[link[count] + 1] += 1
                number[other] = count
                reads[other] = 0
                count += 1
        for edge in range(begin, end):
            reader = device[tables.target[edge]]
            if reader != home:
                of_edge[edge] = number[reader]
    for one in range(link_starts.size - 1):
        link_starts[one + 1] += link_starts[one]
    return Transfers(of_edge, node_of[:count], to[:count], link[:count], uses[:count], link_starts)


@compiled
def _escapes(tables, cluster):
    # needed outside its cluster: as a result, by another cluster, or through a view that is
    escapes = np.zeros(cluster.size, np.bool_)
    for node in range(cluster.size - 1, -1, -1):
        begin, end = tables.out_starts[node], tables.out_starts[node + 1]
        needed = begin == end
        for edge in range(begin, end):
            reader = tables.target[edge]
            looks = tables.is_view[reader] or tables.item_of[reader] == node
            if cluster[reader] != cluster[node] or (looks and escapes[reader]):
                needed = True
                break
        escapes[node] = needed
    return escapes


@compiled
def _fused_us(tables, device, members, cluster, escapes):
    calculate_us, traffic, runs = 0.0, 0.0, False
    for node in members:
        if tables.is_free[node]:
            continue
        runs = True
        calculate_us += tables.calculate_us[device, node]
        left = tables.traffic_bytes[node]
        for at in range(tables.in_starts[node], tables.in_starts[node + 1]):
            source = tables.source[tables.in_edges[at]]
            if cluster[source] == cluster[node] and _is_made_inside(tables, source, cluster):
                left -= tables.output_bytes[source]
        if not escapes[node]:
            left -= tables.output_bytes[node]
        for edge in range(tables.out_starts[node], tables.out_starts[node + 1]):
            reader = tables.target[edge]
            if tables.item_of[reader] == node and cluster[reader] == cluster[node] and not escapes[reader]:
                left -= tables.output_bytes[reader]
        traffic += max(left, 0.0)
    if not runs:
        return 0.0
    return max(calculate_us, traffic / tables.bytes_per_us[device]) + tables.launch_us[device]


@compiled
def _is_made_inside(tables, node, cluster):
    # a view or item looks at its first source; those of stored or outside data are still read from memory
    at = node
    while tables.is_view[at] or tables.item_of[at] >= 0:
        source = tables.source[tables.in_edges[tables.in_starts[at]]]
        if cluster[source] != cluster[node]:
            return False
        at = source
    return not tables.is_stored[at]
