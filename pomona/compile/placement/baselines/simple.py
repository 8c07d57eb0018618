"""What needs no cleverness: one device, every device in turn."""

import numpy as np

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem


def single(problem: Problem, generator: np.random.Generator) -> Plan:
    """Everything on the device on which that is fastest; what it has no room for goes elsewhere."""
    device = int(np.argmin(problem.run_us.sum(axis=1)))
    return finished(problem, [np.full(problem.graph.num_nodes, device, np.int32)])


def round_robin(problem: Problem, generator: np.random.Generator) -> Plan:
    """Colocation groups on each device in turn, in program order."""
    _, group = np.unique(problem.graph.groups, return_inverse=True)
    return finished(problem, [(group % problem.num_devices).astype(np.int32)])
