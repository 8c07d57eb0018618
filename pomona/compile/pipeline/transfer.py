"""What handing an entry on costs: this process fills and empties a ring by itself, and looks at its clock."""

import os
import time
from collections.abc import Callable

import numpy as np

from pomona.compile.pipeline.costs import Transfer
from pomona.compile.pipeline.profile import pinned
from pomona.compile.pipeline.ring import RingEnd, copied, open_ring
from pomona.compile.pipeline.tensor import Tensor

SMALL, LARGE = 16, 1 << 20
"""Numbers in an entry, four bytes each."""

NUM_ENTRIES, NUM_ROUNDS, NUM_SLOTS = 20, 9, 4


def measured_transfer() -> Transfer:
    """The cost of handing on, by entries of two sizes.

    Processor time, so that who else uses the machine matters little. A stage computes in the rings' memory
    and copies nothing; the copy stands for what it waits for lines that lie in another core's cache.
    """
    small, large = (_us_per_entry(count) for count in (SMALL, LARGE))
    per_megabyte = max(0.0, (large - small) / ((LARGE - SMALL) * 4 / 1e6)) / 2
    # one who fills and empties has done both sides; so does the owner, for inputs and outputs
    return Transfer(small / 2, per_megabyte, small, per_megabyte)


def _us_per_entry(count: int) -> float:
    tensor = Tensor("x", "float32", (count,))
    files = open_ring([tensor], NUM_SLOTS)
    # each end closes its descriptor of the memory once it has it
    memory = os.dup(files.memory)
    filler = RingEnd([tensor], NUM_SLOTS, files.of_filler)
    emptier = RingEnd([tensor], NUM_SLOTS, (memory, files.take_full, files.give_free))
    entry = {"x": np.zeros(count, np.float32)}
    try:
        with pinned():
            _hand_on(filler, emptier, entry)
            times = [_timed(lambda: _hand_on(filler, emptier, entry)) for _ in range(NUM_ROUNDS)]
    finally:
        filler.close()
        emptier.close()
    return float(np.median(times)) / NUM_ENTRIES * 1e6


def _hand_on(filler: RingEnd, emptier: RingEnd, entry: dict[str, np.ndarray]) -> None:
    for _ in range(NUM_ENTRIES):
        free = filler.take()
        assert free is not None
        filler.slots[free]["x"][...] = entry["x"]
        filler.set_message(free, "")
        filler.give(free)
        full = emptier.take()
        assert full is not None
        if not emptier.message(full):
            copied(emptier.slots[full])
        emptier.give(full)


def _timed(call: Callable[[], None]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began
