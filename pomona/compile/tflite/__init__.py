"""TFLite models as ONNX models, for everything here that reads ONNX."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"tflite_as_onnx": "convert"})
