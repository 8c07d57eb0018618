"""Machines as YAML files.

```yaml
name: workstation
devices:                      # at least one
  - name: gpu                 # with count: 2 they are called gpu0 and gpu1
    count: 2                  # default 1
    flops_per_s: 14e12        # peak
    bytes_per_s: 900e9        # of the device's memory
    memory_bytes: 16e9
    launch_us: 5              # default 0
    efficiency:               # op name: fraction of the peak that it reaches; default 1
      convolution: 0.7
  - name: cpu
    flops_per_s: 1e12
    bytes_per_s: 80e9
    memory_bytes: 64e9
links:                        # every pair of devices needs one; of several that fit a pair the last counts
  - name: pcie
    bytes_per_s: 12e9
    latency_us: 10            # default 0
    mode: serial              # or shared; default serial
    each: device              # one a sending device; or pair: one a pair; or all (default): one for everybody
  - name: nvlink
    bytes_per_s: 50e9
    from: [gpu]               # names, with or without the number; default every device
    to: [gpu]
    each: pair
```

In place of `from` and `to` a link may have `pairs: [[gpu0, gpu1], …]`.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from pomona.compile.placement.machine.machine import Device, Link, Machine
from pomona.foundation.errors import DataError, InputError
from pomona.foundation.files import read_text, write_bytes

_MACHINE = {"name", "devices", "links"}
_DEVICE = {"name", "count", "flops_per_s", "bytes_per_s", "memory_bytes", "launch_us", "efficiency"}
_LINK = {"name", "bytes_per_s", "latency_us", "mode", "each", "from", "to", "pairs"}
_EACH = ("all", "device", "pair")


def read_machine(path: Path) -> Machine:
    """The machine in a YAML file of the form above. Raises DataError naming the entry that is wrong."""
    path = Path(path)
    try:
        values = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise DataError(
            f"{path} should be YAML with devices and links, but cannot be read: {problem}"
        ) from None
    try:
        return _machine(values, path.stem)
    except InputError as error:
        raise DataError(f"{path}: {error}") from None


def write_machine(machine: Machine, path: Path) -> None:
    """Writes the machine in the form above, so that `read_machine` gives it back."""
    names = [device.name for device in machine.devices]
    pairs: list[list[list[str]]] = [[] for _ in machine.links]
    for start, row in enumerate(machine.routes):
        for end, link in enumerate(row):
            if link >= 0:
                pairs[link].append([names[start], names[end]])
    values = {
        "name": machine.name,
        "devices": [
            {
                "name": device.name,
                "flops_per_s": float(device.flops_per_s),
                "bytes_per_s": float(device.bytes_per_s),
                "memory_bytes": float(device.memory_bytes),
                "launch_us": float(device.launch_us),
                "efficiency": {name: float(part) for name, part in device.efficiency.items()},
            }
            for device in machine.devices
        ],
        "links": [
            {
                "name": link.name,
                "bytes_per_s": float(link.bytes_per_s),
                "latency_us": float(link.latency_us),
                "mode": link.mode,
                "pairs": served,
            }
            for link, served in zip(machine.links, pairs, strict=True)
        ],
    }
    write_bytes(Path(path), yaml.safe_dump(values, sort_keys=False, allow_unicode=True).encode())


def _machine(values: Any, stem: str) -> Machine:
    _check_keys("the machine", values, _MACHINE)
    devices = tuple(device for entry in _entries(values, "devices") for device in _devices(entry))
    links: list[Link] = []
    route: dict[tuple[int, int], int] = {}
    for entry in _entries(values, "links"):
        _add_links(entry, devices, links, route)
    for start, end in product(range(len(devices)), repeat=2):
        if start != end and (start, end) not in route:
            names = f"{devices[start].name!r} to {devices[end].name!r}"
            raise DataError(f"no link leads from {names}: add one under links")
    used = sorted(set(route.values()))
    routes = tuple(
        tuple(used.index(route[start, end]) if start != end else -1 for end in range(len(devices)))
        for start in range(len(devices))
    )
    return Machine(str(values.get("name", stem)), devices, tuple(links[index] for index in used), routes)


def _devices(entry: dict[str, Any]) -> list[Device]:
    _check_keys("a device", entry, _DEVICE)
    name, count = str(entry.get("name", "device")), entry.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise DataError(f"count of device {name!r} should be a whole number above 0, is {count!r}")
    efficiency = entry.get("efficiency") or {}
    if not isinstance(efficiency, dict):
        raise DataError(f"efficiency of device {name!r} should be op names with fractions, is {efficiency!r}")
    made = Device(
        name,
        flops_per_s=_number(entry, "flops_per_s", name),
        bytes_per_s=_number(entry, "bytes_per_s", name),
        memory_bytes=_number(entry, "memory_bytes", name),
        launch_us=_number(entry, "launch_us", name, default=0.0),
        efficiency={str(op): _number(efficiency, op, name) for op in efficiency},
    )
    if count == 1:
        return [made]
    return [replace(made, name=f"{name}{number}") for number in range(count)]


def _add_links(
    entry: dict[str, Any],
    devices: tuple[Device, ...],
    links: list[Link],
    route: dict[tuple[int, int], int],
) -> None:
    _check_keys("a link", entry, _LINK)
    name, each = str(entry.get("name", "link")), entry.get("each", "all")
    if each not in _EACH:
        raise DataError(f"each of link {name!r} should be one of {', '.join(_EACH)}, is {each!r}")
    bytes_per_s = _number(entry, "bytes_per_s", name)
    latency_us = _number(entry, "latency_us", name, default=0.0)
    of_key: dict[tuple[int, ...], int] = {}
    for start, end in _pairs(entry, devices, name):
        key = {"all": (), "device": (start,), "pair": (start, end)}[each]
        if key not in of_key:
            suffix = {
                "all": "",
                "device": f" of {devices[start].name}",
                "pair": f" from {devices[start].name} to {devices[end].name}",
            }[each]
            of_key[key] = len(links)
            links.append(Link(name + suffix, bytes_per_s, latency_us, entry.get("mode", "serial")))
        route[start, end] = of_key[key]


def _pairs(entry: dict[str, Any], devices: tuple[Device, ...], name: str) -> list[tuple[int, int]]:
    if "pairs" not in entry:
        ends = [_chosen(entry.get(side), devices, f"{side} of link {name!r}") for side in ("from", "to")]
        return [(start, end) for start, end in product(*ends) if start != end]
    pairs = entry["pairs"]
    if not isinstance(pairs, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise DataError(f"pairs of link {name!r} should be [[from, to], …], is {pairs!r}")
    what = f"pairs of link {name!r}"
    sides = [[_chosen([end], devices, what) for end in pair] for pair in pairs]
    return [(start, end) for a, b in sides for start, end in product(a, b) if start != end]


def _chosen(names: Any, devices: tuple[Device, ...], what: str) -> list[int]:
    if names is None:
        return list(range(len(devices)))
    found: list[int] = []
    for name in names if isinstance(names, list) else [names]:
        exact = [index for index, device in enumerate(devices) if device.name == str(name)]
        kind = [
            index for index, device in enumerate(devices) if device.name.rstrip("0123456789") == str(name)
        ]
        if not exact and not kind:
            known = ", ".join(device.name for device in devices)
            raise DataError(f"{what} names {name!r}, which is no device: known: {known}")
        found.extend(exact or kind)
    return found


def _entries(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = values.get(key, [])
    if not isinstance(entries, list) or (key == "devices" and not entries):
        raise DataError(f"{key} should be a list with an entry for each, is {entries!r}")
    return entries


def _check_keys(what: str, values: Any, known: set[str]) -> None:
    if not isinstance(values, dict):
        raise DataError(f"{what} should have fields ({', '.join(sorted(known))}), is {values!r}")
    unknown = [str(key) for key in values if key not in known]
    if unknown:
        raise DataError(f"{what} has an unknown field {unknown[0]!r}: known: {', '.join(sorted(known))}")


def _number(entry: dict[str, Any], key: Any, name: str, *, default: float | None = None) -> float:
    value = entry.get(key, default)
    if value is None:
        raise DataError(f"{name!r} has no {key}: give it a number")
    try:
        # YAML reads 14e12 as text: it wants a point and a sign
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{key} of {name!r} should be a number, is {value!r}") from None
