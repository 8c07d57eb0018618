"""A problem of a few large operations that stands for one of many small ones."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int32

from pomona.compile.placement.graph import ordered
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.tasks import Tasks


def coarse_problem(problem: Problem, tasks: Tasks) -> tuple[Problem, Int32[np.ndarray, " node"]]:
    """The tasks as operations, and the task of each node of the new graph.

    A task's outputs that the same tasks read are one item of it, so what is sent is what the whole graph
    sends. Times are the sums of the task's operations. An output is there when its whole task is done: a step
    of the coarse problem is not that of the whole one, only like it.
    """
    graph, num_tasks = problem.graph, tasks.num_tasks
    makers, sizes, readers = _items(problem, tasks)
    num_items = len(makers)
    runs = tasks.run_us.max(axis=0) > 0
    stored = np.where(graph.is_stored, graph.output_bytes, 0.0)
    edges = [(makers[item], num_tasks + item) for item in range(num_items)]
    edges += [(num_tasks + item, reader) for item in range(num_items) for reader in readers[item]]
    task = np.concatenate([np.arange(num_tasks), np.array(makers, np.int64)])
    coarse = ordered(
        graph.name,
        ["task"] * num_tasks + ["item"] * num_items,
        [f"{number}" for number in range(num_tasks + num_items)],
        flops=np.concatenate([runs.astype(np.float64), np.zeros(num_items)]),
        traffic_bytes=np.zeros(num_tasks + num_items),
        output_bytes=np.concatenate([np.zeros(num_tasks), sizes]),
        resident_bytes=np.concatenate(
            [np.bincount(tasks.of, graph.resident_bytes + stored, num_tasks), np.zeros(num_items)]
        ),
        edges=np.array(edges, np.int64).reshape(-1, 2),
        groups=tasks.team[task],
    )
    # nodes were sorted: their labels say which they were
    was = np.array([int(label) for label in coarse.labels])
    run_us = np.concatenate([tasks.run_us, np.zeros((problem.num_devices, num_items))], axis=1)[:, was]
    return replace(problem_of(coarse, problem.machine), run_us=run_us), task[was].astype(np.int32)


def _items(problem: Problem, tasks: Tasks) -> tuple[list[int], list[float], list[tuple[int, ...]]]:
    sizes: dict[tuple[int, tuple[int, ...]], float] = {}
    source, target = problem.graph.edges[:, 0], problem.graph.edges[:, 1]
    away = tasks.of[source] != tasks.of[target]
    readers: dict[int, set[int]] = {}
    for node, reader in zip(source[away].tolist(), tasks.of[target[away]].tolist(), strict=True):
        readers.setdefault(node, set()).add(reader)
    for node, some in readers.items():
        key = (int(tasks.of[node]), tuple(sorted(some)))
        sizes[key] = sizes.get(key, 0.0) + float(problem.graph.output_bytes[node])
    return [maker for maker, _ in sizes], list(sizes.values()), [some for _, some in sizes]
