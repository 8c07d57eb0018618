"""List scheduling of tasks onto devices, compiled: transfers wait for their link, memory and teams are kept.

The state of a half-made schedule: which tasks have a device and when they end, when each output arrives
where, until when devices and links are busy. Links are taken as serial: one transfer after another.
"""

from typing import NamedTuple

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled, inlined


class Board(NamedTuple):
    """A half-made schedule. Outputs are numbered by their node."""

    task_of: np.ndarray  # node
    run_us: np.ndarray  # device task
    input_starts: np.ndarray  # task + 1
    inputs: np.ndarray  # nodes whose outputs a task reads from other tasks
    reader_starts: np.ndarray  # task + 1
    readers: np.ndarray  # tasks that read from a task
    team: np.ndarray  # task
    team_device: np.ndarray  # task: that of its team, by the team's number; -1 when free
    team_bytes: np.ndarray  # by the team's number
    room_bytes: np.ndarray  # device
    device: np.ndarray  # task, -1 when not placed
    end_us: np.ndarray  # task
    arrival_us: np.ndarray  # node device: infinity when not sent
    link_free_us: np.ndarray  # link
    device_free_us: np.ndarray  # device
    busy: np.ndarray  # device task 2: intervals in order
    num_busy: np.ndarray  # device
    last_task: np.ndarray  # device, -1 when none


@inlined
def arrival(board, tables, task, to, links):
    """When all inputs of a task can be on a device; `links` are changed as its transfers would."""
    latest = 0.0
    for at in range(board.input_starts[task], board.input_starts[task + 1]):
        node = board.inputs[at]
        maker = board.task_of[node]
        home = board.device[maker]
        if home == to or board.end_us[maker] < 0:
            there = board.end_us[maker]
        elif board.arrival_us[node, to] < np.inf:
            there = board.arrival_us[node, to]
        else:
            link = tables.routes[home, to]
            begin = max(board.end_us[maker], links[link])
            there = (
                begin + tables.latency_us[link] + tables.output_bytes[node] / tables.link_bytes_per_us[link]
            )
            links[link] = there
        latest = max(latest, there)
    return latest


@inlined
def slot(board, to, ready_us, takes_us):
    """The first time a device is idle for so long, also between tasks that it has already."""
    begin = ready_us
    for at in range(board.num_busy[to]):
        if board.busy[to, at, 1] <= begin:
            continue
        if begin + takes_us <= board.busy[to, at, 0]:
            return begin
        begin = board.busy[to, at, 1]
    return begin


@inlined
def can_take(board, task, to):
    """Whether the task's team is on the device or has room there."""
    team = board.team[task]
    if board.team_device[team] >= 0:
        return board.team_device[team] == to
    return board.team_bytes[team] <= board.room_bytes[to]


@inlined
def place(board, tables, task, to, begin_us):
    """Puts a task on a device from a time on, and sends what it reads."""
    team = board.team[task]
    if board.team_device[team] < 0:
        board.team_device[team] = to
        board.room_bytes[to] -= board.team_bytes[team]
    for at in range(board.input_starts[task], board.input_starts[task + 1]):
        node = board.inputs[at]
        home = board.device[board.task_of[node]]
        if home != to and board.arrival_us[node, to] == np.inf:
            link = tables.routes[home, to]
            begin = max(board.end_us[board.task_of[node]], board.link_free_us[link])
            there = (
                begin + tables.latency_us[link] + tables.output_bytes[node] / tables.link_bytes_per_us[link]
            )
            board.link_free_us[link] = there
            board.arrival_us[node, to] = there
    end = begin_us + board.run_us[to, task]
    board.device[task] = to
    board.end_us[task] = end
    board.last_task[to] = task
    board.device_free_us[to] = max(board.device_free_us[to], end)
    at = board.num_busy[to]
    while at > 0 and board.busy[to, at - 1, 0] > begin_us:
        board.busy[to, at, 0], board.busy[to, at, 1] = board.busy[to, at - 1, 0], board.busy[to, at - 1, 1]
        at -= 1
    board.busy[to, at, 0], board.busy[to, at, 1] = begin_us, end
    board.num_busy[to] += 1


@compiled
def by_rank(board, tables, order):
    """HEFT: tasks in order of rank, each where it ends first, also in gaps."""
    for task in order:
        best, best_begin, best_end = -1, 0.0, np.inf
        for to in range(board.run_us.shape[0]):
            if not can_take(board, task, to):
                continue
            ready = arrival(board, tables, task, to, board.link_free_us.copy())
            begin = slot(board, to, ready, board.run_us[to, task])
            if begin + board.run_us[to, task] < best_end:
                best, best_begin, best_end = to, begin, begin + board.run_us[to, task]
        if best < 0:
            # no device has room: the one with most left
            best = int(np.argmax(board.room_bytes))
            best_begin = slot(board, best, arrival(board, tables, task, best, board.link_free_us.copy()), 0.0)
        place(board, tables, task, best, best_begin)


@compiled
def by_earliest_start(board, tables, favourite):
    """ETF, and SCT where tasks have favourite children (-1 for none): the ready task that can begin first.

    A device whose last task's favourite child is ready and could begin nowhere earlier waits for that child;
    only a task whose inputs can be anywhere by then goes before it (Baechi's awake state).
    """
    num_devices, num_tasks = board.run_us.shape
    waits, ready, num_ready = _first_ready(board)
    begin = np.full((num_tasks, num_devices), np.inf)
    for _ in range(num_tasks):
        for index in range(num_ready):
            for to in range(num_devices):
                if can_take(board, ready[index], to):
                    begin[ready[index], to] = _begin(board, tables, ready[index], to)
                else:
                    begin[ready[index], to] = np.inf
        index, to = _earliest(board, favourite, ready, num_ready, begin)
        task = ready[index]
        if to < 0:
            # no device has room for anything: the one with most left
            to = int(np.argmax(board.room_bytes))
            begin[task, to] = _begin(board, tables, task, to)
        place(board, tables, task, to, begin[task, to])
        num_ready -= 1
        ready[index] = ready[num_ready]
        for at in range(board.reader_starts[task], board.reader_starts[task + 1]):
            waits[board.readers[at]] -= 1
            if waits[board.readers[at]] == 0:
                ready[num_ready] = board.readers[at]
                num_ready += 1


@compiled
def _first_ready(board):
    num_tasks = board.device.size
    waits, ready = np.zeros(num_tasks, np.int32), np.empty(num_tasks, np.int32)
    for reader in board.readers:
        waits[reader] += 1
    num_ready = 0
    for task in range(num_tasks):
        if waits[task] == 0:
            ready[num_ready] = task
            num_ready += 1
    return waits, ready, num_ready


@compiled
def _begin(board, tables, task, to):
    inputs = arrival(board, tables, task, to, board.link_free_us.copy())
    return max(inputs, board.device_free_us[to])


@compiled
def _earliest(board, favourite, ready, num_ready, begin):
    # (index in ready, device); device -1 when nothing has room anywhere
    best, best_to, best_task = 0, -1, ready[0]
    for to in range(begin.shape[1]):
        child = -1
        if board.last_task[to] >= 0:
            child = favourite[board.last_task[to]]
        if child >= 0 and (board.device[child] >= 0 or not begin[child, to] < np.inf):
            child = -1
        if child >= 0 and begin[child, to] > np.min(begin[child]):
            child = -1
        for index in range(num_ready):
            task = ready[index]
            if child >= 0 and task != child and np.max(begin[task]) > begin[child, to]:
                continue
            if begin[task, to] == np.inf:
                continue
            earlier = best_to < 0 or begin[task, to] < begin[best_task, best_to]
            if earlier or (begin[task, to] == begin[best_task, best_to] and task < best_task):
                best, best_to, best_task = index, to, task
    return best, best_to
