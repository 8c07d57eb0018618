"""What the event loop reads and changes: a job, devices, links and buffers, and the trace it leaves."""

from typing import NamedTuple

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled
from pomona.compile.placement.simulator.heaps import new_clock
from pomona.compile.placement.simulator.tables import Tables
from pomona.compile.placement.simulator.units import Transfers, Units


class Job(NamedTuple):
    """One plan of one problem."""

    tables: Tables
    device: np.ndarray  # node
    priority: np.ndarray  # node
    units: Units
    transfers: Transfers


class Trace(NamedTuple):
    """When everything happened; NaN for what did not. A buffer kept to the end is freed never (inf)."""

    unit_start: np.ndarray
    unit_end: np.ndarray
    transfer_ready: np.ndarray
    transfer_start: np.ndarray
    transfer_end: np.ndarray
    freed: np.ndarray  # node: its output, where it was made
    copy_freed: np.ndarray  # transfer: the copy
    peak_bytes: np.ndarray  # device
    unit_cause: np.ndarray  # what ended as it began: a unit, or num_nodes + a transfer; -1 for nothing
    transfer_cause: np.ndarray


class State(NamedTuple):
    """Changes from event to event."""

    clock: np.ndarray  # alarms: devices, then links
    waits: np.ndarray  # unit: outputs of other units that are not there yet
    ready: np.ndarray  # a heap a device
    ready_starts: np.ndarray
    num_ready: np.ndarray  # device
    running: np.ndarray  # device: the unit, -1 when idle
    queue: np.ndarray  # a heap a link: transfers that wait (serial) or are in flight (shared)
    num_queued: np.ndarray  # link
    moving: np.ndarray  # serial link: the transfer, -1 when idle
    queue_first: np.ndarray  # transfer: when ready (serial), where the flow is when it is done (shared)
    queue_second: np.ndarray  # transfer: priority, negated
    uses: np.ndarray  # node: reads and transfers that its output still waits for
    copy_uses: np.ndarray  # transfer
    memory: np.ndarray  # device
    at_once: np.ndarray  # a stack: ready units that take no time
    unneeded: np.ndarray  # a stack: nodes whose sources are let go
    changed: np.ndarray  # a list: alarms of devices and links that may start something
    is_changed: np.ndarray
    last: np.ndarray  # alarm: the unit or the transfer that ran last
    lengths: np.ndarray  # of at_once, of changed; then the number of units that are done


class Flow(NamedTuple):
    """Shared links: transfers in flight move at one rate; `place` is how far one there all along has come."""

    place: np.ndarray  # link, bytes
    moment: np.ndarray  # link: when `place` was right
    done_at: np.ndarray  # link: when the first in flight is done
    waiting: np.ndarray  # transfers within their latency, a queue a link
    begin: np.ndarray  # link
    end: np.ndarray  # link


@compiled
def new_state(job):
    """Nothing has run yet."""
    num_nodes, num_devices = job.device.size, job.tables.routes.shape[0]
    num_links, count = job.tables.latency_us.size, job.transfers.node.size
    waits, uses, memory, starts, second = _counted(job)
    return State(
        new_clock(num_devices + num_links),
        waits,
        np.empty(num_nodes, np.int32),
        starts,
        np.zeros(num_devices, np.int32),
        np.full(num_devices, -1, np.int32),
        np.empty(count, np.int32),
        np.zeros(num_links, np.int32),
        np.full(num_links, -1, np.int32),
        np.empty(count),
        second,
        uses,
        job.transfers.uses.copy(),
        memory,
        np.empty(num_nodes, np.int32),
        np.empty(num_nodes, np.int32),
        np.empty(num_devices + num_links, np.int32),
        np.zeros(num_devices + num_links, np.bool_),
        np.full(num_devices + num_links, -1, np.int32),
        np.zeros(3, np.int64),
    )


@compiled
def new_trace(num_nodes, num_transfers, memory):
    """A trace of nothing."""
    return Trace(
        np.full(num_nodes, np.nan),
        np.full(num_nodes, np.nan),
        np.full(num_transfers, np.nan),
        np.full(num_transfers, np.nan),
        np.full(num_transfers, np.nan),
        np.full(num_nodes, np.inf),
        np.full(num_transfers, np.inf),
        memory.copy(),
        np.full(num_nodes, -1, np.int32),
        np.full(num_transfers, -1, np.int32),
    )


@compiled
def new_flow(link_starts):
    """All shared links empty."""
    num_links = link_starts.size - 1
    return Flow(
        np.zeros(num_links),
        np.zeros(num_links),
        np.full(num_links, np.inf),
        np.empty(link_starts[num_links], np.int32),
        link_starts[:-1].copy(),
        link_starts[:-1].copy(),
    )


@compiled
def _counted(job):
    # what each unit waits for, how often each output is read, memory at the start, room for queues
    tables, device, units, transfers = job.tables, job.device, job.units, job.transfers
    num_nodes, num_devices = device.size, tables.routes.shape[0]
    waits, uses = np.zeros(num_nodes, np.int32), np.zeros(num_nodes, np.int32)
    memory, starts = np.zeros(num_devices), np.zeros(num_devices + 1, np.int32)
    for node in range(num_nodes):
        home = device[node]
        starts[home + 1] += 1
        begin, end = tables.out_starts[node], tables.out_starts[node + 1]
        memory[home] += tables.resident_bytes[node]
        if tables.is_stored[node]:
            memory[home] += tables.output_bytes[node]
        # results and stored data are never freed
        count = 1 if begin == end or tables.is_stored[node] else 0
        for edge in range(begin, end):
            unit = units.unit_of[tables.target[edge]]
            if unit != units.unit_of[node]:
                waits[unit] += 1
            if transfers.of_edge[edge] < 0:
                count += 1
        uses[node] = count
    second = np.empty(transfers.node.size)
    for one in range(transfers.node.size):
        uses[transfers.node[one]] += 1
        second[one] = -job.priority[transfers.node[one]]
    for one in range(num_devices):
        starts[one + 1] += starts[one]
    return waits, uses, memory, starts, second
