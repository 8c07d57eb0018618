"""From a path to a predictor."""

import importlib
from pathlib import Path
from typing import Literal, get_args

from pomona.export.predictors.onnx import OpenSession, load_onnx, load_onnx_file, open_in_onnx_runtime
from pomona.export.predictors.predictor import Predictor
from pomona.foundation.artifact import PREDICTORS, read_artifact
from pomona.foundation.errors import ArtifactError, InputError, unknown_name

Runtime = Literal["torch", "onnx"]


def load(
    path: str | Path,
    *,
    blocks: str | Path | None = None,
    runtime: Runtime = "torch",
    open_session: OpenSession | None = None,
) -> Predictor:
    """The predictor in an artifact folder or in an ONNX file that Pomona exported.

    `blocks` is the file of the user's own blocks, which a network that was made with it needs. With the
    runtime onnx the exported network is run, without torch; `open_session` gives what runs it in place of
    ONNX Runtime. Raises ArtifactError for anything that is no
    whole artifact.
    """
    if runtime not in get_args(Runtime):
        raise unknown_name("runtime", runtime, get_args(Runtime))
    path, opened = Path(path), open_session or open_in_onnx_runtime
    if path.is_file() and path.suffix == ".onnx":
        return load_onnx_file(path, open_session=opened)
    artifact = read_artifact(path)
    try:
        if runtime == "onnx" or open_session is not None:
            return load_onnx(path, artifact, open_session=opened)
        module, _, function = PREDICTORS[artifact.kind].partition(":")
        return getattr(importlib.import_module(module), function)(path, artifact, blocks=blocks)
    except ArtifactError:
        raise
    except InputError as error:
        # a description of another version: its hash is right and still it means nothing here
        raise ArtifactError(f"{path} was written by Pomona {artifact.pomona}: {error}") from error
