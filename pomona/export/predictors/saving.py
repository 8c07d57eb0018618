"""Writing predictors: what the artifacts of all kinds have in common."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from pomona.export.example import input_names, random_batch
from pomona.export.onnx import export_onnx
from pomona.export.predictors.onnx import ONNX_FILE, WITHOUT_ONNX
from pomona.foundation.artifact import Artifact, write_artifact
from pomona.foundation.errors import MissingExtraError, SpecError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task


def describe_task(task: Task, kind: str, **fields: Any) -> Artifact:
    """An artifact of this kind of predictor for the task; `fields` are further fields of Artifact."""
    return Artifact(
        kind=kind,
        task_name=task.name,
        task_kind=task.kind,
        inputs={name: feature.to_json() for name, feature in task.inputs.items()},
        targets={name: feature.to_json() for name, feature in task.targets.items()},
        preprocessing=task.preprocessing.to_json(),
        **fields,
    )


def save(
    folder: Path,
    task: Task,
    artifact: Artifact,
    module: nn.Module,
    *,
    example: Batch | None,
    files: Mapping[str, bytes | Path] | None = None,
    children: Mapping[str, Path] | None = None,
) -> Path:
    """Writes the artifact with the ONNX file of `module`; returns the folder.

    Without an `example`, and where the network cannot be exported, there is no ONNX file, and the artifact
    says why: a trained network is never lost for that.
    """
    files = dict(files or {})
    reason = "it was saved without one"
    with tempfile.TemporaryDirectory(prefix="pomona-") as temporary:
        if example is not None:
            inputs = {name: example[name] for name in input_names(task.inputs)}
            other = random_batch(task.inputs, 3, generator=stream(0, "parity"))
            try:
                path = Path(temporary) / ONNX_FILE
                files[ONNX_FILE] = export_onnx(module, inputs, path, artifact=artifact, others=(other,))
            except (SpecError, MissingExtraError) as error:
                reason = str(error)
        if ONNX_FILE not in files:
            artifact = replace(artifact, settings={**artifact.settings, WITHOUT_ONNX: reason})
        return write_artifact(folder, artifact, files=files, children=children)
