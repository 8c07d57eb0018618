"""The machine that a user names: a number of devices, a preset or a YAML file."""

import math
from dataclasses import replace
from pathlib import Path

from pomona.compile.placement.machine.machine import Machine
from pomona.compile.placement.machine.presets import PRESETS, pcie_gpus
from pomona.foundation.errors import SettingError, unknown_name

MOST_DEVICES = 256


def machine_of(text: str, memory_bytes: float | None = None) -> Machine:
    """The machine for `text`: "4" is four default GPUs; else a preset's name or the path of a YAML file.

    `memory_bytes` takes the place of every device's memory.

    >>> machine_of("2").name, len(machine_of("p2.8xlarge").devices)
    ('gpu-2', 8)
    """
    machine = _named(str(text).strip())
    if memory_bytes is None:
        return machine
    if not math.isfinite(memory_bytes) or memory_bytes <= 0:
        raise SettingError(f"memory should be a number of bytes above 0, is {memory_bytes}")
    devices = tuple(replace(device, memory_bytes=float(memory_bytes)) for device in machine.devices)
    return replace(machine, devices=devices)


def _named(text: str) -> Machine:
    if text.lstrip("+-").isdigit():
        num_devices = int(text)
        if not 1 <= num_devices <= MOST_DEVICES:
            raise SettingError(f"between 1 and {MOST_DEVICES} devices were wanted, got {text}")
        return pcie_gpus(num_devices)
    if text in PRESETS:
        return PRESETS[text]()
    if Path(text).suffix in (".yaml", ".yml", ".json") or Path(text).is_file():
        from pomona.compile.placement.machine.yaml_file import read_machine

        return read_machine(Path(text))
    raise unknown_name("machine (a number, a preset or a YAML file)", text, PRESETS)
