"""List schedulers that place as they schedule: HEFT, and Baechi's m-ETF and m-SCT.

Each works on tasks, not single operations: grouped at several grains, of which the simulator keeps the best.
Transfers wait for their link, colocated tasks follow the first of their team, and a device takes no more than
its memory. Without these three, all of them lose to a single device.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int, Int32

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.evaluate import compiled_play, evaluate
from pomona.compile.placement.tasks import Tasks, tasks_of

GRAINS = (24, 100, 400, 1200)
"""Tasks that a graph is grouped into, one try each."""
LARGEST_LINEAR_PROGRAM = 400
"""Tasks up to which favourite children are found exactly."""


def heft(problem: Problem, generator: np.random.Generator) -> Plan:
    """Heterogeneous earliest finish time with insertion (Topcuoglu, Hariri, Wu 2002)."""

    def devices(tasks: Tasks, inputs: "_Inputs") -> Int32[np.ndarray, " task"]:
        from pomona.compile.placement.baselines.list_schedule import by_rank
        from pomona.compile.placement.simulator.tables import tables_of

        board = _board(problem, tasks, inputs)
        rank = _rank(problem, tasks, inputs)
        # equal ranks go in the order of tasks, so that sources always come first
        by_rank(board, tables_of(problem), np.argsort(-rank, kind="stable"))
        return board.device

    return _best_grain(problem, devices)


def m_etf(problem: Problem, generator: np.random.Generator) -> Plan:
    """Earliest task first within memory (Jeon et al., Baechi, 2020)."""
    return _best_grain(problem, lambda tasks, inputs: _earliest(problem, tasks, inputs, _no_children(tasks)))


def m_sct(problem: Problem, generator: np.random.Generator) -> Plan:
    """Small communication times within memory (Jeon et al., Baechi, 2020): ETF with favourite children."""

    def devices(tasks: Tasks, inputs: "_Inputs") -> Int32[np.ndarray, " task"]:
        from pomona.compile.placement.baselines.favourites import favourite_children

        if tasks.num_tasks > LARGEST_LINEAR_PROGRAM * 1.5:
            return _earliest(problem, tasks, inputs, _no_children(tasks))
        transfer_us = _transfer_us(problem, inputs)
        child = favourite_children(tasks.run_us.min(axis=0), inputs.makers, inputs.readers, transfer_us)
        return _earliest(problem, tasks, inputs, child)

    return _best_grain(problem, devices)


class _Inputs:
    """What each task reads from others: outputs by node, and between tasks."""

    def __init__(self, problem: Problem, tasks: Tasks):
        source, target = problem.graph.edges[:, 0].astype(np.int64), problem.graph.edges[:, 1]
        away = tasks.of[source] != tasks.of[target]
        num_nodes = problem.graph.num_nodes
        reads = np.unique(tasks.of[target[away]] * np.int64(num_nodes) + source[away])
        reader, self.nodes = reads // num_nodes, (reads % num_nodes).astype(np.int32)
        self.starts = np.searchsorted(reader, np.arange(tasks.num_tasks + 1)).astype(np.int32)
        maker = tasks.of[self.nodes]
        pairs = maker * np.int64(tasks.num_tasks) + reader
        keys, index = np.unique(pairs, return_inverse=True)
        self.makers, self.readers = keys // tasks.num_tasks, keys % tasks.num_tasks
        self.size_bytes = np.bincount(index, problem.graph.output_bytes[self.nodes], len(keys))
        self.reader_starts = np.searchsorted(self.makers, np.arange(tasks.num_tasks + 1)).astype(np.int32)


def _best_grain(problem: Problem, devices: Callable[[Tasks, _Inputs], Int32[np.ndarray, " task"]]) -> Plan:
    compiled_play()
    placements = []
    for grain in GRAINS:
        tasks = tasks_of(problem, grain)
        placements.append(devices(tasks, _Inputs(problem, tasks))[tasks.of])
        if tasks.num_tasks < grain // 2:
            break
    return finished(problem, placements)


def _earliest(
    problem: Problem, tasks: Tasks, inputs: _Inputs, child: Int[np.ndarray, " task"]
) -> Int32[np.ndarray, " task"]:
    from pomona.compile.placement.baselines.list_schedule import by_earliest_start
    from pomona.compile.placement.simulator.tables import tables_of

    board = _board(problem, tasks, inputs)
    by_earliest_start(board, tables_of(problem), child)
    return board.device


def _no_children(tasks: Tasks) -> Int32[np.ndarray, " task"]:
    return np.full(tasks.num_tasks, -1, np.int32)


def _transfer_us(problem: Problem, inputs: _Inputs) -> Float64[np.ndarray, " pair"]:
    used = problem.routes[problem.routes >= 0]
    if len(used) == 0:
        return np.zeros(len(inputs.size_bytes))
    return (
        problem.link_latency_us[used].mean()
        + inputs.size_bytes * (1 / problem.link_bytes_per_us[used]).mean()
    )


def _rank(problem: Problem, tasks: Tasks, inputs: _Inputs) -> Float64[np.ndarray, " task"]:
    from pomona.compile.placement.simulator.ranks import longest_to_end

    share = 1.0 - 1.0 / problem.num_devices
    edge_us = share * _transfer_us(problem, inputs)
    return longest_to_end(inputs.reader_starts, inputs.readers, tasks.run_us.mean(axis=0), edge_us)


def _board(problem: Problem, tasks: Tasks, inputs: _Inputs):
    from pomona.compile.placement.baselines.list_schedule import Board

    num_devices, num_tasks = tasks.run_us.shape
    return Board(
        task_of=tasks.of,
        run_us=tasks.run_us,
        input_starts=inputs.starts,
        inputs=inputs.nodes,
        reader_starts=inputs.reader_starts,
        readers=inputs.readers.astype(np.int32),
        team=tasks.team,
        team_device=np.full(num_tasks, -1, np.int32),
        team_bytes=np.bincount(tasks.team, _held_bytes(problem, tasks), num_tasks),
        room_bytes=np.array(problem.memory_bytes),
        device=np.full(num_tasks, -1, np.int32),
        end_us=np.full(num_tasks, -1.0),
        arrival_us=np.full((problem.graph.num_nodes, num_devices), np.inf),
        link_free_us=np.zeros(len(problem.link_latency_us)),
        device_free_us=np.zeros(num_devices),
        busy=np.zeros((num_devices, num_tasks, 2)),
        num_busy=np.zeros(num_devices, np.int32),
        last_task=np.full(num_devices, -1, np.int32),
    )


def _held_bytes(problem: Problem, tasks: Tasks) -> Float64[np.ndarray, " task"]:
    # what stays all step, and of the other outputs the share that is alive at the peak of a single device
    graph, num_tasks = problem.graph, tasks.num_tasks
    kept = graph.resident_bytes + np.where(graph.is_stored, graph.output_bytes, 0.0)
    passing = np.where(graph.is_stored, 0.0, graph.output_bytes)
    order = -np.arange(graph.num_nodes, dtype=np.float64)
    peak = evaluate(problem, np.zeros((1, graph.num_nodes), np.int32), order[None]).peak_bytes[0, 0]
    alive = (peak - kept.sum()) / max(passing.sum(), 1.0)
    return np.bincount(tasks.of, kept + alive * passing, num_tasks)
