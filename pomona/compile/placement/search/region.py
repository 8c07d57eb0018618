"""Connected parts of a graph that grow from a node along large outputs: pieces of every size and shape."""

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled


@compiled
def region(tables, device, seed, size, draws):
    """Up to `size` nodes around `seed` on its device; of two drawn neighbours the one read most comes next.

    `draws` are uniform in [0, 1), two for each node.
    """
    num_nodes = device.size
    is_seen = np.zeros(num_nodes, np.bool_)
    edge_nodes, edge_bytes = np.empty(num_nodes, np.int32), np.empty(num_nodes)
    taken = np.empty(size, np.int32)
    edge_nodes[0], edge_bytes[0], num_edge, num_taken = seed, 0.0, 1, 0
    is_seen[seed] = True
    while num_edge > 0 and num_taken < size:
        at = int(draws[2 * num_taken] * num_edge)
        other = int(draws[2 * num_taken + 1] * num_edge)
        if edge_bytes[other] > edge_bytes[at]:
            at = other
        node = edge_nodes[at]
        num_edge -= 1
        edge_nodes[at], edge_bytes[at] = edge_nodes[num_edge], edge_bytes[num_edge]
        taken[num_taken] = node
        num_taken += 1
        for side in range(2):
            starts = tables.out_starts if side == 0 else tables.in_starts
            for index in range(starts[node], starts[node + 1]):
                near = tables.target[index] if side == 0 else tables.source[tables.in_edges[index]]
                if not is_seen[near] and device[near] == device[seed]:
                    is_seen[near] = True
                    edge_nodes[num_edge] = near
                    edge_bytes[num_edge] = tables.output_bytes[node if side == 0 else near]
                    num_edge += 1
    return taken[:num_taken]
