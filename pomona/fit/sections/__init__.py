"""Sections of a report that any fitted model has: scores, classes, worst examples, calibration, training."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "calibration_section": "calibration",
        "classes_section": "classes",
        "data_section": "data",
        "network_section": "network",
        "numbers_section": "numbers",
        "scores_section": "scores",
        "training_section": "training",
        "worst_section": "worst",
        "write_model_sections": "model",
    },
)
