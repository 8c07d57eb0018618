"""What there is to say of a task, for people and programs."""

import importlib
from typing import Any

from pomona.foundation.errors import unknown_name
from pomona.tasks.builtin import TASKS
from pomona.tasks.load import load_task


def list_tasks() -> list[dict[str, str]]:
    """Name and first line of every built-in task; no data is read."""
    return [{"name": name, "about": _first_line(module)} for name, module in TASKS.items()]


def describe_task(name: str) -> dict[str, Any]:
    """The schema, splits, metrics and licence of a built-in task; its data is fetched when it is absent."""
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    task = load_task(name)
    return {
        "name": task.name,
        "about": _first_line(TASKS[name]),
        "kind": task.kind,
        "inputs": {name: feature.to_json() for name, feature in task.inputs.items()},
        "targets": {name: feature.to_json() for name, feature in task.targets.items()},
        "splits": {split: source.size for split, source in task.splits.items()},
        "metrics": list(task.metrics),
        "licence": task.licence,
        "fingerprint": task.fingerprint,
        "notes": list(task.notes),
    }


def _first_line(module: str) -> str:
    line = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
    # a module's docstring names its task first: "`digits`: handwritten digits"
    return line.partition(": ")[2] or line
