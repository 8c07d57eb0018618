"""Simple first actions for a search: the base placement, one device, and the step cut into equal parts."""

import numpy as np
from jaxtyping import Int64

from pomona.compile.placement.policy.features import Features


def simple_starts(
    features: Features, tasks: tuple[str, ...], num_levels: int
) -> Int64[np.ndarray, "plan task unit"]:
    """The base placement; plans on 1, 2, … all devices, cut by work along longest paths. Middle levels."""
    num_units, num_devices = features.can_hold.shape
    work = np.bincount(features.unit_of_node, features.levels.run_us, num_units)
    place = (np.cumsum(work) - work / 2) / max(work.sum(), 1e-9)
    plans = np.full((1 + num_devices, len(tasks), num_units), num_levels // 2, np.int64)
    if tasks[0] != "placement":
        return plans[:1]
    plans[0, 0] = features.base
    for parts in range(1, num_devices + 1):
        wanted = np.minimum((place * parts).astype(np.int64), parts - 1)
        fits = features.can_hold[np.arange(num_units), wanted]
        plans[parts, 0] = np.where(fits, wanted, features.can_hold.argmax(axis=1))
    return plans
