"""The baselines on record: for each task a network, how it is trained, and the settings of every method.

They are data, a file a task in the folder `tuned`, so that a baseline can be run again by its name:

    {"network": name, "fit": fields of FitSettings that differ from their defaults,
     "methods": {method: {"point": hyperparameters, "valid": score, "trials": how many points were tried}}}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.errors import unknown_name
from pomona.foundation.files import read_json, write_json

FOLDER = Path(__file__).with_name("tuned")


def recorded_tasks(folder: Path = FOLDER) -> list[str]:
    """The tasks with baselines."""
    return sorted(path.stem for path in folder.glob("*.json"))


def baseline(task: str, network: str, folder: Path = FOLDER) -> Mapping[str, Any]:
    """What is on record for a task and a network; empty for none."""
    if task not in recorded_tasks(folder):
        return {}
    found = baseline_of(task, folder)
    return found if found["network"] == network else {}


def baseline_of(task: str, folder: Path = FOLDER) -> Mapping[str, Any]:
    """What is on record for a task. Raises SettingError for one without a baseline."""
    known = recorded_tasks(folder)
    if task not in known:
        raise unknown_name("task with baselines", task, known)
    return read_json(folder / f"{task}.json")


def record(task: str, methods: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """Adds what was tuned for methods of a task."""
    known = baseline_of(task, folder)
    write_json(folder / f"{task}.json", {**known, "methods": {**known["methods"], **methods}})
