"""What a sparse session runs, as an ONNX model: a file, its bytes, a TFLite file, an artifact's folder."""

from pathlib import Path

from pomona.foundation.errors import ArtifactError


def onnx_source(model: str | Path | bytes) -> Path | bytes:
    """The ONNX file of an artifact, the file that is named, or the bytes; a TFLite file as an ONNX model.

    Raises ArtifactError when there is no such file, the artifact has none, or a TFLite file cannot be read.
    """
    if isinstance(model, bytes):
        return model
    path = Path(model)
    if path.is_dir():
        return _of_artifact(path)
    if not path.is_file():
        raise ArtifactError(f"there is no file or artifact {path}")
    if path.suffix != ".tflite":
        return path
    from pomona.compile.tflite.convert import tflite_as_onnx

    return tflite_as_onnx(path)


def _of_artifact(folder: Path) -> Path:
    # a session of a file starts sooner without what reads artifacts
    from pomona.export.predictors.onnx import ONNX_FILE, WITHOUT_ONNX
    from pomona.foundation.artifact import read_artifact

    file = folder / ONNX_FILE
    if not file.is_file():
        reason = read_artifact(folder).settings.get(WITHOUT_ONNX, "it was saved without one")
        raise ArtifactError(f"{folder} has no {ONNX_FILE} ({reason}), which the runtime sparse reads")
    return file
