"""Boosted trees over all series: what they see, how they are kept as arrays, and how they answer."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"Forest": "forest", "Grid": "features"})
