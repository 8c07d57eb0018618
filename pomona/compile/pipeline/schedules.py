"""Training schedules of a pipeline: in which order each device runs its micro-batches forward and backward.

GPipe (Huang et al. 2019), 1F1B (Narayanan et al. 2019, PipeDream-Flush 2021) and interleaved 1F1B
(Narayanan et al. 2021, the order of Megatron-LM), in which a device holds several smaller stages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class Pass:
    """One micro-batch through one stage."""

    is_forward: bool
    stage: int
    micro_batch: int


Order = tuple[tuple[Pass, ...], ...]
"""Device → what it runs, one after the other."""


def gpipe(num_devices: int, num_micro_batches: int, stages_per_device: int = 1) -> Order:
    """All forward, then all backward. Stages are placed in turn when a device has several."""
    return tuple(
        tuple(
            Pass(is_forward, stage, micro_batch)
            for is_forward in (True, False)
            for stage in _own(device, num_devices, stages_per_device, ascending=is_forward)
            for micro_batch in range(num_micro_batches)
        )
        for device in range(num_devices)
    )


def one_forward_one_backward(num_devices: int, num_micro_batches: int, stages_per_device: int = 1) -> Order:
    """A backward pass after each forward one as soon as there is one: as fast as GPipe, in less memory."""
    if stages_per_device != 1:
        raise SettingError("1F1B has one stage a device: take the interleaved schedule for several")
    orders = []
    for device in range(num_devices):
        ahead = min(num_devices - 1 - device, num_micro_batches)
        forward = [Pass(True, device, one) for one in range(num_micro_batches)]
        backward = [Pass(False, device, one) for one in range(num_micro_batches)]
        orders.append(_alternating(forward, backward, ahead))
    return tuple(orders)


def interleaved(num_devices: int, num_micro_batches: int, stages_per_device: int = 2) -> Order:
    """1F1B with several stages a device: less time without work, more that is sent.

    Raises SettingError unless the micro-batches are a multiple of the devices.
    """
    if num_micro_batches % num_devices:
        raise SettingError(
            f"interleaved wants a multiple of {num_devices} micro-batches, got {num_micro_batches}"
        )
    count = num_micro_batches * stages_per_device
    orders = []
    for device in range(num_devices):
        ahead = min((num_devices - 1 - device) * 2 + (stages_per_device - 1) * num_devices, count)
        forward, backward = [], []
        for step in range(count):
            group, within = divmod(step, num_devices * stages_per_device)
            chunk, place = divmod(within, num_devices)
            micro_batch = group * num_devices + place
            forward.append(Pass(True, chunk * num_devices + device, micro_batch))
            last = stages_per_device - 1 - chunk
            backward.append(Pass(False, last * num_devices + device, micro_batch))
        orders.append(_alternating(forward, backward, ahead))
    return tuple(orders)


SCHEDULES: Mapping[str, Callable[[int, int, int], Order]] = {
    "GPipe": gpipe,
    "1F1B": one_forward_one_backward,
    "interleaved": interleaved,
}


def _own(device: int, num_devices: int, stages_per_device: int, *, ascending: bool) -> list[int]:
    stages = [chunk * num_devices + device for chunk in range(stages_per_device)]
    return stages if ascending else stages[::-1]


def _alternating(forward: list[Pass], backward: list[Pass], ahead: int) -> tuple[Pass, ...]:
    """`ahead` forward passes, then one forward and one backward in turn, then what is left."""
    steady = [one for pair in zip(forward[ahead:], backward, strict=False) for one in pair]
    return tuple([*forward[:ahead], *steady, *backward[len(forward) - ahead :]])
