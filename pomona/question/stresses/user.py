"""A user's own stresses, from a Python file."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

from pomona.foundation.errors import SettingError
from pomona.question.stresses.changed import ChangedSource
from pomona.question.stresses.clean import clean
from pomona.tasks.source import Source
from pomona.tasks.task import Task

EXAMPLE = "write `def darker(batch, generator): return batch | {'image': batch['image'] - 0.5}`"


def user_stresses(path: str | Path, task: Task, seed: int) -> dict[str, Source]:
    """The splits that the public functions of a file make. The file is run.

    A function of `batch` and `generator` returns the changed batch, and is a stress of its own name; one of
    `task` and `seed` returns splits by name. Raises SettingError when the file fails or has neither.
    """
    path = Path(path)
    found: dict[str, Source] = {}
    source = clean(task, seed)
    for name, function in _functions(path).items():
        first = next(iter(inspect.signature(function).parameters), "")
        if first == "task":
            found |= function(task, seed)
        elif first == "batch":
            found[name.replace("_", "-")] = ChangedSource(source, function, name, seed)
    if not found:
        raise SettingError(f"{path} has no stress: {EXAMPLE}")
    return found


def _functions(path: Path) -> dict:
    module = _run(path)
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def _run(path: Path) -> ModuleType:
    description = importlib.util.spec_from_file_location("pomona_user_stress", path)
    if not path.is_file() or description is None or description.loader is None:
        raise SettingError(f"no Python file {path}: give a file with stresses; {EXAMPLE}")
    module = importlib.util.module_from_spec(description)
    try:
        description.loader.exec_module(module)
    except Exception as error:
        raise SettingError(f"{path} fails: {type(error).__name__}: {error}") from error
    return module
