"""How long a network takes for one example once it is exported."""

import io
from typing import Any

import torch
from torch import nn

from pomona.export.latency import Latency, latency
from pomona.export.onnx import OPSET, Ordered, onnx_bytes, read_by
from pomona.export.quiet import quiet
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.errors import ArtifactError
from pomona.tasks.batch import Batch


def exported_latency(
    module: nn.Module, example: Batch, *, num_examples: int = 1, threads: int = 1, seconds: float = 0.2
) -> Latency:
    """The latency of `module` in ONNX Runtime, on the CPU; `example` holds what it reads.

    torch's older exporter makes the model, in 0.01 to 0.2 s where `export_onnx` takes 0.6 to 3 s: a search
    asks for every network. Its models are 0.87 to 1.13 times as slow as those of `export_onnx`; to time the
    very file that is used, open it with OnnxSession and call `latency`. Where it fails, the other exporter
    is used.
    """
    try:
        session = OnnxSession(traced_onnx(module, example), threads=threads)
    except (ArtifactError, RuntimeError, TypeError, ValueError):
        session = OnnxSession(onnx_bytes(module, example), threads=threads)
    return latency(session, example, num_examples=num_examples, seconds=seconds)


def traced_onnx(module: nn.Module, example: Batch) -> bytes:
    """An ONNX model of `module`, made fast and compared with nothing: to be timed, not to be kept."""
    tensors, heads = read_by(module, example)
    content: Any = io.BytesIO()
    with quiet(), torch.inference_mode():
        torch.onnx.export(
            Ordered(module, heads),
            # a last argument that is a dict would be taken for keyword arguments
            (tensors, {}),
            content,
            input_names=list(tensors),
            dynamic_axes={name: {0: "batch"} for name in tensors},
            opset_version=OPSET,
            dynamo=False,
        )
    return content.getvalue()
