"""Machines that people know, by name. Rates are the makers' peaks unless said."""

from collections.abc import Callable
from dataclasses import replace

from pomona.compile.placement.machine.machine import Device, Link, Machine

GIGA = 1e9
TERA = 1e12

GPU = Device("gpu", 14 * TERA, 900 * GIGA, 16 * GIGA, 5.0)
"""The class of a P100 or V100 in float32."""


def pcie_gpus(num_devices: int) -> Machine:
    """Equal GPUs of 14 TFLOP/s, 900 GB/s and 16 GB; each sends over one serial bus of 12 GB/s and 10 us."""
    return _own_bus(f"gpu-{num_devices}", GPU, num_devices, Link("bus", 12 * GIGA, 10.0))


def placeto(num_devices: int) -> Machine:
    """A p2.8xlarge as Placeto simulates it (its tf_sim.py): serial bus a source device, 7,600 bytes/us, 25 us
    a transfer, 5.7 us between operations.

    Placeto keeps the bus busy for those 25 us after the data has arrived, here they come before: the bus is
    held equally long. Its operations are measured; here they take one of a K80's two dies
    (4.37 TFLOP/s, 240 GB/s).
    """
    device = Device("k80", 4.37 * TERA, 240 * GIGA, 12 * GIGA, 5.7)
    return _own_bus("placeto", device, num_devices, Link("bus", 7.6 * GIGA, 25.0))


def nvlink_gpus(num_devices: int) -> Machine:
    """V100s of 32 GB with 15.7 TFLOP/s; every pair and direction has a link of 50 GB/s and 5 us."""
    device = Device("v100", 15.7 * TERA, 900 * GIGA, 32 * GIGA, 5.0)
    return _all_pairs("nvlink", device, num_devices, Link("nvlink", 50 * GIGA, 5.0))


def one_bus(num_devices: int) -> Machine:
    """The default GPUs behind one switch whose 12 GB/s all transfers share."""
    devices = _numbered(GPU, num_devices)
    routes = tuple(tuple(-1 if a == b else 0 for b in range(num_devices)) for a in range(num_devices))
    links = (Link("switch", 12 * GIGA, 10.0, "shared"),) if num_devices > 1 else ()
    return Machine("one-bus", devices, links, routes)


def cpu_cores(num_devices: int) -> Machine:
    """Cores of one processor, a worker each: 80 GFLOP/s and 12 GB/s a core, all copies share 10 GB/s.

    Round figures for a server core in float32; `profile` measures those of your machine.
    """
    devices = _numbered(Device("core", 80 * GIGA, 12 * GIGA, 4 * GIGA, 4.0), num_devices)
    routes = tuple(tuple(-1 if a == b else 0 for b in range(num_devices)) for a in range(num_devices))
    links = (Link("memory", 10 * GIGA, 8.0, "shared"),) if num_devices > 1 else ()
    return Machine("cpu", devices, links, routes)


PRESETS: dict[str, Callable[[], Machine]] = {
    "gpu-2": lambda: pcie_gpus(2),
    "gpu-4": lambda: pcie_gpus(4),
    "gpu-8": lambda: pcie_gpus(8),
    "one-bus-4": lambda: one_bus(4),
    "p2.8xlarge": lambda: placeto(8),
    "nvlink-4": lambda: nvlink_gpus(4),
    "nvlink-8": lambda: nvlink_gpus(8),
    "cpu-2": lambda: cpu_cores(2),
    "cpu-4": lambda: cpu_cores(4),
}


def _own_bus(name: str, device: Device, num_devices: int, link: Link) -> Machine:
    devices = _numbered(device, num_devices)
    links = tuple(replace(link, name=f"{link.name} of {one.name}") for one in devices)
    routes = tuple(tuple(-1 if a == b else a for b in range(num_devices)) for a in range(num_devices))
    return Machine(name, devices, links if num_devices > 1 else (), routes)


def _all_pairs(name: str, device: Device, num_devices: int, link: Link) -> Machine:
    devices = _numbered(device, num_devices)
    pairs = [(a, b) for a in range(num_devices) for b in range(num_devices) if a != b]
    links = tuple(replace(link, name=f"{devices[a].name} to {devices[b].name}") for a, b in pairs)
    index = {pair: number for number, pair in enumerate(pairs)}
    routes = tuple(tuple(index.get((a, b), -1) for b in range(num_devices)) for a in range(num_devices))
    return Machine(name, devices, links, routes)


def _numbered(device: Device, num_devices: int) -> tuple[Device, ...]:
    return tuple(replace(device, name=f"{device.name}{number}") for number in range(num_devices))
