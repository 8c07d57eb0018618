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
    in the task that reads it first, and what updates the stored data of one task is one task more: joined to
    others it would tie all of them to one device. Deterministic.
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
        # an item can always join what makes it: it waits for nothing else
        of = np.where(tables.item_of >= 0, of[tables.item_of], of)
        last = _updates(problem, of)
        of = _joined(of, position, np.where(last < 0, work, 0.0), most_tasks)
        of = _with_updates(problem, of, last)
    else:
        of = _with_first_reader(problem, np.arange(num_nodes), np.ones(num_nodes, np.bool_))
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


def _updates(problem: Problem, of: np.ndarray) -> np.ndarray:
    """The colocation group of each node that only updates its stored data, else -1.

    A cluster that nobody reads and that updates one group counts as a whole.
    """
    graph = problem.graph
    num_nodes, group = graph.num_nodes, graph.groups.astype(np.int64)
    has_stored = np.zeros(group.max() + 1, np.bool_)
    has_stored[group[graph.is_stored]] = True
    is_update = has_stored[group] & ~graph.is_stored & (np.diff(problem.consumers_of.starts) == 0)
    result = np.where(is_update, group, -1)
    source, target = of[graph.edges[:, 0]], of[graph.edges[:, 1]]
    is_read = np.zeros(num_nodes, np.bool_)
    is_read[source[source != target]] = True
    pairs = np.unique(np.stack([of[is_update], group[is_update]], axis=1), axis=0)
    num_groups = np.bincount(pairs[:, 0], minlength=num_nodes)
    of_cluster = np.full(num_nodes, -1, np.int64)
    of_cluster[pairs[:, 0]] = pairs[:, 1]
    is_whole = (num_groups == 1) & ~is_read
    return np.where(is_whole[of] & ~graph.is_stored, of_cluster[of], result)


def _with_updates(problem: Problem, of: np.ndarray, update: np.ndarray) -> np.ndarray:
    # updates come last, those of one task's stored data together
    graph, num_nodes = problem.graph, problem.graph.num_nodes
    of = _with_first_reader(problem, of, update < 0)
    keeper = np.full(int(graph.groups.max()) + 1, -1, np.int64)
    stored = np.flatnonzero(graph.is_stored)[::-1]
    keeper[graph.groups[stored]] = of[stored]
    return np.where(update >= 0, num_nodes + keeper[np.maximum(update, 0)], of)


def _with_first_reader(problem: Problem, of: np.ndarray, counts: np.ndarray) -> np.ndarray:
    # what waits for nothing can join any reader; the first that counts keeps the order as it is
    result = of.copy()
    consumers = problem.consumers_of
    for node in np.flatnonzero(problem.graph.is_stored & (np.diff(consumers.starts) > 0)).tolist():
        readers = consumers.of(node)
        readers = readers[counts[readers]]
        if len(readers):
            result[node] = of[readers].min()
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
