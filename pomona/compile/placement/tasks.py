"""A graph in coarse pieces that can be ordered like nodes: what methods work on that would drown in nodes."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import compiled_play


@dataclass(frozen=True, eq=False)
class Tasks:
    """Tasks are numbered in an order in which they can run."""

    of: Int32[np.ndarray, " node"]
    run_us: Float64[np.ndarray, "device task"]
    kept_bytes: Float64[np.ndarray, " task"]
    """Stored and resident data and all outputs: more than the task ever needs at once."""
    team: Int32[np.ndarray, " task"]
    """Tasks that share a colocation group, and so a device, have one number, that of the first."""

    @property
    def num_tasks(self) -> int:
        return self.run_us.shape[1]


def tasks_of(problem: Problem, most_tasks: int) -> Tasks:
    """About `most_tasks` tasks of at most three times the mean work, fewer when the graph is smaller.

    The largest outputs are kept within tasks first; then neighbours in the order are joined. Stored data is
    in the task that reads it first. Deterministic.
    """
    compiled_play()
    from pomona.compile.placement.simulator.merging import merged
    from pomona.compile.placement.simulator.tables import tables_of

    graph, tables = problem.graph, tables_of(problem)
    num_nodes = graph.num_nodes
    work = problem.run_us.mean(axis=0)
    most_work = 3 * work.sum() / most_tasks
    if num_nodes > most_tasks:
        nowhere, light = np.zeros(num_nodes, np.int32), np.zeros(num_nodes, np.bool_)
        priority = np.array(graph.output_bytes)
        of, position = merged(tables, nowhere, priority, work + most_work / 1000, most_work, light)
        of = _joined(of, position, work, most_tasks)
    else:
        of = np.arange(num_nodes)
    of = _with_first_reader(problem, of)
    _, of = np.unique(of, return_inverse=True)
    return _tasks(problem, of.astype(np.int32))


def _joined(of: np.ndarray, position: np.ndarray, work: np.ndarray, most_tasks: int) -> np.ndarray:
    # clusters that follow each other in the order can be joined without a cycle, up to equal shares of work
    clusters = np.unique(of)
    in_order = clusters[np.argsort(position[clusters])]
    rank = np.empty(len(of), np.int64)
    rank[in_order] = np.arange(len(in_order))
    rank = rank[of]
    if len(in_order) <= most_tasks:
        return rank
    load = np.bincount(rank, work, len(in_order)) + 1e-3 * work.sum() / len(in_order)
    share = load.sum() / most_tasks
    ends = np.cumsum(load)
    return np.floor((ends - 0.5 * load) / share).astype(np.int64)[rank]


def _with_first_reader(problem: Problem, of: np.ndarray) -> np.ndarray:
    # what waits for nothing can join any reader; the first keeps the order as it is
    result = of.copy()
    consumers = problem.consumers_of
    for node in np.flatnonzero(problem.graph.is_stored & (np.diff(consumers.starts) > 0)).tolist():
        result[node] = of[consumers.of(node)].min()
    return result


def _tasks(problem: Problem, of: Int32[np.ndarray, " node"]) -> Tasks:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph, num_tasks = problem.graph, int(of.max()) + 1
    kept = graph.resident_bytes + graph.output_bytes
    links = coo_array((np.ones(len(of)), (of, of[graph.groups])), shape=(num_tasks, num_tasks))
    _, component = connected_components(links, directed=False)
    _, first = np.unique(component, return_index=True)
    return Tasks(
        of,
        np.stack([np.bincount(of, row, num_tasks) for row in problem.run_us]),
        np.bincount(of, kept, num_tasks),
        first[component].astype(np.int32),
    )
