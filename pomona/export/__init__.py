"""Export: networks as ONNX files and torch programs, sessions that run them, saved models that predict.

How fast they are: `pomona.export.latency.latency`, `pomona.export.exported_latency.exported_latency`.
"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "load": "pomona.export.predictors.load",
        "Predictor": "pomona.export.predictors.predictor",
        "save_network": "pomona.export.predictors.network",
        "save_ensemble": "pomona.export.predictors.ensemble",
        "export_onnx": "onnx",
        "onnx_bytes": "onnx",
        "export_program": "program",
        "Session": "sessions",
        "OnnxSession": "sessions",
        "TorchSession": "sessions",
        "Latency": "latency",
    },
)
