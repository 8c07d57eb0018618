"""One step of a plan, event by event: devices with priority queues, links, and the life of every buffer.

At each moment everything that ends then is taken in first, with what follows at no cost (views); then each
idle device starts its most urgent ready unit and each idle serial link its next transfer. So the result does
not depend on the order in which simultaneous events are met, and memory freed at a moment can be used at it.
"""

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled, inlined
from pomona.compile.placement.simulator.heaps import next_alarm, pop, push, set_alarm
from pomona.compile.placement.simulator.state import Job, new_flow, new_state, new_trace
from pomona.compile.placement.simulator.units import transfers_of, units_of

AT_ONCE, CHANGED, DONE = 0, 1, 2


@compiled
def play(tables, device, priority, cluster):
    """The step of a plan: (its time, whether every unit could run, the trace, the transfers)."""
    units = units_of(tables, device, priority, cluster)
    job = Job(tables, device, priority, units, transfers_of(tables, device))
    state = new_state(job)
    trace = new_trace(device.size, job.transfers.node.size, state.memory)
    flow = new_flow(job.transfers.link_starts)
    now, is_whole = _run(job, state, flow, trace)
    return now, is_whole, trace, job.transfers


@inlined
def _run(job, state, flow, trace):
    num_units = _begin(job, state, flow, trace)
    now = 0.0
    while True:
        _start_all(now, job, state, trace)
        if state.clock[1] == np.inf:
            break
        now = state.clock[1]
        while state.clock[1] == now:
            alarm = next_alarm(state.clock)
            set_alarm(state.clock, alarm, np.inf)
            _ring(now, alarm, job, state, flow, trace)
    return now, state.lengths[DONE] == num_units


@inlined
def _begin(job, state, flow, trace):
    # stored data is there; units that wait for nothing are ready; the number of units
    num_units = 0
    for unit in range(job.device.size):
        if job.units.member_starts[unit + 1] == job.units.member_starts[unit]:
            continue
        num_units += 1
        if job.tables.is_stored[unit] or (state.waits[unit] == 0 and job.units.is_free[unit]):
            state.at_once[state.lengths[AT_ONCE]] = unit
            state.lengths[AT_ONCE] += 1
        elif state.waits[unit] == 0:
            _make_ready(0.0, unit, job, state, trace)
    _finish_at_once(0.0, job, state, flow, trace)
    return num_units


@inlined
def _ring(now, alarm, job, state, flow, trace):
    num_devices = state.running.size
    _note_change(state, alarm)
    if alarm < num_devices:
        unit = state.running[alarm]
        state.running[alarm] = -1
        state.last[alarm] = unit
        _finish(now, unit, job, state, flow, trace)
    elif job.tables.link_is_shared[alarm - num_devices]:
        _flow_on(now, alarm - num_devices, job, state, flow, trace)
    else:
        one = state.moving[alarm - num_devices]
        state.moving[alarm - num_devices] = -1
        state.last[alarm] = job.device.size + one
        _arrive(now, one, job, state, trace)
    _finish_at_once(now, job, state, flow, trace)


@inlined
def _finish_at_once(now, job, state, flow, trace):
    while state.lengths[AT_ONCE] > 0:
        state.lengths[AT_ONCE] -= 1
        unit = state.at_once[state.lengths[AT_ONCE]]
        if not job.tables.is_stored[unit]:
            _allocate(now, unit, job, state, trace)
        trace.unit_start[unit] = now
        _finish(now, unit, job, state, flow, trace)


@inlined
def _finish(now, unit, job, state, flow, trace):
    # outputs are handed on and sent; what the unit read is let go
    tables, unit_of = job.tables, job.units.unit_of
    trace.unit_end[unit] = now
    state.lengths[DONE] += 1
    for at in range(job.units.member_starts[unit], job.units.member_starts[unit + 1]):
        node = job.units.members[at]
        for edge in range(tables.out_starts[node], tables.out_starts[node + 1]):
            one = job.transfers.of_edge[edge]
            if one < 0:
                reader = unit_of[tables.target[edge]]
                if reader != unit:
                    _supply(now, reader, unit, job, state, trace)
            elif np.isnan(trace.transfer_ready[one]):
                _send(now, one, job, state, flow, trace)
        if not tables.is_view[node]:
            _let_go_of_sources(now, node, job, state, trace)


@inlined
def _supply(now, unit, cause, job, state, trace):
    state.waits[unit] -= 1
    if state.waits[unit] == 0:
        trace.unit_cause[unit] = cause
        if job.units.is_free[unit]:
            state.at_once[state.lengths[AT_ONCE]] = unit
            state.lengths[AT_ONCE] += 1
        else:
            _make_ready(now, unit, job, state, trace)


@inlined
def _make_ready(now, unit, job, state, trace):
    # its start until it is known
    trace.unit_start[unit] = now
    home = job.device[unit]
    urgency = job.units.urgency
    push(state.ready, state.ready_starts[home], state.num_ready[home], unit, urgency, urgency)
    state.num_ready[home] += 1
    _note_change(state, home)


@inlined
def _note_change(state, alarm):
    if not state.is_changed[alarm]:
        state.is_changed[alarm] = True
        state.changed[state.lengths[CHANGED]] = alarm
        state.lengths[CHANGED] += 1


@inlined
def _let_go_of_sources(now, node, job, state, trace):
    # a view that nobody needs any longer lets go of its own sources in turn
    tables, transfers = job.tables, job.transfers
    state.unneeded[0] = node
    count = 1
    while count > 0:
        count -= 1
        reader = state.unneeded[count]
        for at in range(tables.in_starts[reader], tables.in_starts[reader + 1]):
            edge = tables.in_edges[at]
            one = transfers.of_edge[edge]
            if one >= 0:
                state.copy_uses[one] -= 1
                if state.copy_uses[one] == 0:
                    state.memory[transfers.to[one]] -= tables.output_bytes[transfers.node[one]]
                    trace.copy_freed[one] = now
            elif _let_go(now, tables.source[edge], job, state, trace):
                state.unneeded[count] = tables.source[edge]
                count += 1


@inlined
def _let_go(now, node, job, state, trace):
    # one use less; true for a view that has none left
    state.uses[node] -= 1
    if state.uses[node] > 0:
        return False
    state.memory[job.device[node]] -= job.units.own_bytes[node]
    trace.freed[node] = now
    return job.tables.is_view[node]


@inlined
def _allocate(now, unit, job, state, trace):
    home = job.device[unit]
    for at in range(job.units.member_starts[unit], job.units.member_starts[unit + 1]):
        state.memory[home] += job.units.start_bytes[job.units.members[at]]
    trace.peak_bytes[home] = max(trace.peak_bytes[home], state.memory[home])


@inlined
def _send(now, one, job, state, flow, trace):
    # puts a transfer into the queue of its link
    link = job.transfers.link[one]
    trace.transfer_ready[one] = now
    trace.transfer_cause[one] = job.units.unit_of[job.transfers.node[one]]
    if job.tables.link_is_shared[link]:
        _start_transfer(now, one, job, state, trace)
        flow.waiting[flow.end[link]] = one
        flow.end[link] += 1
        _set_flow_alarm(link, job, state, flow, trace)
        return
    state.queue_first[one] = now
    base = job.transfers.link_starts[link]
    push(state.queue, base, state.num_queued[link], one, state.queue_first, state.queue_second)
    state.num_queued[link] += 1
    _note_change(state, state.running.size + link)


@inlined
def _start_transfer(now, one, job, state, trace):
    trace.transfer_start[one] = now
    to = job.transfers.to[one]
    state.memory[to] += job.tables.output_bytes[job.transfers.node[one]]
    trace.peak_bytes[to] = max(trace.peak_bytes[to], state.memory[to])


@inlined
def _arrive(now, one, job, state, trace):
    tables, node = job.tables, job.transfers.node[one]
    trace.transfer_end[one] = now
    for edge in range(tables.out_starts[node], tables.out_starts[node + 1]):
        if job.transfers.of_edge[edge] == one:
            _supply(now, job.units.unit_of[tables.target[edge]], job.device.size + one, job, state, trace)
    if _let_go(now, node, job, state, trace):
        _let_go_of_sources(now, node, job, state, trace)


@inlined
def _start_all(now, job, state, trace):
    num_devices = state.running.size
    for at in range(state.lengths[CHANGED]):
        alarm = state.changed[at]
        state.is_changed[alarm] = False
        link = alarm - num_devices
        if link < 0:
            if state.running[alarm] < 0 and state.num_ready[alarm] > 0:
                _start_unit(now, alarm, job, state, trace)
        elif not job.tables.link_is_shared[link] and state.moving[link] < 0 and state.num_queued[link] > 0:
            base = job.transfers.link_starts[link]
            one = pop(state.queue, base, state.num_queued[link], state.queue_first, state.queue_second)
            state.num_queued[link] -= 1
            state.moving[link] = one
            if trace.transfer_ready[one] < now:
                trace.transfer_cause[one] = state.last[alarm]
            _start_transfer(now, one, job, state, trace)
            size = job.tables.output_bytes[job.transfers.node[one]]
            takes_us = job.tables.latency_us[link] + size / job.tables.link_bytes_per_us[link]
            set_alarm(state.clock, alarm, now + takes_us)
    state.lengths[CHANGED] = 0


@inlined
def _start_unit(now, home, job, state, trace):
    urgency = job.units.urgency
    unit = pop(state.ready, state.ready_starts[home], state.num_ready[home], urgency, urgency)
    state.num_ready[home] -= 1
    state.running[home] = unit
    if trace.unit_start[unit] < now:
        trace.unit_cause[unit] = state.last[home]
    trace.unit_start[unit] = now
    _allocate(now, unit, job, state, trace)
    set_alarm(state.clock, home, now + job.units.run_us[unit])


@inlined
def _flow_on(now, link, job, state, flow, trace):
    # a shared link: those that are done arrive, those whose latency is over join
    tables, base = job.tables, job.transfers.link_starts[link]
    rate = tables.link_bytes_per_us[link]
    if state.num_queued[link] > 0:
        if now == flow.done_at[link]:
            flow.place[link] = state.queue_first[state.queue[base]]
        else:
            flow.place[link] += (now - flow.moment[link]) * rate / state.num_queued[link]
    flow.moment[link] = now
    while state.num_queued[link] > 0 and state.queue_first[state.queue[base]] <= flow.place[link]:
        one = pop(state.queue, base, state.num_queued[link], state.queue_first, state.queue_second)
        state.num_queued[link] -= 1
        _arrive(now, one, job, state, trace)
    if state.num_queued[link] == 0:
        flow.place[link] = 0.0
    while flow.begin[link] < flow.end[link]:
        one = flow.waiting[flow.begin[link]]
        if trace.transfer_ready[one] + tables.latency_us[link] > now:
            break
        flow.begin[link] += 1
        state.queue_first[one] = flow.place[link] + tables.output_bytes[job.transfers.node[one]]
        push(state.queue, base, state.num_queued[link], one, state.queue_first, state.queue_second)
        state.num_queued[link] += 1
    if state.num_queued[link] > 0:
        left = state.queue_first[state.queue[base]] - flow.place[link]
        flow.done_at[link] = now + left * state.num_queued[link] / rate
    else:
        flow.done_at[link] = np.inf
    _set_flow_alarm(link, job, state, flow, trace)


@inlined
def _set_flow_alarm(link, job, state, flow, trace):
    next_at = flow.done_at[link]
    if flow.begin[link] < flow.end[link]:
        one = flow.waiting[flow.begin[link]]
        next_at = min(next_at, trace.transfer_ready[one] + job.tables.latency_us[link])
    set_alarm(state.clock, state.running.size + link, next_at)
