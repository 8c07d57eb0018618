"""The chain of units and transfers that fills a step, each begun as the one before ended."""

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled


@compiled
def critical_chain(trace):
    """(units, transfers) on the chain, from the end of the step to its begin."""
    num_nodes = trace.unit_cause.size
    units = np.empty(num_nodes, np.int32)
    transfers = np.empty(trace.transfer_cause.size, np.int32)
    num_units = num_transfers = 0
    at = _last(trace)
    while at >= 0:
        if at < num_nodes:
            units[num_units] = at
            num_units += 1
            at = trace.unit_cause[at]
        else:
            transfers[num_transfers] = at - num_nodes
            num_transfers += 1
            at = trace.transfer_cause[at - num_nodes]
    return units[:num_units], transfers[:num_transfers]


@compiled
def _last(trace):
    # the unit or transfer that ends last
    last, end = -1, -1.0
    for unit in range(trace.unit_end.size):
        if trace.unit_end[unit] > end:
            last, end = unit, trace.unit_end[unit]
    for one in range(trace.transfer_end.size):
        if trace.transfer_end[one] > end:
            last, end = trace.unit_cause.size + one, trace.transfer_end[one]
    return last
