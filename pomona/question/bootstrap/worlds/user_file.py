"""A user's own world: a Python file with a function `draw`.

    TARGET = "label"

    def draw(generator, num_examples):
        label = generator.integers(0, 2, num_examples)
        x = generator.normal(size=(num_examples, 8)) + label[:, None]
        return {"x": x, "label": label.astype(str)}

Everything random comes from `generator`, a numpy.random.Generator. The file is run.
"""

import importlib.util
from pathlib import Path
from typing import Any

from pomona.foundation.errors import DataError, SettingError
from pomona.question.bootstrap.worlds.drawn_task import Draw, drawn_task, redrawn
from pomona.tasks.task import Task


def file_task(path: Path, *, seed: int) -> Task:
    """The task of telling `TARGET` (otherwise "label") from the other arrays that the file draws."""
    names = _run(path)
    target = names.get("TARGET", "label")
    return drawn_task(path.stem, _draw(path, names), target, seed=seed, about=f"what {path.name} draws")


def task_from_file(path: Path, task: Task, *, seed: int) -> Task:
    """The task with examples that the file draws, as raw as the task's own are before they are prepared."""
    return redrawn(task, _draw(path, _run(path)), name=path.stem, seed=seed)


def _run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SettingError(
            f"no file {path}: give a Python file with a function draw(generator, num_examples)"
        )
    description = importlib.util.spec_from_file_location(f"pomona_user_world_{path.stem}", path)
    assert description is not None
    assert description.loader is not None
    module = importlib.util.module_from_spec(description)
    try:
        description.loader.exec_module(module)
    except Exception as error:
        raise DataError(f"{path} fails: {type(error).__name__}: {error}") from error
    return vars(module)


def _draw(path: Path, names: dict[str, Any]) -> Draw:
    draw = names.get("draw")
    if not callable(draw):
        raise SettingError(f"{path} has no function draw: write `def draw(generator, num_examples) -> dict`")

    def drawn(generator: Any, num_examples: int) -> Any:
        try:
            return draw(generator, num_examples)
        except Exception as error:
            raise DataError(f"{path}: draw fails: {type(error).__name__}: {error}") from error

    return drawn
