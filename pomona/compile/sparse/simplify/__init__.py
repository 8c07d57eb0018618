"""Simplifying: the same network in fewer steps."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"simplify": "rules"})
