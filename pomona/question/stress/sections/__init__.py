"""Sections of the report of a stress test: what was found, the models side by side, where they disagree."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"finding_section": "finding"},
)
