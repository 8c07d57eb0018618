"""Tasks by name or path."""

import importlib
import inspect
from pathlib import Path
from typing import Any

from pomona.foundation.errors import DataError, unknown_name
from pomona.tasks.builtin import TASKS
from pomona.tasks.task import Task


def load_task(subject: str | Path, **options: Any) -> Task:
    """A built-in task by name, or the task of a user's file or folder.

    Options of a built-in are those of its `make`, of a path those of `readers.open_task`; an option that is
    None counts as not given.

    >>> load_task("digits").inputs["image"].shape
    (1, 8, 8)
    """
    given = {name: value for name, value in options.items() if value is not None}
    name = str(subject).lower().replace("_", "-")
    if isinstance(subject, str) and name in TASKS:
        make = importlib.import_module(TASKS[name]).make
        known = inspect.signature(make).parameters
        for option in given:
            if option not in known:
                raise unknown_name(f"option of the task {name}", option, known)
        return make(**given)
    path = Path(subject).expanduser()
    if path.exists():
        from pomona.tasks.readers import open_task

        return open_task(path, **given)
    if path.suffix or len(path.parts) > 1:
        raise DataError(f"no such file or folder: {subject}; built-in tasks are {', '.join(TASKS)}")
    raise unknown_name("task or file", subject, TASKS)
