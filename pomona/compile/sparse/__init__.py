"""The sparse runtime: ONNX files and artifacts as plans, plans as native programs, sessions that choose."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "SparseSession": "session",
        "Plan": "plan",
        "Step": "plan",
        "Tensor": "plan",
        "compile_plan": "program",
    },
)
