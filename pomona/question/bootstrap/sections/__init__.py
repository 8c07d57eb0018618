"""Sections of the report of two worlds."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"worlds_section": "worlds", "axes_section": "axes"})
