"""Skeleton, hands, face and mask drawn over a picture."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"draw": "people"})
