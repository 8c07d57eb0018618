"""Preprocessing as data: fitted on the training split, stored in artifacts, applied without torch."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Preprocessing": "pipeline",
        "Step": "step",
        "STEPS": "steps",
        "encode_target": "targets",
        "class_names": "targets",
    },
)
