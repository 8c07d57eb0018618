"""Plans drawn by lot, for tests in which any plan has to do."""

import numpy as np

from pomona.compile.placement.plan import Plan


def random_plan(graph, num_workers, *, seed=0):
    """Devices by lot, colocation groups kept together, priorities by lot, nothing fused."""
    generator = np.random.default_rng(seed)
    device = generator.integers(0, num_workers, graph.num_nodes)[graph.groups]
    return Plan(device, generator.standard_normal(graph.num_nodes), np.arange(graph.num_nodes))
