"""How long a network takes for one example once it is exported."""

from torch import nn

from pomona.export.latency import Latency, latency
from pomona.export.onnx import onnx_bytes
from pomona.export.sessions.onnx import OnnxSession
from pomona.tasks.batch import Batch


def exported_latency(
    module: nn.Module, example: Batch, *, num_examples: int = 1, threads: int = 1, seconds: float = 0.2
) -> Latency:
    """The latency of `module` in ONNX Runtime. Exporting takes about a second, timing `seconds`."""
    session = OnnxSession(onnx_bytes(module, example), threads=threads)
    return latency(session, example, num_examples=num_examples, seconds=seconds)
