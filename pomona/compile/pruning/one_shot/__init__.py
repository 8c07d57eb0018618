"""Pruning a finished ONNX model at once: no training, only calibration inputs."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "prune_graph": "graph",
        "METHODS": "methods",
    },
)
