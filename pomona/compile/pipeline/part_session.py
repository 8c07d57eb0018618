"""ONNX Runtime on a part of a model, with inputs and outputs in memory that the caller owns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pomona.export.sessions.onnx_runtime import CPU, first_line, open_model
from pomona.foundation.errors import DataError, SettingError


class PartSession:
    """Runs an ONNX model, from a file or its bytes, on "cpu" or a GPU such as "cuda:0". It needs no torch.

    Arrays are in the processor's memory in either case. Raises ArtifactError when ONNX Runtime cannot load
    the model, SettingError when it cannot use the device.
    """

    def __init__(self, model: str | Path | bytes, *, threads: int = 1, device: str = "cpu"):
        # a thread that waits by looking again and again would take the core of another stage
        spinning = {"session.intra_op.allow_spinning": "0" if threads == 1 else "1"}
        self._session = open_model(model, threads=threads, providers=_providers(device), entries=spinning)
        self.inputs = tuple(entry.name for entry in self._session.get_inputs())
        self.outputs = tuple(entry.name for entry in self._session.get_outputs())

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Output → its value, which of some models is no array. Raises DataError for wrong inputs."""
        try:
            found = self._session.run(None, {name: inputs[name] for name in self.inputs})
        except KeyError as error:
            raise DataError(f"the model reads {', '.join(self.inputs)}; there is no {error}") from error
        except Exception as error:
            raise DataError(f"ONNX Runtime refuses the inputs: {first_line(error)}") from error
        return dict(zip(self.outputs, found, strict=True))

    def bound(
        self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]
    ) -> Callable[[], None]:
        """What runs the model from these arrays into those, without a copy; they have to be contiguous.

        The call raises DataError when an output turns out to have another shape than its array.
        """
        binding = self._session.io_binding()
        for name in self.inputs:
            array = inputs[name]
            binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name in self.outputs:
            array = outputs[name]
            binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

        def run() -> None:
            try:
                self._session.run_with_iobinding(binding)
            except Exception as error:
                raise DataError(f"ONNX Runtime refuses the inputs: {first_line(error)}") from error

        return run


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return [*CPU]
    kind, _, number = device.partition(":")
    if kind != "cuda" or not (number or "0").isdecimal():
        raise SettingError(f"a stage runs on cpu or on a GPU such as cuda:0, not on {device}")
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise SettingError(f"this ONNX Runtime cannot use {device}: install onnxruntime-gpu")
    return [("CUDAExecutionProvider", {"device_id": int(number or 0)}), *CPU]
