"""Measures of how well a method knows what it does not know, a file an idea."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "MEASURES": "table",
        "Measured": "table",
        "Measure": "measure",
        "Detection": "detection",
    },
)
