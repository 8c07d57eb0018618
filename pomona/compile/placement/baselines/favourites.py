"""Favourite children: for each task at most one reader that should follow it at once on its device.

The linear program of SCT (Hanen and Munier 1995) as Baechi states it: start times s, a number x in [0, 1]
for each edge (0: favourite), the least makespan w, with s_i + p_i + c_ij · x_ij <= s_j; every task has at
most one favourite child and is that of at most one source. An edge with x below one half is a favourite one.
"""

import numpy as np
from jaxtyping import Float64, Int, Int32


def favourite_children(
    run_us: Float64[np.ndarray, " task"],
    makers: Int[np.ndarray, " edge"],
    readers: Int[np.ndarray, " edge"],
    transfer_us: Float64[np.ndarray, " edge"],
) -> Int32[np.ndarray, " task"]:
    """The favourite child of each task, -1 for none. Of several after rounding the lowest number counts."""
    num_tasks, num_edges = len(run_us), len(makers)
    favourite = np.full(num_tasks, -1, np.int32)
    if num_edges == 0:
        return favourite
    kept = _relaxed(run_us, makers, readers, transfer_us)
    is_taken = np.zeros(num_tasks, np.bool_)
    for edge in np.argsort(kept, kind="stable").tolist():
        maker, reader = int(makers[edge]), int(readers[edge])
        if kept[edge] < 0.5 and favourite[maker] < 0 and not is_taken[reader]:
            favourite[maker] = reader
            is_taken[reader] = True
    return favourite


def _relaxed(
    run_us: np.ndarray, makers: np.ndarray, readers: np.ndarray, transfer_us: np.ndarray
) -> Float64[np.ndarray, " edge"]:
    # variables: x of the edges, s of the tasks, w
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    num_tasks, num_edges = len(run_us), len(makers)
    scale = max(run_us.sum(), 1e-9)
    edge, task = np.arange(num_edges), np.arange(num_tasks)
    end, one = num_edges + num_tasks, np.ones(num_edges)
    num_children = np.bincount(makers, minlength=num_tasks)
    num_sources = np.bincount(readers, minlength=num_tasks)
    after, last = num_edges, num_edges + num_tasks
    rows = [edge, edge, edge, after + task, after + task, last + makers, last + num_tasks + readers]
    columns = [edge, num_edges + makers, num_edges + readers, num_edges + task, np.full(num_tasks, end)]
    values = [transfer_us / scale, one, -one, np.ones(num_tasks), -np.ones(num_tasks), -one, -one]
    places = (np.concatenate(rows), np.concatenate([*columns, edge, edge]))
    limits = np.concatenate(
        [
            -run_us[makers] / scale,
            -run_us / scale,
            np.where(num_children > 0, 1.0 - num_children, 0.0),
            np.where(num_sources > 0, 1.0 - num_sources, 0.0),
        ]
    )
    solved = linprog(
        np.concatenate([np.zeros(end), [1.0]]),
        A_ub=coo_array((np.concatenate(values), places), shape=(len(limits), end + 1)).tocsr(),
        b_ub=limits,
        bounds=[(0, 1)] * num_edges + [(0, None)] * (num_tasks + 1),
        method="highs",
    )
    return solved.x[:num_edges] if solved.x is not None else np.ones(num_edges)
