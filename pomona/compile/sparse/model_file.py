"""What a sparse session is given, as one ONNX model: a file, the bytes of one, or an artifact's folder."""

from pathlib import Path

from pomona.export.predictors.onnx import ONNX_FILE, WITHOUT_ONNX
from pomona.foundation.artifact import read_artifact
from pomona.foundation.errors import ArtifactError


def onnx_source(model: str | Path | bytes) -> Path | bytes:
    """The ONNX file of an artifact, the file that is named, or the bytes.

    Raises ArtifactError when there is no such file or the artifact has none.
    """
    if isinstance(model, bytes):
        return model
    path = Path(model)
    if not path.is_dir():
        if not path.is_file():
            raise ArtifactError(f"there is no file or artifact {path}")
        return path
    file = path / ONNX_FILE
    if not file.is_file():
        reason = read_artifact(path).settings.get(WITHOUT_ONNX, "it was saved without one")
        raise ArtifactError(f"{path} has no {ONNX_FILE} ({reason}), which the runtime sparse reads")
    return file
