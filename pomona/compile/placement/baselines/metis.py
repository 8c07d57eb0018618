"""The graph cut by METIS into parts of equal work with little between them (Karypis and Kumar 1998)."""

import numpy as np
from jaxtyping import Int32

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.foundation.errors import MissingExtraError

IMBALANCE_PER_MILLE = (30, 200, 500)
"""How much more than its share a part may have; all are tried."""
LARGEST_WEIGHT = 10_000


def metis(problem: Problem, generator: np.random.Generator) -> Plan:
    """The best of METIS's parts at several imbalances, with memory repaired and the better of two orders.

    Raises MissingExtraError without pymetis.
    """
    if problem.num_devices == 1:
        return finished(problem, [np.zeros(problem.graph.num_nodes, np.int32)])
    return finished(problem, [parts(problem, imbalance) for imbalance in IMBALANCE_PER_MILLE])


def parts(problem: Problem, imbalance_per_mille: int) -> Int32[np.ndarray, " node"]:
    """One part a device; colocation groups are one vertex, several readers of an output share its weight."""
    try:
        import pymetis
    except ModuleNotFoundError as error:
        raise MissingExtraError("pymetis", "compile") from error
    graph = problem.graph
    _, group = np.unique(graph.groups, return_inverse=True)
    num_groups = int(group.max()) + 1
    work = np.bincount(group, problem.run_us.mean(axis=0), num_groups)
    starts, neighbours, sizes = _adjacency(problem, group, num_groups)
    speed = 1.0 / np.maximum(problem.run_us.sum(axis=1), 1e-9)
    found = pymetis.part_graph(
        problem.num_devices,
        adjacency=pymetis.CSRAdjacency(adj_starts=starts, adjacent=neighbours),
        vweights=_whole(work),
        eweights=_whole(sizes) if len(sizes) else None,
        tpwgts=(speed / speed.sum()).tolist(),
        recursive=False,
        options=pymetis.Options(ufactor=imbalance_per_mille, seed=0),
    )
    return np.asarray(found.vertex_part, np.int32)[group]


def _adjacency(problem: Problem, group: np.ndarray, num_groups: int) -> tuple[np.ndarray, ...]:
    from scipy.sparse import coo_array

    source, target = problem.graph.edges[:, 0], problem.graph.edges[:, 1]
    readers = np.diff(problem.consumers_of.starts)
    size = problem.graph.output_bytes[source] / np.maximum(readers[source], 1) + 1.0
    a, b = group[source], group[target]
    away = a != b
    a, b, size = a[away], b[away], size[away]
    matrix = coo_array(
        (np.concatenate([size, size]), (np.concatenate([a, b]), np.concatenate([b, a]))),
        shape=(num_groups, num_groups),
    ).tocsr()
    matrix.sum_duplicates()
    return matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data


def _whole(values: np.ndarray) -> np.ndarray:
    # METIS counts in whole numbers; small ones keep their sums within 32 bits
    scale = LARGEST_WEIGHT / max(float(values.max()), 1e-12)
    return np.maximum(np.round(values * scale), 1).astype(np.int32)
