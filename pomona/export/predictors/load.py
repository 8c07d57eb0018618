"""From a path to a predictor."""

import importlib
from pathlib import Path
from typing import Literal, get_args

from pomona.export.predictors.onnx import load_onnx, load_onnx_file
from pomona.export.predictors.predictor import Predictor
from pomona.foundation.artifact import PREDICTORS, read_artifact
from pomona.foundation.errors import ArtifactError, InputError, unknown_name

Runtime = Literal["torch", "onnx"]


def load(path: str | Path, *, blocks: str | Path | None = None, runtime: Runtime = "torch") -> Predictor:
    """The predictor in an artifact folder or in an ONNX file that Pomona exported.

    `blocks` is the file of the user's own blocks, which a network that was made with it needs. With the
    runtime onnx the exported network is run, without torch. Raises ArtifactError for anything that is no
    whole artifact.
    """
    if runtime not in get_args(Runtime):
        raise unknown_name("runtime", runtime, get_args(Runtime))
    path = Path(path)
    if path.is_file() and path.suffix == ".onnx":
        return load_onnx_file(path)
    artifact = read_artifact(path)
    try:
        if runtime == "onnx":
            return load_onnx(path, artifact)
        module, _, function = PREDICTORS[artifact.kind].partition(":")
        return getattr(importlib.import_module(module), function)(path, artifact, blocks=blocks)
    except ArtifactError:
        raise
    except InputError as error:
        # a description of another version: its hash is right and still it means nothing here
        raise ArtifactError(f"{path} was written by Pomona {artifact.pomona}: {error}") from error
