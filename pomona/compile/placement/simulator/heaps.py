"""Binary heaps in plain arrays, and a clock that knows which of many alarms rings next.

A heap is a piece of an array: `size` items from `base` on. Items are compared by `first[item]`, then
`second[item]`, then the item itself, so that the order never depends on how the heap was filled.
"""

import numpy as np

from pomona.compile.placement.simulator.compiling import compiled, inlined


@inlined
def push(heap, base, size, item, first, second):
    """Adds an item; the caller counts the size up."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        above = heap[base + parent]
        if _is_before(above, item, first, second):
            break
        heap[base + at] = above
        at = parent
    heap[base + at] = item


@inlined
def pop(heap, base, size, first, second):
    """Takes out the least item; the caller counts the size down."""
    least = heap[base]
    size -= 1
    item = heap[base + size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _is_before(heap[base + child + 1], heap[base + child], first, second):
            child += 1
        if _is_before(item, heap[base + child], first, second):
            break
        heap[base + at] = heap[base + child]
        at = child
    heap[base + at] = item
    return least


@compiled
def new_clock(num_alarms):
    """A tree of minima over alarms that are all off; the leaves are the second half."""
    leaves = 1
    while leaves < num_alarms:
        leaves *= 2
    return np.full(2 * leaves, np.inf)


@inlined
def set_alarm(clock, alarm, time):
    """Sets when an alarm rings; infinity switches it off."""
    at = (clock.size >> 1) + alarm
    clock[at] = time
    at >>= 1
    while at >= 1:
        clock[at] = min(clock[2 * at], clock[2 * at + 1])
        at >>= 1


@inlined
def next_alarm(clock):
    """The alarm that rings first, the lowest of several; its time is `clock[1]`."""
    at, leaves = 1, clock.size >> 1
    while at < leaves:
        at *= 2
        if clock[at] != clock[1]:
            at += 1
    return at - leaves


@inlined
def _is_before(a, b, first, second):
    if first[a] != first[b]:
        return first[a] < first[b]
    if second[a] != second[b]:
        return second[a] < second[b]
    return a < b
