"""Reading: what users have, ONNX files, as networks of steps."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"read_graph": "graph", "read_onnx": "onnx"},
)
