"""Pages and their servers."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"live": "live"})
