"""This machine's cores or GPUs as devices: their constants fitted to measured times of operations."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pomona.compile.placement.capture.fx_graph import Captured
from pomona.compile.placement.machine.fit_device import Fit, fit_device
from pomona.compile.placement.machine.machine import Link, Machine
from pomona.compile.placement.machine.probe import probes
from pomona.compile.placement.machine.timings import OnProgress, time_operations
from pomona.foundation.errors import InputError, SettingError

HAND_OVER_BYTES = 16_000_000
NUM_HAND_OVERS = 200

FEWEST_OWN = 40
"""Operations of a graph that tell enough of a machine by themselves."""


@dataclass(frozen=True)
class Profile:
    """A measured machine, and how well its cost model tells times."""

    machine: Machine
    fit: Fit


def profile_machine(
    num_devices: int | None = None,
    *,
    captured: Sequence[Captured] = (),
    device: str = "cpu",
    memory_bytes: float | None = None,
    on_progress: OnProgress | None = None,
) -> Profile:
    """The cores ("cpu") or GPUs ("cuda") of this machine, all equal, as many as asked for or as there are.

    The operations of `captured` are timed and, where these are few, those of a few small networks. Cores
    share one link as fast as memory is copied, GPUs have a bus each. What cores take from each other when
    all compute is not measured. Raises InputError when there are fewer cores or GPUs.
    """
    present = _num_present(device)
    num_devices = num_devices or present
    if not 1 <= num_devices <= present:
        kind = "cores" if device == "cpu" else "GPUs"
        raise InputError(
            f"this machine has {present} {kind}, {num_devices} were wanted: ask for fewer devices"
        )
    timings = time_operations(captured, device=device, on_progress=on_progress)
    if len(timings) < FEWEST_OWN:
        timings += time_operations(probes(), device=device, on_progress=on_progress)
    fit = fit_device(timings, name="device", memory_bytes=memory_bytes or _memory_bytes(device, num_devices))
    kind = "core" if device == "cpu" else "gpu"
    devices = tuple(replace(fit.device, name=f"{kind}{number}") for number in range(num_devices))
    return Profile(_machine(devices, device), fit)


def _machine(devices: tuple, device: str) -> Machine:
    num = len(devices)
    if num == 1:
        return Machine(f"this-{device}", devices, (), ((-1,),))
    if device == "cpu":
        links = (Link("memory", _copy_bytes_per_s(), _hand_over_us(), "shared"),)
        routes = tuple(tuple(-1 if a == b else 0 for b in range(num)) for a in range(num))
    else:
        bytes_per_s, latency_us = _between_gpus()
        links = tuple(Link(f"bus of {one.name}", bytes_per_s, latency_us) for one in devices)
        routes = tuple(tuple(-1 if a == b else a for b in range(num)) for a in range(num))
    return Machine(f"this-{device}", devices, links, routes)


def _num_present(device: str) -> int:
    if device == "cpu":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if device != "cuda":
        raise SettingError(f"a device to profile is cpu or cuda, got {device!r}")
    import torch

    if not torch.cuda.is_available():
        raise InputError("a GPU was wanted, torch finds none: profile the cpu")
    return torch.cuda.device_count()


def _memory_bytes(device: str, num_devices: int) -> float:
    if device == "cpu":
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / num_devices
        except (AttributeError, ValueError, OSError):
            return 4e9
    import torch

    return float(torch.cuda.get_device_properties(0).total_memory)


def _copy_bytes_per_s() -> float:
    source = np.ones(HAND_OVER_BYTES // 4, np.float32)
    target = np.empty_like(source)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - began)
    return HAND_OVER_BYTES / float(np.median(times))


def _hand_over_us() -> float:
    """Half the time in which a byte goes to another process and comes back."""
    echo = "import os\nwhile os.read(0, 1):\n os.write(1, b'x')\n"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin is not None
    assert process.stdout is not None
    times = []
    with process, process.stdin as there, process.stdout as back:
        for _ in range(NUM_HAND_OVERS):
            began = time.perf_counter()
            there.write(b"x")
            back.read(1)
            times.append(time.perf_counter() - began)
        there.close()
    return float(np.median(times)) * 1e6 / 2


def _between_gpus() -> tuple[float, float]:
    import torch

    def seconds(size_bytes: int) -> float:
        source = torch.zeros(size_bytes, dtype=torch.uint8, device="cuda:0")
        times = []
        for _ in range(7):
            torch.cuda.synchronize(0)
            began = time.perf_counter()
            source.to("cuda:1")
            torch.cuda.synchronize(1)
            times.append(time.perf_counter() - began)
        return sorted(times)[3]

    small, large = seconds(1), seconds(HAND_OVER_BYTES)
    return HAND_OVER_BYTES / max(large - small, 1e-9), small * 1e6
