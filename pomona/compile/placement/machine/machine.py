"""What plans run on: devices, the links between them, and how fast each is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pomona.foundation.errors import InputError


@dataclass(frozen=True)
class Device:
    """One processor with a memory of its own."""

    name: str
    flops_per_s: float
    bytes_per_s: float  # of its memory
    memory_bytes: float
    launch_us: float  # what starting one operation costs
    efficiency: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Op name → fraction of flops_per_s that it reaches; 1 for those not named."""

    def __post_init__(self) -> None:
        for name in ("flops_per_s", "bytes_per_s", "memory_bytes"):
            _check_number(f"{name} of device {self.name!r}", getattr(self, name), positive=True)
        _check_number(f"launch_us of device {self.name!r}", self.launch_us)
        for op_name, fraction in self.efficiency.items():
            _check_number(f"efficiency of {op_name!r} on device {self.name!r}", fraction, positive=True)


@dataclass(frozen=True)
class Link:
    """A wire or bus. A transfer of b bytes holds it for latency_us + b / bytes_per_s.

    serial: one transfer at a time, in order; shared: all transfers in flight get equal parts of the
    bandwidth, each after a latency of its own.
    """

    name: str
    bytes_per_s: float
    latency_us: float
    mode: Literal["serial", "shared"] = "serial"

    def __post_init__(self) -> None:
        _check_number(f"bytes_per_s of link {self.name!r}", self.bytes_per_s, positive=True)
        _check_number(f"latency_us of link {self.name!r}", self.latency_us)
        if self.mode not in ("serial", "shared"):
            raise InputError(f"mode of link {self.name!r} should be serial or shared, is {self.mode!r}")


@dataclass(frozen=True)
class Machine:
    """Devices and links; `routes[from][to]` is the index of the link that a transfer takes, else -1."""

    name: str
    devices: tuple[Device, ...]
    links: tuple[Link, ...]
    routes: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        num = len(self.devices)
        if num == 0:
            raise InputError(f"machine {self.name!r} needs at least one device")
        if len({device.name for device in self.devices}) < num:
            raise InputError(f"devices of machine {self.name!r} need different names")
        if len(self.routes) != num or any(len(row) != num for row in self.routes):
            raise InputError(f"routes of machine {self.name!r} should be {num} rows of {num} links")
        for start, row in enumerate(self.routes):
            for end, link in enumerate(row):
                if (start == end) != (link == -1) or not -1 <= link < len(self.links):
                    raise InputError(
                        f"the route of machine {self.name!r} from {self.devices[start].name!r} to "
                        f"{self.devices[end].name!r} names link {link}: -1 within a device, else one of the "
                        f"{len(self.links)} links"
                    )


def _check_number(what: str, value: object, *, positive: bool = False) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not isinstance(value, int | float) or not is_number or value < 0 or (positive and value == 0):
        wanted = "a number above 0" if positive else "a number of at least 0"
        raise InputError(f"{what} should be {wanted}, is {value!r}")
