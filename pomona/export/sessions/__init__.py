"""Sessions: what runs a network, behind one interface."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Session": "session",
        "OnnxSession": "onnx",
        "TorchSession": "torch",
        "LiteRtSession": "litert",
        "ProgramSession": "program",
    },
)
