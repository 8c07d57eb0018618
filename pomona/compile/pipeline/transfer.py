"""What handing an entry on costs on this machine, measured once with a pipeline that computes nothing."""

import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np

from pomona.compile.pipeline.costs import Transfer
from pomona.compile.pipeline.partition_file import Partition, Stage, write_partition
from pomona.compile.pipeline.pipeline import Pipeline
from pomona.compile.pipeline.profile import machine
from pomona.compile.pipeline.tensor import Tensor
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, write_json

SMALL, LARGE = 16, 1 << 20
"""Numbers in an entry, four bytes each."""

NUM_ENTRIES, NUM_ROUNDS = 40, 7


def transfer_of_machine() -> Transfer:
    """The cost of handing on, from the cache where it was measured before."""
    key = hashlib.sha256(repr(machine()).encode()).hexdigest()[:40]
    path = cache_folder() / "profiles" / f"handover-{key}.json"
    try:
        return Transfer(**read_json(path))
    except (OSError, ValueError, TypeError):
        pass
    measured = measured_transfer()
    try:
        write_json(path, measured)
    except PomonaError:
        # measured again the next time
        pass
    return measured


def measured_transfer() -> Transfer:
    """The cost of handing on, by entries of two sizes that a stage copies from one ring to the next.

    A stage that computes reads and writes the rings' memory as it computes; the copy stands for what it waits
    for lines that lie in another core's cache.
    """
    (small, owner_small), (large, owner_large) = (_us_per_entry(count) for count in (SMALL, LARGE))
    megabytes = (LARGE - SMALL) * 4 / 1e6
    # what is copied is taken and given, so both a stage and the owner pay twice
    return Transfer(
        small / 2,
        max(0.0, (large - small) / megabytes / 2),
        owner_small,
        max(0.0, (owner_large - owner_small) / megabytes / 2),
    )


def _us_per_entry(count: int) -> tuple[float, float]:
    """Time from one entry to the next, and processor time of the owner for one, in microseconds."""
    tensor = Tensor("x", "float32", (count,))
    stage = Stage("", "", (0, 0), 1.0, 0, 0)
    nothing = Partition("nothing", 1, "", 2, 0.0, (stage, stage), ((tensor,), (tensor,), (tensor,)))
    entry = {"x": np.zeros(count, np.float32)}
    with tempfile.TemporaryDirectory(prefix="pomona-") as folder:
        write_partition(Path(folder) / "plan", nothing, [b"", b""])
        with Pipeline(Path(folder) / "plan") as pipeline:
            list(pipeline.map([entry] * 8))
            found = []
            for _ in range(NUM_ROUNDS):
                began, began_owner = time.perf_counter(), time.process_time()
                list(pipeline.map([entry] * NUM_ENTRIES))
                found.append((time.perf_counter() - began, time.process_time() - began_owner))
    wall, owner = (min(times) / NUM_ENTRIES * 1e6 for times in zip(*found, strict=True))
    return wall, owner
