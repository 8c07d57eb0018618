"""A training schedule run on a clock: when each pass begins, how long a step takes, how much is waiting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pomona.compile.pipeline.schedules import SCHEDULES, Order, Pass
from pomona.foundation.errors import unknown_name


@dataclass(frozen=True)
class Timed:
    """A pass and when it ran."""

    device: int
    what: Pass
    start_us: float
    end_us: float


@dataclass(frozen=True)
class Scheduled:
    """One training step, without the update of the weights."""

    name: str
    passes: tuple[Timed, ...]
    step_us: float
    bubble: float
    """Share of the devices' time in which they wait."""
    most_kept: tuple[int, ...]
    """Device → the most micro-batches, over its stages, whose activations it keeps at a time."""


def scheduled(
    name: str,
    forward_us: Sequence[float],
    backward_us: Sequence[float],
    *,
    num_devices: int,
    num_micro_batches: int,
    transfer_us: float = 0.0,
) -> Scheduled:
    """A schedule with these times for one micro-batch in each stage; stages are placed on devices in turn.

    Raises SettingError when the schedule does not exist, or does not fit the numbers.
    """
    if name not in SCHEDULES:
        raise unknown_name("schedule", name, SCHEDULES)
    per_device, left = divmod(len(forward_us), num_devices)
    assert not left
    order = SCHEDULES[name](num_devices, num_micro_batches, per_device)
    passes = _run(order, forward_us, backward_us, transfer_us)
    step_us = max(one.end_us for one in passes)
    busy = sum(one.end_us - one.start_us for one in passes)
    kept = tuple(_most_kept(one) for one in order)
    return Scheduled(name, passes, step_us, 1 - busy / (num_devices * step_us), kept)


def _run(
    order: Order, forward_us: Sequence[float], backward_us: Sequence[float], transfer_us: float
) -> tuple[Timed, ...]:
    ends: dict[Pass, float] = {}
    free = [0.0] * len(order)
    nexts = [0] * len(order)
    passes = []
    last = len(forward_us) - 1
    while any(place < len(own) for place, own in zip(nexts, order, strict=True)):
        moved = False
        for device, own in enumerate(order):
            while nexts[device] < len(own):
                what = own[nexts[device]]
                needs = _needs(what, last)
                if any(one not in ends for one in needs):
                    break
                # a stage's neighbours are on other devices, unless there is one device alone
                sent = transfer_us if len(order) > 1 else 0.0
                ready = [ends[one] + (sent if one.stage != what.stage else 0.0) for one in needs]
                start = max([free[device], *ready])
                spent = (forward_us if what.is_forward else backward_us)[what.stage]
                ends[what] = free[device] = start + spent
                passes.append(Timed(device, what, start, start + spent))
                nexts[device] += 1
                moved = True
        assert moved, "every device waits for another"
    return tuple(passes)


def _needs(what: Pass, last: int) -> list[Pass]:
    if what.is_forward:
        return [Pass(True, what.stage - 1, what.micro_batch)] if what.stage else []
    needs = [Pass(True, what.stage, what.micro_batch)]
    if what.stage < last:
        needs.append(Pass(False, what.stage + 1, what.micro_batch))
    return needs


def _most_kept(own: tuple[Pass, ...]) -> int:
    return int(np.cumsum([1 if one.is_forward else -1 for one in own]).max())
