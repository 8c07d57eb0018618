"""The baselines on record: for each task a network, how it is trained, and the settings of every method.

They are data, `tuned.json`, so that a baseline can be run again by its name:

    task → {"network": name, "fit": fields of FitSettings that differ from their defaults,
            "methods": {method: {"point": hyperparameters, "valid": score, "trials": how many were tried}}}
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.files import read_json, write_json

FILE = Path(__file__).with_name("tuned.json")


@functools.cache
def recorded() -> dict[str, Any]:
    """All baselines by task."""
    return read_json(FILE)


def baseline(task: str, network: str) -> Mapping[str, Any]:
    """What is on record for a task and a network; empty for none."""
    found = recorded().get(task, {})
    return found if found.get("network") == network else {}


def record(task: str, methods: Mapping[str, Any], path: Path = FILE) -> None:
    """Adds what was tuned for a task to the file."""
    known = read_json(path)
    entry = known[task]
    known[task] = {**entry, "methods": {**entry.get("methods", {}), **methods}}
    write_json(path, known)
    recorded.cache_clear()
