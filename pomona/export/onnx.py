"""ONNX out of a module: one file with a dynamic batch that says what it is and was compared with torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pomona.export.metadata import metadata_of, seal
from pomona.export.parity import check_parity
from pomona.export.quiet import quiet
from pomona.export.recurrent import translations, with_recurrent_operators
from pomona.export.sessions.onnx import OnnxSession, output_name
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.artifact.format import Artifact
from pomona.foundation.errors import MissingExtraError, SpecError
from pomona.foundation.files import write_bytes
from pomona.tasks.batch import Batch, batch_size

OPSET = 20
"""GroupNormalization, which is a node of its own from 21 on, is 1.2 times slower in ONNX Runtime on a CPU."""

TOLERANCE = 1e-4
"""Largest difference to torch that is let through, relative to a head's largest entry."""


def export_onnx(
    module: nn.Module,
    example: Batch,
    path: str | Path,
    *,
    artifact: Artifact,
    others: tuple[Batch, ...] = (),
    tolerance: float = TOLERANCE,
) -> Path:
    """Writes `module`, whose heads are predictions, to an ONNX file that holds the artifact's description.

    `example` holds the inputs, and the masks of variable ones, for at least one example. ONNX Runtime and
    torch are compared on it and on `others`. Raises SpecError when they differ, or when the module cannot be
    exported.
    """
    model = onnx_bytes(module, example, metadata=metadata_of(artifact))
    check_parity(TorchSession(module), OnnxSession(model), (example, *others), tolerance=tolerance)
    write_bytes(Path(path), model)
    return Path(path)


def onnx_bytes(module: nn.Module, example: Batch, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """The ONNX model of `module` as the bytes of a file, not compared with it. The batch axis is dynamic."""
    tensors, heads = read_by(module, example)
    names, batch = list(tensors), torch.export.Dim("batch")
    try:
        with quiet():
            program = torch.onnx.export(
                Ordered(with_recurrent_operators(module), heads),
                kwargs={"inputs": tensors},
                dynamic_shapes={"inputs": {name: {0: batch} for name in names}},
                input_names=names,
                output_names=[output_name(head, names) for head in heads],
                custom_translation_table=translations(),
                opset_version=OPSET,
                dynamo=True,
                optimize=True,
                verbose=False,
            )
    except ImportError as error:
        raise MissingExtraError("onnxscript", "onnx") from error
    except Exception as error:
        raise SpecError(f"the network cannot be exported to ONNX: {_reason(error)}") from error
    return _finished(program, metadata or {})


def read_by(module: nn.Module, example: Batch) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Two examples of what `module` reads, as tensors, and its heads' names. Puts it in evaluation mode."""
    read: dict[str, Tensor] = {}

    class Asked(dict[str, Tensor]):
        def __getitem__(self, name: str) -> Tensor:
            read[name] = super().__getitem__(name)
            return read[name]

        def get(self, name: str, default: Any = None) -> Any:
            return default if name not in self else self[name]  # noqa: SIM401

    # a batch of one would be taken for a constant by the tracer
    places = np.arange(2) % batch_size(example)
    arrays = {name: array[places] for name, array in example.items() if array.dtype != object}
    tensors = Asked({name: torch.as_tensor(array) for name, array in arrays.items()})
    with torch.inference_mode():
        heads = module.eval()(tensors)
    return read, tuple(heads)


class Ordered(nn.Module):
    """Heads as a tuple: the exporter sorts the keys of a dict."""

    def __init__(self, module: Callable[[Mapping[str, Tensor]], dict[str, Tensor]], heads: tuple[str, ...]):
        super().__init__()
        self.module = module
        self.heads = heads

    def forward(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
        outputs = self.module(inputs)
        return tuple(outputs[head] for head in self.heads)


def _finished(program: "torch.onnx.ONNXProgram | None", metadata: Mapping[str, str]) -> bytes:
    assert program is not None
    model = program.model_proto
    model.producer_name = "pomona"
    for name, value in metadata.items():
        model.metadata_props.add(key=name, value=value)
    try:
        return seal(model.SerializeToString())
    except ValueError as error:
        raise SpecError("the network cannot be exported to ONNX: a file holds at most 2 GB") from error


def _reason(error: BaseException) -> str:
    # the exporter wraps what went wrong in pages of advice
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
