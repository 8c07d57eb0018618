"""Graphs of models that exist: torch modules, artifacts, ONNX files, functions of JAX."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Captured": "fx_graph",
        "capture_forward": "torch_module",
        "capture_training": "torch_module",
    },
)
