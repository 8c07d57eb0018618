"""Opening models in ONNX Runtime, quietly and with words for what goes wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pomona.foundation.errors import ArtifactError, MissingExtraError

CPU = ("CPUExecutionProvider",)


def open_model(
    model: str | Path | bytes,
    *,
    threads: int,
    providers: Sequence[Any] = CPU,
    entries: Mapping[str, str] | None = None,
) -> Any:
    """The onnxruntime.InferenceSession of a file or of the bytes of one; `entries` are its settings by name.

    Raises ArtifactError when ONNX Runtime cannot load the model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # errors are raised; what else it would print belongs to nobody's output
    options.log_severity_level = 4
    for name, value in (entries or {}).items():
        options.add_session_config_entry(name, value)
    source = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(source, options, providers=list(providers), enable_fallback=False)
    except Exception as error:
        where = "the model" if isinstance(model, bytes) else source
        raise ArtifactError(f"ONNX Runtime cannot load {where}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error of ONNX Runtime says, without the rest."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
