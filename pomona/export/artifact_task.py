"""The task that an artifact was made for, found again: its name or the data of the run that made it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.artifact import Artifact
from pomona.foundation.errors import ArtifactError, InputError
from pomona.foundation.files import read_json
from pomona.foundation.run_folder import RUN_FILE
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


def artifact_task(
    folder: Path, artifact: Artifact, *, task: str | None = None, data: DataOptions = DataOptions()
) -> Task:
    """The task whose features are the artifact's; `task` names it or its data where the run is gone.

    Raises ArtifactError when it cannot be had, or has other features than the model.
    """
    candidates = [task] if task else [made_by(folder).get("subject"), artifact.task_name]
    reason = ""
    for candidate in filter(None, candidates):
        try:
            found = load_task(candidate, **data.given())
        except InputError as error:
            reason = str(error)
            continue
        if other := _difference(artifact, found):
            reason = f"{candidate} has other {other} than the model"
            continue
        return found
    raise ArtifactError(f"the task of {folder} cannot be had ({reason}): name it or its data with --task")


def made_by(folder: Path) -> dict[str, Any]:
    """What the run that made the artifact says of itself; empty where it is gone."""
    path = folder.resolve().parent / RUN_FILE
    try:
        return read_json(path) if path.exists() else {}
    except (OSError, ValueError):
        return {}


def _difference(artifact: Artifact, task: Task) -> str:
    """Which features of a task are not the model's; "" where all are."""
    sides: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("inputs", artifact.inputs, task.inputs),
        ("targets", artifact.targets, task.targets),
    )
    for side, kept, own in sides:
        if dict(kept) != {name: feature.to_json() for name, feature in own.items()}:
            return side
    return ""
