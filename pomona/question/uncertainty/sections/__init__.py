"""Sections of a report on how sure a network is."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"write_uncertainty_sections": "write"})
