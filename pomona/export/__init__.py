"""Export: networks as ONNX files and torch programs, sessions that run them, and how fast they are."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "load": "predictors.load",
        "Predictor": "predictors.predictor",
        "save_network": "predictors.network",
        "save_ensemble": "predictors.ensemble",
        "export_onnx": "onnx",
        "onnx_bytes": "onnx",
        "export_program": "program",
        "Session": "sessions",
        "OnnxSession": "sessions",
        "TorchSession": "sessions",
        "Latency": "latency",
        "latency": "latency",
        "exported_latency": "exported_latency",
    },
)
