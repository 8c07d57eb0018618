"""A session that runs an ONNX model in ONNX Runtime; it needs no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pomona.export.sessions.onnx_runtime import first_line, open_model
from pomona.foundation.errors import ArtifactError, DataError


class OnnxSession:
    """Runs an ONNX model, from a file or from the bytes of one, on the CPU.

    Raises ArtifactError when ONNX Runtime cannot load the model.
    """

    def __init__(self, model: str | Path | bytes, *, threads: int = 1):
        self._session = open_model(model, threads=threads)
        self.threads = threads
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        self._outputs = [entry.name for entry in self._session.get_outputs()]

    @property
    def metadata(self) -> dict[str, str]:
        """The properties that are stored in the model."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def inputs(self) -> dict[str, tuple[tuple[int | None, ...], np.dtype]]:
        """Input → shape, with None for a free axis, and dtype. Raises ArtifactError for what is no number."""
        return {
            entry.name: (tuple(s if isinstance(s, int) else None for s in entry.shape), _dtype(entry))
            for entry in self._session.get_inputs()
        }

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Head → its output. Raises DataError when an input is missing or has another shape or type."""
        missing = [name for name in self._inputs if name not in inputs]
        if missing:
            raise DataError(
                f"the model reads {', '.join(self._inputs)}; the batch lacks {', '.join(missing)}"
            )
        try:
            outputs = self._session.run(None, {name: inputs[name] for name in self._inputs})
        except Exception as error:
            raise DataError(f"ONNX Runtime refuses the batch: {first_line(error)}") from error
        return {
            head_name(name): np.asarray(output) for name, output in zip(self._outputs, outputs, strict=True)
        }


def output_name(head: str, inputs: list[str]) -> str:
    """The name of a head in the graph, where an input and an output cannot have the same."""
    return f"{head}{_SUFFIX}" if head in inputs or head.endswith(_SUFFIX) else head


_SUFFIX = ".head"

_DTYPES = {"float": "float32", "double": "float64", "half": "float16"}


def _dtype(entry: Any) -> np.dtype:
    name = entry.type.removeprefix("tensor(").removesuffix(")")
    try:
        return np.dtype(_DTYPES.get(name, name))
    except TypeError:
        raise ArtifactError(
            f"input {entry.name!r} of the model is {entry.type}, not an array of numbers"
        ) from None


def head_name(name: str) -> str:
    """The head that an output of the graph is."""
    return name.removesuffix(_SUFFIX)
